"""The life of a trigger on one connection: sent, acknowledged, then done, refused or unknown.

Times are seconds of any clock that never goes back; the caller brings them.
"""

from __future__ import annotations

from dataclasses import dataclass

from cell_robot.backends.base import Phase
from cell_robot.backends.letters.codec import Kind, Reply


@dataclass(frozen=True)
class Deadlines:
    """How long the program may take, seconds."""

    acknowledge: float = 1.0
    done: float = 30.0
    heartbeat: float = 3.0


@dataclass(frozen=True)
class Step:
    """What has become of the trigger."""

    phase: Phase
    reason: str = ''
    """For people; valid for REFUSED and UNKNOWN."""
    reset: bool = False
    """The connection must be reset: what was sent may still lie unread at the robot, or a late answer could be mistaken."""


class TriggerMachine:
    """Follows one trigger at a time."""

    def __init__(self, deadlines: Deadlines, *, numbered: bool, acknowledge_is_done: bool = False) -> None:
        """Begin without a trigger.

        Args:
            deadlines: How long the program may take.
            numbered: Replies carry the trigger's id.
            acknowledge_is_done: The program answers once, at the end; then only the deadline for done counts.
        """
        self._deadlines = deadlines
        self._numbered = numbered
        self._single = acknowledge_is_done
        self._id = ''
        self._phase: Phase | None = None
        self._due = 0.0
        self.late = ''
        """Id of a trigger whose outcome was given as unknown and that the robot may still be carrying out; "" = none."""

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to say, None while no trigger runs."""
        return self._due if self._phase else None

    def sent(self, trigger_id: str, now: float) -> Step:
        """Note that a trigger was written to the connection; none may be running."""
        self._id, self._phase = trigger_id, Phase.SENT
        self._due = now + (self._deadlines.done if self._single else self._deadlines.acknowledge)
        return Step(Phase.SENT)

    def reply(self, reply: Reply, now: float) -> Step | None:
        """Take a reply; returns None when it changes nothing for the running trigger."""
        if self._numbered and self.late and reply.trigger_id == self.late and reply.kind in (Kind.DONE, Kind.ERR):
            self.late = ''
            return None
        if self._phase is None or (self._numbered and reply.trigger_id != self._id):
            return None
        if reply.kind is Kind.ERR:
            return self._end(Step(Phase.REFUSED, reply.reason or 'no reason given'))
        if reply.kind is Kind.ACK:
            return self._acknowledged(now)
        if reply.kind is Kind.DONE and (self._numbered or self._phase is Phase.ACKNOWLEDGED):
            return self._end(Step(Phase.DONE))
        return None

    def tick(self, now: float) -> Step | None:
        """Give the trigger up when its deadline has passed."""
        if self._phase is None or now < self._due:
            return None
        if self._phase is Phase.SENT and not self._single:
            return self._end(Step(Phase.UNKNOWN, f'no acknowledgement within {self._deadlines.acknowledge:g} s', reset=True))
        self.late = self._id
        return self._end(Step(Phase.UNKNOWN, f'not done within {self._deadlines.done:g} s', reset=not self._numbered))

    def lost(self, why: str) -> Step | None:
        """The connection is gone: a running trigger's outcome is unknown."""
        self.late = ''
        return self._end(Step(Phase.UNKNOWN, why)) if self._phase else None

    def _acknowledged(self, now: float) -> Step | None:
        if self._single:
            return self._end(Step(Phase.DONE))
        if self._phase is not Phase.SENT:
            return None
        self._phase, self._due = Phase.ACKNOWLEDGED, now + self._deadlines.done
        return Step(Phase.ACKNOWLEDGED)

    def _end(self, step: Step) -> Step:
        self._phase = None
        return step
