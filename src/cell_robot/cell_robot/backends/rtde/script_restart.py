"""Restart of the control script that the cell has asked for: until it runs again, a stopped program is no surprise.

Pure: no ROS, sockets, files or clock.

ur_rtde uploads its script again for each path of rounded corners. Some controllers show the stop in between, some do not.
"""

from __future__ import annotations

from cell_robot.control_process.codec import UPLOAD_TIMEOUT_S

SHOWN_S = 1.0
"""The running program appears in the data this long after the move has begun, at the latest."""


class ScriptRestart:
    """Whether the program may be stopped at a time because the cell restarts it."""

    def __init__(self) -> None:
        self._until, self._begun = float('-inf'), False

    def begin(self, now: float) -> None:
        """The cell has asked for a path; `now` in seconds of a monotonic clock."""
        self._until, self._begun = now + UPLOAD_TIMEOUT_S, False

    def move_started(self, now: float) -> None:
        """The path has begun."""
        if now < self._until:
            self._until, self._begun = now + SHOWN_S, True

    def playing(self) -> None:
        """The data shows a running program: once the path has begun, the next stop is a surprise again."""
        if self._begun:
            self.end()

    def end(self) -> None:
        """Nothing is restarted any more."""
        self._until, self._begun = float('-inf'), False

    def expected(self, now: float) -> bool:
        """Return whether a stopped program is part of the restart."""
        return now < self._until
