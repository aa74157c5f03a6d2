"""Admission of triggers: one at a time, no id twice; keeps the last trigger for the state topic.

Pure: no ROS, sockets, files or clock.

A repeated id means that a client has sent its trigger again because it missed the answer. Executing it would move the arm
twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cell_common.catalogue import MOST_TRAYS
from cell_common.error_code import ErrorCode
from cell_common.latest_entries import LatestEntries

from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase, not_sent

MAX_IDS = 100_000
"""Number of ids that are remembered."""
_ID = re.compile(r'[A-Za-z0-9_-]{1,64}')


@dataclass(frozen=True)
class TriggerRecord:
    """Last trigger that was sent."""

    command: TriggerCommand
    phase: TriggerPhase
    sent_at_ns: int
    """ROS time."""


class TriggerAdmission:
    """Admits triggers and records their progress."""

    def __init__(self) -> None:
        self._ids = LatestEntries[str, None](MAX_IDS)
        self._active: TriggerCommand | None = None
        self.last: TriggerRecord | None = None

    @property
    def busy(self) -> bool:
        """Whether a trigger is active."""
        return self._active is not None

    def admit(self, command: TriggerCommand) -> TriggerOutcome | None:
        """Admit a trigger, or return why not; after None the caller must call `finish`.

        Args:
            command: Its id may have 1 to 64 characters of A-Z a-z 0-9 _ -, which all framings can carry.
        """
        if not _ID.fullmatch(command.trigger_id):
            return not_sent(ErrorCode.INVALID_ARGUMENT, 'trigger_id must be 1 to 64 characters of A-Z a-z 0-9 _ -')
        if not 0 <= command.tray <= MOST_TRAYS:
            return not_sent(ErrorCode.INVALID_ARGUMENT, f'tray is {command.tray}; allowed: 1 to {MOST_TRAYS}, or 0 for none')
        if self._active is not None:
            return not_sent(ErrorCode.ROBOT_BUSY, f'The robot is busy with {self._active.event}. Wait for its end.')
        if command.trigger_id in self._ids:
            return not_sent(
                ErrorCode.INVALID_ARGUMENT,
                f'trigger_id {command.trigger_id} was used before; a repeated trigger is never sent',
            )
        self._active = command
        return None

    def progress(self, phase: TriggerPhase, now_ns: int) -> None:
        """Record that the active trigger was sent or acknowledged; without an active trigger nothing is recorded.

        Args:
            phase: SENT or ACKNOWLEDGED.
            now_ns: ROS time, nanoseconds.
        """
        if self._active is None:
            return
        if phase is TriggerPhase.SENT:
            # Only once it was sent: a refused trigger may be sent again under its id.
            self._ids[self._active.trigger_id] = None
            self.last = TriggerRecord(self._active, phase, now_ns)
        elif self.last is not None:
            self.last = replace(self.last, phase=phase)

    def finish(self, outcome: TriggerOutcome, now_ns: int) -> None:
        """Record the end of the active trigger; the id of a trigger that was never sent may be reused.

        Args:
            outcome: Its phase decides whether the trigger counts as sent.
            now_ns: ROS time.
        """
        if outcome.phase is not TriggerPhase.NOT_SENT and self._active is not None:
            if self.last is None or self.last.command is not self._active:
                self.progress(TriggerPhase.SENT, now_ns)
            self.progress(outcome.phase, now_ns)
        self._active = None
