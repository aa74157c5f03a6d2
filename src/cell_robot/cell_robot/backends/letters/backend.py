"""Backend `letters`: puts transport, sessions and the event letters together.

Everything runs in one event loop thread; timers are set for the next deadline, nothing polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Protocol

from cell_common.background import AsyncioThread
from cell_common.ids import new_id

from cell_interfaces.msg import ResultCode, RobotState
from cell_robot.backends.base import Answer, Backend, Check, Command, LinkState, Outcome, Phase, done, not_sent
from cell_robot.backends.base import Step as RecoveryStep
from cell_robot.backends.letters.codec import DIALECTS, Dialect
from cell_robot.backends.letters.rate_limit import Throttle
from cell_robot.backends.letters.session import Session
from cell_robot.backends.letters.tcp_server import Connection, Network, Server
from cell_robot.backends.letters.trigger import Deadlines, Step, TriggerMachine

STRANGERS = 16
"""Connections that may wait to be heard for the first time; the oldest one goes when there are more."""
QUIET_S = 60.0
"""At most one log line of a kind of nonsense in so many seconds."""
CONNECTS = 20
"""At most so many log lines of programs coming and going in that time."""
RECOVERY_STEPS = 3
CANNOT_TELL = 'the letters link cannot tell: look at the pendant'
NOT_CONNECTED = 'No robot program is connected. Start the program on the pendant.'
BY_HAND = 'On the pendant: clear the message, move the arm to a safe place by hand, then start the program again.'


class Log(Protocol):
    """As much of a ROS logger as is used here."""

    def info(self, message: str) -> object: ...  # noqa: D102
    def warning(self, message: str) -> object: ...  # noqa: D102
    def error(self, message: str) -> object: ...  # noqa: D102


@dataclass(frozen=True)
class LettersOptions:
    """What a deployment chooses for the letters link."""

    address: str
    port: int
    allowed: list[Network]
    framing: str
    """`line` or `bare`."""
    acknowledge_is_done: bool
    deadlines: Deadlines
    letters: Mapping[str, str]
    """Event -> letter."""
    reconnect: float = 10.0
    """Seconds that a recovery waits for the program to connect again."""


@dataclass
class _Running:
    """The trigger being carried out."""

    command: Command
    progress: Callable[[Phase], None]
    future: Future[Outcome] = field(default_factory=Future)


class LettersBackend(Backend):
    """Waits for a UR program to connect and sends it letters."""

    name = 'letters'

    def __init__(self, options: LettersOptions, log: Log) -> None:
        """Do nothing yet; `start` opens the port."""
        self._options = options
        self._log = log
        self._dialect: Dialect = DIALECTS[options.framing]
        self._sessions: dict[Connection, Session] = {}
        self._active: Connection | None = None
        self._running: _Running | None = None
        self._unsure = False
        self._timer: asyncio.TimerHandle | None = None
        self._problem = ''
        self._state = LinkState(message=NOT_CONNECTED)
        self._heard_at: float | None = None
        self._rare = Throttle(1, QUIET_S)
        self._frequent = Throttle(CONNECTS, QUIET_S)
        self._connected = asyncio.Event()

    def start(self, changed: Callable[[], None]) -> None:
        """Open the port."""
        self._changed = changed
        self._background = AsyncioThread('letters')
        options = self._options
        self._background.submit(Server(options.address, options.port, options.allowed, self).run())

    def close(self) -> None:
        """Close the port and the connections."""
        self._changed = lambda: None
        self._background.close()

    def state(self) -> LinkState:
        """Return what is known now."""
        heard_at, state = self._heard_at, self._state
        return state if heard_at is None else replace(state, data_age=max(0.0, self._now() - heard_at))

    def trigger(self, command: Command, progress: Callable[[Phase], None]) -> Future[Outcome]:
        """Send the event's letter."""
        running = _Running(command, progress)
        self._background.loop.call_soon_threadsafe(self._send, running)
        return running.future

    def stop(self) -> Future[Answer]:
        """Say that letters cannot stop an arm."""
        return done(
            ResultCode.NOT_SUPPORTED,
            'The letters link cannot stop the arm. Press stop on the pendant; in danger, the emergency stop.',
        )

    def recover(self, step: RecoveryStep) -> Future[Answer]:
        """Forget a trigger of unknown outcome, get a fresh connection when one was left open, and send HOME."""
        return self._background.submit(self._recover(step))

    def preflight(self) -> Future[list[Check]]:
        """Tell what letters can tell: whether a program is there and free."""
        return self._background.submit(self._preflight())

    # From here on: the event loop's thread.

    def opened(self, connection: Connection) -> None:
        """A peer has connected; it takes over as soon as it has proved to be a UR program."""
        options = self._options
        machine = TriggerMachine(
            options.deadlines, numbered=self._dialect.numbered, acknowledge_is_done=options.acknowledge_is_done
        )
        session = Session(self._dialect, options.deadlines, self._now(), machine)
        strangers = [peer for peer, known in self._sessions.items() if not known.proven]
        if len(strangers) >= STRANGERS:  # forgotten at once: the loop closes it in a later round, and many may come in this one
            del self._sessions[strangers[0]]
            self._never_spoke(strangers[0], 'too many connections')
            strangers[0].reset('too many connections')
        self._sessions[connection] = session
        if session.proven:
            self._take_over(connection)
        self._arm()

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes came."""
        session = self._sessions.get(connection)
        if session is None:
            return
        clean, late = not session.garbage, session.machine.late
        for step in session.feed(data, self._now()):
            if connection is not self._active:
                self._take_over(connection)
            self._heard_at = session.heard_at
            self._follow(connection, step)
        if clean and session.garbage:
            self._say(
                self._rare,
                'garbage',
                f'{connection.peer} sends what is not of framing {self._options.framing}: '
                f'{session.garbage}; ignored. Is it the right program, and parameter framing as in it?',
            )
        if late and not session.machine.late:
            self._log.warning(f'the robot has answered trigger {late} at last, after its outcome was given as unknown')
        self._arm()

    def closed(self, connection: Connection, why: str) -> None:
        """A connection is gone."""
        session = self._sessions.pop(connection, None)
        if session is None:
            return
        if connection is self._active:
            self._active = None
            self._connected.clear()
            self._say(self._frequent, 'lost', f'robot program {connection.peer} lost: {why}')
            self._follow(connection, session.machine.lost(f'the connection was lost ({why})'))
            self._tell()
        elif not session.proven:
            self._never_spoke(connection, why)
        self._arm()

    def _never_spoke(self, connection: Connection, why: str) -> None:
        self._say(self._rare, 'stranger', f'{connection.peer} was connected and never spoke as a UR program ({why})')

    def rejected(self, address: str) -> None:
        """A peer that is not allowed was turned away."""
        self._say(self._rare, 'rejected', f'connection from {address} turned away: if it is the robot, add it to allowed_peers')

    def listening(self, problem: str) -> None:
        """The port is open, or cannot be opened."""
        if problem and problem != self._problem:
            self._log.error(f'{problem}. Trying again.')
        elif not problem:
            self._log.info(f'listening for the robot program on {self._options.address}:{self._options.port}')
        self._problem = problem
        self._tell()

    def _send(self, running: _Running) -> None:
        refusal = self._refusal(running.command)
        if refusal is None and not self._sent(running):
            refusal = self._not_connected()
        if refusal is not None:
            running.future.set_result(refusal)

    def _refusal(self, command: Command) -> Outcome | None:
        """Say why a trigger cannot be sent now."""
        if command.event not in self._options.letters:
            return not_sent(
                ResultCode.UNKNOWN_EVENT,
                f'No letter is known for {command.event}: add the part to the catalogue, or correct the event.',
            )
        if self._active is None:
            return self._not_connected()
        if late := self._sessions[self._active].machine.late:
            return not_sent(
                ResultCode.ROBOT_BUSY, f'The robot has not finished trigger {late} yet. Wait for it, or recover the robot.'
            )
        if self._running is not None:
            return not_sent(ResultCode.ROBOT_BUSY, 'The robot is busy with another trigger. Wait for its end.')
        return None

    def _sent(self, running: _Running) -> bool:
        """Write a trigger; False when the connection turned out to be gone."""
        connection, command = self._active, running.command
        frame = self._dialect.encode(self._options.letters[command.event], command.trigger_id, command.tray)
        if connection is None or not connection.send(frame):
            return False
        self._running, self._unsure = running, False
        self._follow(connection, self._sessions[connection].machine.sent(command.trigger_id, self._now()))
        self._arm()
        return True

    def _not_connected(self) -> Outcome:
        return not_sent(ResultCode.ROBOT_NOT_CONNECTED, f'Nothing was sent. {self._advice() or NOT_CONNECTED}')

    def _advice(self) -> str:
        """Say what is wrong with the link and what to do; "" when it is up."""
        if self._active is not None:
            return ''
        return f'{self._problem[0].upper()}{self._problem[1:]}.' if self._problem else NOT_CONNECTED

    def _follow(self, connection: Connection, step: Step | None) -> None:
        """Carry out what has become of the running trigger."""
        running = self._running
        if step is None or running is None:
            return
        if step.phase in (Phase.SENT, Phase.ACKNOWLEDGED):
            running.progress(step.phase)
            return
        self._running = None
        self._unsure = step.phase is Phase.UNKNOWN
        outcome = _outcome(running.command, step)
        if step.reset:
            connection.reset(f'{running.command.event}: {step.reason}')
            self._background.loop.call_soon(running.future.set_result, outcome)  # when the connection has been put away
        else:
            running.future.set_result(outcome)

    def _take_over(self, connection: Connection) -> None:
        """Make a connection the one that gets the letters; the newest wins."""
        former, self._active = self._active, connection
        if former is not None:
            session = self._sessions.pop(former)
            self._say(self._frequent, 'replaced', f'robot program {former.peer} closed: {connection.peer} is newer')
            self._follow(former, session.machine.lost('the robot program connected anew'))
            former.reset('a newer connection took over')
        self._say(self._frequent, 'connected', f'robot program {connection.peer} connected')
        self._heard_at = self._now()
        self._connected.set()
        self._tell()

    def _arm(self) -> None:
        """Set the timer to the next deadline of any connection."""
        if self._timer is not None:
            self._timer.cancel()
        times = [time for session in self._sessions.values() if (time := session.deadline) is not None]
        self._timer = self._background.loop.call_at(min(times), self._check) if times else None

    def _check(self) -> None:
        now = self._now()
        for connection, session in list(self._sessions.items()):
            if connection is self._active:
                self._follow(connection, session.machine.tick(now))
            if session.silent(now):
                session.beats = False
                connection.reset(f'not heard for {self._options.deadlines.heartbeat:g} s')
        self._arm()

    async def _preflight(self) -> list[Check]:
        busy = (
            ''
            if self._active is None or not (late := self._sessions[self._active].machine.late)
            else (f'It has not finished trigger {late}. Wait for it, or recover the robot.')
        )
        peer = self._active.peer if self._active else ''
        return [
            Check('program', bool(peer), f'{peer} is connected' if peer else self._advice()),
            Check('last trigger', not busy, busy or 'it has ended'),
            *(Check(name, True, CANNOT_TELL) for name in ('remote control', 'safety', 'mode', 'gripper empty')),
        ]

    async def _recover(self, step: RecoveryStep) -> Answer:
        if self._running is not None:
            return Answer(ResultCode.ROBOT_BUSY, 'The robot is busy with a trigger. Wait for its end.')
        if self._unsure and self._active is not None:
            step('Asking the robot program for a fresh connection.', 1, RECOVERY_STEPS)
            self._connected.clear()
            self._active.reset('recovery asked for a fresh connection')
        if not self._connected.is_set():
            step('Waiting for the robot program to connect.', 2, RECOVERY_STEPS)
            try:
                await asyncio.wait_for(self._connected.wait(), self._options.reconnect)
            except asyncio.TimeoutError:
                return Answer(ResultCode.ROBOT_NOT_CONNECTED, f'The robot program did not connect. {BY_HAND}')
        step('Sending HOME.', RECOVERY_STEPS, RECOVERY_STEPS)
        running = _Running(Command(new_id(), 'HOME'), lambda _: None)
        self._send(running)
        outcome = await asyncio.wrap_future(running.future)
        return Answer(outcome.code, 'The robot is at home.' if outcome.phase is Phase.DONE else f'{outcome.message} {BY_HAND}')

    def _tell(self) -> None:
        """Renew the state and say that it changed."""
        peer = self._active.peer if self._active else ''
        playing = self._active is not None and self._dialect.numbered
        self._state = LinkState(
            connected=bool(peer),
            peer=peer,
            message=self._advice(),
            program_state=RobotState.PROGRAM_PLAYING if playing else RobotState.PROGRAM_UNKNOWN,
        )
        self._changed()

    def _say(self, throttle: Throttle, kind: str, text: str) -> None:
        more = throttle.admit(kind, self._now())
        if more is not None:
            self._log.warning(text + more)

    def _now(self) -> float:
        return self._background.loop.time()


def _outcome(command: Command, step: Step) -> Outcome:
    """Put the end of a trigger into words."""
    if step.phase is Phase.DONE:
        return Outcome(step.phase, ResultCode.OK, f'{command.event} done.')
    if step.phase is Phase.REFUSED:
        return Outcome(step.phase, ResultCode.ROBOT_REFUSED, f'The robot refused {command.event}: {step.reason}.')
    return Outcome(
        Phase.UNKNOWN,
        ResultCode.ROBOT_OUTCOME_UNKNOWN,
        f'It is unknown whether the robot did {command.event}: {step.reason}. Look where the piece is, then resolve the step.',
    )
