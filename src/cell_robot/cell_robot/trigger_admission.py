"""The desk that triggers pass: one at a time, no id twice, and the last one kept for the state topic."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace

from cell_interfaces.msg import ResultCode
from cell_robot.backends.base import Command, Outcome, Phase, not_sent

IDS_REMEMBERED = 100_000
_ID = re.compile(r'[A-Za-z0-9_-]{1,64}')


@dataclass(frozen=True)
class Record:
    """The latest trigger that was sent."""

    command: Command
    phase: Phase
    sent_at_ns: int
    """ROS time."""


class TriggerDesk:
    """Admits triggers and remembers them."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._running: Command | None = None
        self.last: Record | None = None

    @property
    def busy(self) -> bool:
        """Whether a trigger is being carried out."""
        return self._running is not None

    def admit(self, command: Command) -> Outcome | None:
        """Take a trigger in, or say why not; after None the caller must call `end`."""
        if not _ID.fullmatch(command.trigger_id):
            return not_sent(ResultCode.INVALID_ARGUMENT, 'trigger_id must be 1 to 64 characters of A-Z a-z 0-9 _ -')
        if not 0 <= command.tray <= 4:
            return not_sent(ResultCode.INVALID_ARGUMENT, f'tray is {command.tray}; allowed: 1 to 4, or 0 for none')
        if self._running is not None:
            return not_sent(ResultCode.ROBOT_BUSY, f'The robot is busy with {self._running.event}. Wait for its end.')
        if command.trigger_id in self._ids:
            return not_sent(
                ResultCode.INVALID_ARGUMENT,
                f'trigger_id {command.trigger_id} was used before; a repeated trigger is never sent',
            )
        self._running = command
        return None

    def progress(self, phase: Phase, now_ns: int) -> None:
        """Note that the running trigger was sent or acknowledged; `now_ns` is ROS time."""
        if self._running is None:
            return
        if phase is Phase.SENT:
            self._remember(self._running.trigger_id)
            self.last = Record(self._running, phase, now_ns)
        elif self.last is not None:
            self.last = replace(self.last, phase=phase)

    def end(self, outcome: Outcome, now_ns: int) -> None:
        """Note how the running trigger ended; an id that was never sent may be used again."""
        if outcome.phase is not Phase.NOT_SENT and self._running is not None:
            if self.last is None or self.last.command is not self._running:
                self.progress(Phase.SENT, now_ns)
            self.progress(outcome.phase, now_ns)
        self._running = None

    def _remember(self, trigger_id: str) -> None:
        self._ids[trigger_id] = None
        if len(self._ids) > IDS_REMEMBERED:
            self._ids.popitem(last=False)
