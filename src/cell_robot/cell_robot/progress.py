"""Tell a client how its trigger goes, in order, from whichever thread has the news."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock

from cell_robot.backends.base import Phase


class Teller:
    """Passes on SENT only while the acknowledgement is not there.

    An acknowledgement mostly comes within a millisecond. To tell SENT before it would cost it a millisecond more on its way,
    here and in the client.
    """

    def __init__(self, told: Callable[[Phase], None]) -> None:
        """Take what brings a phase to the client."""
        self._told = told
        self._order = Lock()
        self._acknowledged = False
        self._heard = Event()

    def tell(self, phase: Phase) -> None:
        """Tell a phase, unless it is overtaken; raises what `told` raises."""
        with self._order:
            if self._acknowledged:
                return
            self._acknowledged = phase is Phase.ACKNOWLEDGED
            try:
                self._told(phase)
            finally:
                if self._acknowledged:
                    self._heard.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the acknowledgement has been told, at most so long; return whether it has."""
        return self._heard.wait(seconds)
