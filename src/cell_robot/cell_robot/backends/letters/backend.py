"""Backend `letters`: TCP server, sessions and event letters combined.

Everything runs in one event loop thread. Timers are set for the next deadline; nothing polls.

The robot connects to the cell, because a UR program can open sockets and cannot accept them. Several peers may connect. The
active one is the newest that has proven to be a UR program by a valid reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from cell_common.background import AsyncioThread
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.log_limit import LogRateLimiter
from cell_common.timeouts import with_timeout

from cell_robot.backends.base import Backend, CommandResult, LinkState, Logger, PreflightCheck, ProgressCallback, completed
from cell_robot.backends.letters.options import LettersOptions, letters_options
from cell_robot.backends.letters.protocol import PROTOCOLS, LettersProtocol
from cell_robot.backends.letters.session import LettersSession, TriggerMachine, TriggerUpdate, outcome_of
from cell_robot.backends.letters.tcp_server import LettersServer, ProgramConnection
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase, not_sent
from cell_robot.parameters import RobotParameters
from cell_robot.recovery import hold_text
from cell_robot.robot_modes import ProgramState

MAX_UNPROVEN = 16
"""Maximum number of connections without a valid reply; the oldest one is closed for a new one."""
LOG_PERIOD_S = 60.0
"""Period of the log rate limits."""
MAX_CONNECT_LOGS = 20
"""Maximum number of log lines about connects and disconnects per period."""
RECOVERY_STEPS = 3
NOT_AVAILABLE = 'the letters backend cannot tell: look at the pendant'
NOT_CONNECTED = 'No robot program is connected. Start the program on the pendant.'
BY_HAND = 'On the pendant: clear the message, move the arm to a safe place by hand, then start the program again.'


@dataclass
class _ActiveTrigger:
    command: TriggerCommand
    progress: Callable[[TriggerPhase], None]
    future: Future[TriggerOutcome] = field(default_factory=Future)


class LettersBackend(Backend):
    """Accepts the connection of a UR program and sends it letters.

    It implements `tcp_server.ConnectionListener`: opened, received, closed, rejected and listening are its callbacks.
    """

    name = 'letters'
    reports_joints = False

    def __init__(self, options: LettersOptions, log: Logger) -> None:
        """Store the settings; `start` opens the port."""
        self._options = options
        self._logger = log
        self._protocol: LettersProtocol = PROTOCOLS[options.framing]
        self._sessions: dict[ProgramConnection, LettersSession] = {}
        self._active: ProgramConnection | None = None
        self._trigger: _ActiveTrigger | None = None
        self._last_outcome_unknown = False
        self._hold_reason = ''
        self._ended_at = float('-inf')
        """Time of the end of the last trigger, seconds of the loop's clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._listen_error = ''
        self._state = LinkState(message=NOT_CONNECTED)
        self._last_received_at: float | None = None
        self._rare = LogRateLimiter(1, LOG_PERIOD_S)
        self._frequent = LogRateLimiter(MAX_CONNECT_LOGS, LOG_PERIOD_S)
        self._connected = asyncio.Event()

    def start(self, on_change: Callable[[], None]) -> None:
        """Open the port."""
        self._on_change = on_change
        self._background = AsyncioThread('letters')
        options = self._options
        self._background.submit(LettersServer(options.address, options.port, options.allowed, self).run())

    def close(self) -> None:
        """Close the port and the connections."""
        self._on_change = lambda: None
        self._background.close()

    def disconnect(self, reason: str) -> None:
        """Reset the connection of the program, which then reconnects; from any thread. `reason` is for the log."""
        self._background.loop.call_soon_threadsafe(self._reset_active, reason)

    def state(self) -> LinkState:
        """Return the current state."""
        last, state = self._last_received_at, self._state
        return state if last is None else replace(state, data_age=max(0.0, self._now() - last))

    @property
    def connection_count(self) -> int:
        """Number of open connections, including peers that have not sent a valid reply."""
        return len(self._sessions)

    def trigger(self, command: TriggerCommand, progress: Callable[[TriggerPhase], None]) -> Future[TriggerOutcome]:
        """Send the event's letter; the future ends with UNKNOWN after a deadline, or when the connection is lost.

        Args:
            command: The trigger; framing `bare` carries neither its id nor its tray.
            progress: Called in the event loop's thread with SENT, and with ACKNOWLEDGED where the framing has it.
        """
        trigger = _ActiveTrigger(command, progress)
        self._background.loop.call_soon_threadsafe(self._start_trigger, trigger)
        return trigger.future

    def stop(self) -> Future[CommandResult]:
        """Report that letters cannot stop an arm."""
        return completed(
            ErrorCode.NOT_SUPPORTED,
            'The letters backend cannot stop the arm. Press stop on the pendant; in danger, the emergency stop.',
        )

    def recover(self, on_step: ProgressCallback) -> Future[CommandResult]:
        """Drop a trigger of unknown outcome, force a new connection if one was left open, and send HOME."""
        return self._background.submit(self._recover(on_step))

    def preflight(self) -> Future[list[PreflightCheck]]:
        """Check whether a program is connected and free; letters cannot tell more."""
        return self._background.submit(self._preflight())

    # The methods below run in the event loop's thread.

    def opened(self, connection: ProgramConnection) -> None:
        """Create a session; it becomes the active one once it proves to be a UR program."""
        options = self._options
        machine = TriggerMachine(
            options.deadlines, numbered=self._protocol.numbered, acknowledge_is_done=options.acknowledge_is_done
        )
        session = LettersSession(self._protocol, options.deadlines, self._now(), machine)
        # Port scanners and half-open connections must not keep the robot's program out, nor fill the memory.
        unproven = [peer for peer, known in self._sessions.items() if not known.proven and peer is not self._active]
        if len(unproven) >= MAX_UNPROVEN:  # deleted here: the loop reports the close in a later iteration
            del self._sessions[unproven[0]]
            self._on_silent_peer(unproven[0], 'too many connections')
            unproven[0].reset('too many connections')
        self._sessions[connection] = session
        if self._may_use_silent():
            self._replace_connection(connection)
        self._schedule_deadline()

    def received(self, connection: ProgramConnection, data: bytes) -> None:
        """Feed bytes to the session and apply the updates of its trigger; bytes of a removed connection are dropped.

        A valid record from another connection makes that one the active one: the program has reconnected.
        """
        session = self._sessions.get(connection)
        if session is None:
            return
        clean, late = not session.garbage, session.machine.late
        for update in session.feed(data, self._now()):
            if connection is not self._active:
                if session.machine.stray:  # an answer proves nothing: this connection was not asked
                    connection.reset(f'sent "{session.machine.stray}" without having been asked')
                    break
                self._replace_connection(connection)
            self._last_received_at = session.last_received_at
            if session.machine.stray:
                self._on_stray(connection, session.machine.stray)
            self._apply(connection, update)
        if clean and session.garbage:
            self._log(
                self._rare,
                'garbage',
                f'{connection.peer}: data is not of framing {self._options.framing}: '
                f'{session.garbage}; ignored. Check the program, and that parameter framing matches it.',
            )
        if late and not session.machine.late:
            self._logger.warning(f'the robot answered trigger {late} after its outcome was reported as unknown')
        self._schedule_deadline()

    def _may_use_silent(self) -> bool:
        """Return whether a silent connection may get letters: in the bare framing, where no other has proven itself."""
        return not self._protocol.numbered and (self._active is None or not self._sessions[self._active].proven)

    def _on_stray(self, connection: ProgramConnection, word: str) -> None:
        """Hold after an answer that nobody waited for: no later answer can be trusted."""
        if not self._hold_reason:
            self._hold_reason = f'the robot program sent an answer that nobody waited for ("{word}")'
            self._logger.warning(f'{connection.peer}: {self._hold_reason}; connection reset')
        connection.reset(self._hold_reason)
        self._notify()

    def closed(self, connection: ProgramConnection, reason: str) -> None:
        """Remove the session; an active trigger ends as unknown. `reason` is for log and operator."""
        session = self._sessions.pop(connection, None)
        if session is None:
            return
        if connection is self._active:
            self._active = None
            self._connected.clear()
            self._log(self._frequent, 'lost', f'robot program {connection.peer} lost: {reason}')
            self._apply(connection, session.machine.on_disconnect(f'the connection was lost ({reason})'))
            if self._sessions and not self._protocol.numbered:  # a program that was silent while the former one worked
                self._replace_connection(next(reversed(self._sessions)))
            self._notify()
        elif not session.proven:
            self._on_silent_peer(connection, reason)
        self._schedule_deadline()

    def rejected(self, address: str) -> None:
        """Log a peer outside the allow-list."""
        self._log(self._rare, 'rejected', f'connection from {address} rejected: if it is the robot, add it to allowed_peers')

    def listening(self, error: str) -> None:
        """Log and publish that the port is open, or the error."""
        if error and error != self._listen_error:
            self._logger.error(f'{error}. Trying again.')
        elif not error:
            self._logger.info(f'listening for the robot program on {self._options.address}:{self._options.port}')
        self._listen_error = error
        self._notify()

    def _reset_active(self, reason: str) -> None:
        if self._active is not None:
            self._active.reset(reason)

    def _on_silent_peer(self, connection: ProgramConnection, reason: str) -> None:
        self._log(self._rare, 'unproven', f'{connection.peer}: connected without ever sending a valid reply ({reason})')

    def _start_trigger(self, trigger: _ActiveTrigger) -> None:
        """Send a trigger, in the bare framing after the quiet time."""
        wait = self._ended_at + self._options.quiet - self._now()
        if wait > 0.0 and self._trigger is None and not self._protocol.numbered:
            self._background.loop.call_later(wait, self._start_trigger, trigger)
            return
        refusal = self._refusal(trigger.command)
        if refusal is None and not self._send(trigger):
            refusal = self._not_connected()
        if refusal is not None:
            trigger.future.set_result(refusal)

    def _refusal(self, command: TriggerCommand) -> TriggerOutcome | None:
        """Return why a trigger cannot be sent now, None when it can."""
        if command.event not in self._options.letters:
            return not_sent(
                ErrorCode.UNKNOWN_EVENT,
                f'No letter is known for {command.event}: add the part to the catalogue, or correct the event.',
            )
        if self._hold_reason:
            return not_sent(ErrorCode.ROBOT_STOPPED, f'Nothing was sent. {self._hold_message()}')
        if self._active is None:
            return self._not_connected()
        if late := self._sessions[self._active].machine.late:
            return not_sent(
                ErrorCode.ROBOT_BUSY, f'The robot has not finished trigger {late} yet. Wait for it, or recover the robot.'
            )
        if self._trigger is not None:
            return not_sent(ErrorCode.ROBOT_BUSY, 'The robot is busy with another trigger. Wait for its end.')
        return None

    def _send(self, trigger: _ActiveTrigger) -> bool:
        """Write a trigger; returns False when the connection is gone."""
        connection, command = self._active, trigger.command
        frame = self._protocol.encode(self._options.letters[command.event], command.trigger_id, command.tray)
        if connection is None or not connection.send(frame):
            return False
        self._trigger, self._last_outcome_unknown = trigger, False
        self._apply(connection, self._sessions[connection].machine.sent(command.trigger_id, self._now()))
        self._schedule_deadline()
        return True

    def _not_connected(self) -> TriggerOutcome:
        return not_sent(ErrorCode.ROBOT_NOT_CONNECTED, f'Nothing was sent. {self._disconnected_message() or NOT_CONNECTED}')

    def _disconnected_message(self) -> str:
        """Return fault and remedy, "" when connected."""
        if self._active is not None:
            return ''
        return f'{self._listen_error[0].upper()}{self._listen_error[1:]}.' if self._listen_error else NOT_CONNECTED

    def _hold_message(self) -> str:
        return hold_text(self._hold_reason, 'Look where the arm and the piece are.')

    def _apply(self, connection: ProgramConnection, update: TriggerUpdate | None) -> None:
        """Report an update of the active trigger, or end it; None = nothing has changed."""
        trigger = self._trigger
        if update is None or trigger is None:
            return
        if update.phase in (TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED):
            trigger.progress(update.phase)
            return
        self._trigger, self._ended_at = None, self._now()
        self._last_outcome_unknown = update.phase is TriggerPhase.UNKNOWN
        outcome = outcome_of(trigger.command, update)
        if update.reset:
            connection.reset(f'{trigger.command.event}: {update.reason}')
            self._background.loop.call_soon(trigger.future.set_result, outcome)  # after the connection is removed
        else:
            trigger.future.set_result(outcome)

    def _replace_connection(self, connection: ProgramConnection) -> None:
        """Make a connection the active one; the newest wins."""
        former, self._active = self._active, connection
        if former is not None:
            session = self._sessions.pop(former)
            self._log(self._frequent, 'replaced', f'robot program {former.peer} closed: {connection.peer} is newer')
            self._apply(former, session.machine.on_disconnect('the robot program reconnected'))
            former.reset('replaced by a newer connection')
        self._log(self._frequent, 'connected', f'robot program {connection.peer} connected')
        self._last_received_at = self._now()
        self._connected.set()
        self._notify()

    def _schedule_deadline(self) -> None:
        """Set the timer to the next deadline of any connection."""
        if self._timer is not None:
            self._timer.cancel()
        times = [time for session in self._sessions.values() if (time := session.deadline) is not None]
        self._timer = self._background.loop.call_at(min(times), self._on_deadline) if times else None

    def _on_deadline(self) -> None:
        now = self._now()
        for connection, session in list(self._sessions.items()):
            if connection is self._active:
                self._apply(connection, session.machine.on_timeout(now))
            if session.timed_out(now):
                session.beats = False
                connection.reset(f'no data for {self._options.deadlines.heartbeat:g} s')
        self._schedule_deadline()

    async def _preflight(self) -> list[PreflightCheck]:
        """Return the checks. Checks that need a controller pass, and say that they are not available."""
        late = self._sessions[self._active].machine.late if self._active is not None else ''
        busy = f'It has not finished trigger {late}. Wait for it, or recover the robot.' if late else ''
        peer = self._active.peer if self._active else ''
        return [
            PreflightCheck('program', bool(peer), f'{peer} is connected' if peer else self._disconnected_message()),
            PreflightCheck('last trigger', not busy, busy or 'it has ended'),
            PreflightCheck('robot stop', not self._hold_reason, self._hold_message() if self._hold_reason else 'none'),
            *(PreflightCheck(name, True, NOT_AVAILABLE) for name in ('remote control', 'safety', 'mode', 'gripper empty')),
        ]

    async def _recover(self, on_step: ProgressCallback) -> CommandResult:
        """Ask for a new connection if a letter may still be unread, wait for the program, and send HOME.

        A program that has reconnected has lost the letters of its former connection. So none of them can move the arm later.
        """
        if self._trigger is not None:
            return CommandResult(ErrorCode.ROBOT_BUSY, 'The robot is busy with a trigger. Wait for its end.')
        self._hold_reason = ''
        self._notify()
        # A letter that the program has not read yet would move the arm later, after the area was declared clear.
        if self._last_outcome_unknown and self._active is not None:
            on_step('Asking the robot program for a new connection.', 1, RECOVERY_STEPS)
            self._connected.clear()
            self._active.reset('recovery asked for a new connection')
        if not self._connected.is_set():
            on_step('Waiting for the robot program to connect.', 2, RECOVERY_STEPS)
            try:
                await with_timeout(self._connected.wait(), self._options.reconnect)
            except asyncio.TimeoutError:
                return CommandResult(ErrorCode.ROBOT_NOT_CONNECTED, f'The robot program did not connect. {BY_HAND}')
        on_step('Sending HOME.', RECOVERY_STEPS, RECOVERY_STEPS)
        trigger = _ActiveTrigger(TriggerCommand(new_id(), 'HOME'), lambda _: None)
        self._start_trigger(trigger)
        outcome = await asyncio.wrap_future(trigger.future)
        done = outcome.phase is TriggerPhase.DONE
        return CommandResult(outcome.code, 'The robot is at home.' if done else f'{outcome.message} {BY_HAND}')

    def _notify(self) -> None:
        """Rebuild the state and call `on_change`."""
        peer = self._active.peer if self._active else ''
        playing = self._active is not None and self._protocol.numbered
        self._state = LinkState(
            connected=bool(peer),
            peer=peer,
            message=self._hold_message() if self._hold_reason else self._disconnected_message(),
            blocked=bool(self._hold_reason),
            program_state=ProgramState.PLAYING if playing else ProgramState.UNKNOWN,
        )
        self._on_change()

    def _log(self, limiter: LogRateLimiter, kind: str, text: str) -> None:
        suffix = limiter.allow(kind, self._now())
        if suffix is not None:
            self._logger.warning(text + suffix)

    def _now(self) -> float:
        return self._background.loop.time()


def make_letters(parameters: RobotParameters, log: Logger) -> Backend:
    """Return the backend, not started.

    Raises:
        StartError: The catalogue, the letters or the allow-list are missing or wrong.
    """
    return LettersBackend(letters_options(parameters), log)
