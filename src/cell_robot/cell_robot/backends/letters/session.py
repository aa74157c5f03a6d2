"""State of one connection of a UR program: framing, trigger, heartbeat.

Pure: no ROS, sockets, files or clock.

Times are seconds of the caller's monotonic clock. The caller feeds bytes, asks for the next `deadline`, and calls `on_timeout`
when it has passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cell_common.error_code import ErrorCode

from cell_robot.backends.letters.protocol import Framing, LettersProtocol, ProgramReply, ReplyKind
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase

MAX_SHOWN = 60
"""Bytes of an unknown frame that go into the log."""


@dataclass(frozen=True)
class Deadlines:
    """Timeouts of the UR program, seconds.

    Attributes:
        acknowledge: From a letter to its acknowledgement.
        done: From the acknowledgement to the end; from the letter, if the program answers once.
        heartbeat: Longest silence of a program that sends heartbeats.
    """

    acknowledge: float = 1.0
    done: float = 30.0
    heartbeat: float = 3.0


@dataclass(frozen=True)
class TriggerUpdate:
    """Change of a trigger's phase."""

    phase: TriggerPhase
    reason: str = ''
    """For the operator; valid for REFUSED and UNKNOWN."""
    reset: bool = False
    """Reset the connection: the letter may still be unread at the robot, or a late reply could be misattributed."""


class TriggerMachine:
    """State machine of one trigger: sent, acknowledged, then done, refused or unknown.

        sent --ACK--> acknowledged --DONE--> done
        sent, acknowledged --ERR--> refused
        sent, acknowledged --timeout, lost connection, unexpected word--> unknown

    It is used again for the next trigger of the same connection.
    """

    def __init__(self, deadlines: Deadlines, *, numbered: bool, acknowledge_is_done: bool = False) -> None:
        """Configure the machine; no trigger is active.

        Args:
            deadlines: Timeouts of the program.
            numbered: Replies carry the trigger id.
            acknowledge_is_done: The program answers once, at the end; only the deadline for done applies.
        """
        self._deadlines = deadlines
        self._numbered = numbered
        self._single = acknowledge_is_done
        self._id = ''
        self._phase: TriggerPhase | None = None
        self._due = 0.0
        self.stray = ''
        """Answer without an id that nobody waited for: it belongs to another trigger than the program thinks; "" = none."""
        self.late = ''
        """Id of a trigger that was reported as unknown and may still be executing; "" = none."""

    @property
    def deadline(self) -> float | None:
        """Time at which to call `on_timeout`, None without an active trigger."""
        return self._due if self._phase else None

    def sent(self, trigger_id: str, now: float) -> TriggerUpdate:
        """Start a trigger that was written to the connection; none may be active.

        Args:
            trigger_id: Id that answers must carry, where the framing has ids.
            now: Seconds of the loop's clock; the deadline of the first answer counts from here.
        """
        self._id, self._phase = trigger_id, TriggerPhase.SENT
        # A program that answers once does so at the end of its motion.
        self._due = now + (self._deadlines.done if self._single else self._deadlines.acknowledge)
        return TriggerUpdate(TriggerPhase.SENT)

    def reply(self, reply: ProgramReply, now: float) -> TriggerUpdate | None:
        """Apply a reply; returns None when it does not change the active trigger.

        Args:
            reply: Any valid reply. One with another trigger's id is ignored, or ends `late`.
            now: Seconds.
        """
        if not self._numbered and not self._expects(reply.kind):
            return self._on_stray(reply.kind)
        return self._take(reply, now)

    def _take(self, reply: ProgramReply, now: float) -> TriggerUpdate | None:
        """Apply a reply that fits the order, or that names its trigger."""
        # The arm is free again. The outcome stays unknown: it was reported, and an operator may be acting on it.
        if self._numbered and self.late and reply.trigger_id == self.late and reply.kind in (ReplyKind.DONE, ReplyKind.ERR):
            self.late = ''
            return None
        if self._phase is None or (self._numbered and reply.trigger_id != self._id) or reply.kind is ReplyKind.HEARTBEAT:
            return None
        if reply.kind is ReplyKind.ERR:
            return self._end(TriggerUpdate(TriggerPhase.REFUSED, reply.reason or 'no reason given'))
        if reply.kind is ReplyKind.ACK:
            return self._acknowledged(now)
        if reply.kind is ReplyKind.DONE and (self._numbered or self._phase is TriggerPhase.ACKNOWLEDGED):
            return self._end(TriggerUpdate(TriggerPhase.DONE))
        return None

    def _expects(self, kind: ReplyKind) -> bool:
        """Return whether an answer without an id fits the state of the trigger."""
        if kind is ReplyKind.HEARTBEAT:
            return True
        if self._phase is None or (kind is ReplyKind.DONE and self._single):
            return False
        awaited = ReplyKind.ACK if self._phase is TriggerPhase.SENT else ReplyKind.DONE
        return kind in (awaited, ReplyKind.ERR)

    def _on_stray(self, kind: ReplyKind) -> TriggerUpdate | None:
        """Record an answer that nobody waited for, and end the active trigger as unknown.

        From here on each word may answer an earlier letter. The order is certain again on a new connection only.
        """
        self.stray = kind.value.lower()
        if self._phase is None:
            return None
        reason = f'the program sent an answer that nobody waited for ({self.stray})'
        return self._end(TriggerUpdate(TriggerPhase.UNKNOWN, reason, reset=True))

    def on_timeout(self, now: float) -> TriggerUpdate | None:
        """End the trigger as unknown when its deadline has passed."""
        if self._phase is None or now < self._due:
            return None
        if self._phase is TriggerPhase.SENT and not self._single:
            # Reset: the letter may be unread in the robot's buffer, and would move the arm when the program reads on.
            reason = f'no acknowledgement within {self._deadlines.acknowledge:g} s'
            return self._end(TriggerUpdate(TriggerPhase.UNKNOWN, reason, reset=True))
        self.late = self._id
        reason = f'not done within {self._deadlines.done:g} s'
        # With ids the connection can stay: the late answer is recognized. Without them it would answer the next letter.
        return self._end(TriggerUpdate(TriggerPhase.UNKNOWN, reason, reset=not self._numbered))

    def on_disconnect(self, reason: str) -> TriggerUpdate | None:
        """End an active trigger as unknown because the connection is gone."""
        self.late = ''
        return self._end(TriggerUpdate(TriggerPhase.UNKNOWN, reason)) if self._phase else None

    def _acknowledged(self, now: float) -> TriggerUpdate | None:
        """Return the update of an acknowledgement, which ends the trigger of a program that answers once."""
        if self._single:
            return self._end(TriggerUpdate(TriggerPhase.DONE))
        if self._phase is not TriggerPhase.SENT:
            return None
        self._phase, self._due = TriggerPhase.ACKNOWLEDGED, now + self._deadlines.done
        return TriggerUpdate(TriggerPhase.ACKNOWLEDGED)

    def _end(self, update: TriggerUpdate) -> TriggerUpdate:
        self._phase = None
        return update


@dataclass
class LettersSession:
    """One connection of a UR program."""

    protocol: LettersProtocol
    deadlines: Deadlines
    last_received_at: float
    machine: TriggerMachine
    framing: Framing = field(init=False)
    proven: bool = False
    """The peer has sent a valid reply. A bare program that is silent until asked is used unproven where none is proven."""
    beats: bool = False
    """The peer sends heartbeats, so silence means that it is gone."""
    garbage: str = ''
    """First frame outside the protocol, for the log; "" = none."""

    def __post_init__(self) -> None:
        """Derive framing and flags from the protocol."""
        self.framing = self.protocol.framing()
        self.beats = self.protocol.numbered

    def feed(self, data: bytes, now: float) -> Iterator[TriggerUpdate | None]:
        """Add received bytes; yields one item per valid reply: the trigger's update, or None without one.

        Args:
            data: As received, cut anywhere.
            now: Time of arrival, seconds.
        """
        for frame in self.framing.feed(data):
            reply = self.protocol.decode(frame)
            if reply is None:
                self.garbage = self.garbage or repr(frame[:MAX_SHOWN])[1:]
            else:
                yield self._take(reply, now)
        if self.framing.overlong:
            self.garbage = self.garbage or 'a line without end'

    @property
    def deadline(self) -> float | None:
        """Time at which the trigger or the heartbeat times out, None without a timeout."""
        times = [self.machine.deadline, self.last_received_at + self.deadlines.heartbeat if self.beats else None]
        return min((time for time in times if time is not None), default=None)

    def timed_out(self, now: float) -> bool:
        """Return whether the heartbeat is overdue."""
        return self.beats and now >= self.last_received_at + self.deadlines.heartbeat

    def _take(self, reply: ProgramReply, now: float) -> TriggerUpdate | None:
        self.last_received_at = now
        self.proven = True
        # Bare programs need no heartbeat; one that has sent it once is held to it.
        self.beats = self.beats or reply.kind is ReplyKind.HEARTBEAT
        return self.machine.reply(reply, now)


def outcome_of(command: TriggerCommand, update: TriggerUpdate) -> TriggerOutcome:
    """Return the outcome of a trigger, with its message for the operator.

    Args:
        command: The trigger.
        update: The update that ended it. Every phase but DONE and REFUSED counts as unknown: the arm may have moved.
    """
    if update.phase is TriggerPhase.DONE:
        return TriggerOutcome(update.phase, ErrorCode.OK, f'{command.event} done.')
    if update.phase is TriggerPhase.REFUSED:
        return TriggerOutcome(update.phase, ErrorCode.ROBOT_REFUSED, f'The robot refused {command.event}: {update.reason}.')
    return TriggerOutcome(
        TriggerPhase.UNKNOWN,
        ErrorCode.ROBOT_OUTCOME_UNKNOWN,
        f'It is unknown whether the robot did {command.event}: {update.reason}. Look where the piece is, '
        'then answer at the job.',
    )
