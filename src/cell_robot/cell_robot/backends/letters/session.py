"""What is known of one connection: its framing, its trigger, whether it has spoken, when it was last heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cell_robot.backends.letters.codec import Dialect, Kind, Reply
from cell_robot.backends.letters.framing import Framing
from cell_robot.backends.letters.trigger import Deadlines, Step, TriggerMachine

SHOWN = 60


@dataclass
class Session:
    """One connection of a UR program; times are seconds of the caller's clock."""

    dialect: Dialect
    deadlines: Deadlines
    heard_at: float
    machine: TriggerMachine
    framing: Framing = field(init=False)
    proven: bool = False
    """It has said something that a UR program says (bare programs keep silent until asked: they count from the start)."""
    beats: bool = False
    """It sends heartbeats, so that silence means that it is gone."""
    garbage: str = ''
    """The first thing it said that is not of the protocol, for the log; "" = none."""

    def __post_init__(self) -> None:
        """Make what depends on the dialect."""
        self.framing = self.dialect.framing()
        self.proven = not self.dialect.numbered
        self.beats = self.dialect.numbered

    def feed(self, data: bytes, now: float) -> Iterator[Step | None]:
        """Take bytes; yields once for each valid reply what has become of the trigger, None when nothing changed."""
        for frame in self.framing.feed(data):
            reply = self.dialect.decode(frame)
            if reply is None:
                self.garbage = self.garbage or repr(frame[:SHOWN])[1:]
            else:
                yield self._take(reply, now)
        if self.framing.overlong:
            self.garbage = self.garbage or 'a line without end'

    @property
    def deadline(self) -> float | None:
        """When `tick` or `silent` has something to say, None when never."""
        times = [self.machine.deadline, self.heard_at + self.deadlines.heartbeat if self.beats else None]
        return min((time for time in times if time is not None), default=None)

    def silent(self, now: float) -> bool:
        """Whether its heartbeat has been missing for too long."""
        return self.beats and now >= self.heard_at + self.deadlines.heartbeat

    def _take(self, reply: Reply, now: float) -> Step | None:
        self.heard_at = now
        self.proven = True
        self.beats = self.beats or reply.kind is Kind.HEARTBEAT
        return self.machine.reply(reply, now)
