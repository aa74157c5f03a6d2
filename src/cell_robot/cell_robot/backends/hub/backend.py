"""Backend `hub`: sends the letters of events to a hub of the replaced OCR system and takes its acknowledgements.

Everything runs in one event loop thread. The rules of `acknowledgements` decide which trigger an acknowledgement ends.

The hub stands between cell and robot: `connected` means the hub, and nothing here can tell whether the robot runs.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import socketio
from cell_common.background import AsyncioThread
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.log_limit import LogRateLimiter
from cell_common.runner import StartError
from cell_common.timeouts import with_timeout

from cell_robot.backends.base import Backend, CommandResult, LinkState, Logger, PreflightCheck, ProgressCallback, completed
from cell_robot.backends.hub.acknowledgements import HOME, AckKind, AckReport, AckRules
from cell_robot.backends.hub.protocol import SEND_TRIGGER, acknowledged_event, trigger_payload
from cell_robot.backends.hub.transport import HubTransport
from cell_robot.backends.letters.options import configured_letters
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase, not_sent
from cell_robot.parameters import RobotParameters

# A program that floods acknowledgements would otherwise write a line for each.
LOG_PERIOD_S = 60.0
MAX_SHOWN = 80
"""Characters of an invalid payload that are logged."""
NOT_AVAILABLE = 'a hub cannot tell: look at the pendant'
BUSY = 'The robot is busy with another trigger. Wait for its end.'
BY_HAND = 'On the pendant: clear the message, move the arm to a safe place by hand, then start the program again.'
HUB_ADVICE = 'Start the hub; check hub_url, and that a Socket.IO server (Engine.IO 3 or 4) listens there.'


@dataclass(frozen=True)
class HubOptions:
    """Settings of the hub backend."""

    url: str
    ack_timeout: float
    """Seconds from a trigger to its acknowledgement."""
    letters: Mapping[str, str]
    """Event -> letter."""
    reconnect: float = 10.0
    """Seconds that a recovery waits for the hub."""


@dataclass
class _ActiveTrigger:
    command: TriggerCommand
    progress: Callable[[TriggerPhase], None]
    future: Future[TriggerOutcome] = field(default_factory=Future)
    recovering: bool = False


class HubBackend(Backend):
    """Client of a hub, which passes letters to the robot's program.

    It implements `transport.HubListener`: the methods without an underscore after `preflight` are its callbacks.
    """

    name = 'hub'
    reports_joints = False
    disconnected_advice = HUB_ADVICE

    def __init__(self, options: HubOptions, log: Logger) -> None:
        """Store the settings; `start` connects."""
        self._options = options
        self._logger = log
        self._rules = AckRules(options.ack_timeout)
        self._transport = HubTransport(options.url, self)
        self._trigger: _ActiveTrigger | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_received_at: float | None = None
        self._state = LinkState(message=f'The hub {options.url} is not connected. {HUB_ADVICE}')
        self._rare = LogRateLimiter(1, LOG_PERIOD_S)
        self._connected = asyncio.Event()

    def start(self, on_change: Callable[[], None]) -> None:
        """Start to connect to the hub."""
        self._on_change = on_change
        self._background = AsyncioThread('hub')
        self._background.submit(self._transport.run())

    def close(self) -> None:
        """Close the connection."""
        self._on_change = lambda: None
        self._background.close()

    def state(self) -> LinkState:
        """Return the current state; connected means that the hub is, since a hub does not report the robot."""
        last, state = self._last_received_at, self._state
        return state if last is None else replace(state, data_age=max(0.0, self._now() - last))

    def trigger(self, command: TriggerCommand, progress: Callable[[TriggerPhase], None]) -> Future[TriggerOutcome]:
        """Send the event's letter.

        Args:
            command: The trigger; the hub's protocol carries neither its id nor its tray.
            progress: Called in the event loop's thread with SENT and ACKNOWLEDGED.

        Returns:
            A future that always ends with an outcome: with UNKNOWN after `hub_ack_timeout`, or when the connection is lost.
        """
        trigger = _ActiveTrigger(command, progress)
        self._background.loop.call_soon_threadsafe(self._start_trigger, trigger)
        return trigger.future

    def stop(self) -> Future[CommandResult]:
        """Report that a hub cannot stop an arm."""
        return completed(
            ErrorCode.NOT_SUPPORTED,
            'A hub cannot stop the arm. Press stop on the pendant; in danger, the emergency stop.',
        )

    def recover(self, on_step: ProgressCallback) -> Future[CommandResult]:
        """Wait for the hub, send HOME, and forget the acknowledgements that are missing."""
        return self._background.submit(self._recover(on_step))

    def preflight(self) -> Future[list[PreflightCheck]]:
        """Check whether the hub is connected and every trigger was acknowledged; a hub cannot tell more."""
        return self._background.submit(self._preflight())

    # The methods below run in the event loop's thread.

    def connected(self) -> None:
        """Publish that the hub is connected."""
        self._logger.info(f'hub {self._options.url} connected')
        self._last_received_at = self._now()
        self._connected.set()
        self._notify('')

    def disconnected(self, reason: str) -> None:
        """End an active trigger as unknown."""
        self._logger.warning(f'hub {self._options.url} lost: {reason}')
        self._connected.clear()
        self._end_unknown(self._rules.on_disconnect(reason))
        self._notify(reason)

    def unreachable(self, reason: str) -> None:
        """Log and publish why the hub is not connected."""
        self._log(f'unreachable: {reason}', f'hub {self._options.url} is not connected ({reason}); trying again. {HUB_ADVICE}')
        self._notify(reason)

    def acknowledged(self, payload: object) -> None:
        """Attribute an acknowledgement, and end the trigger that it belongs to.

        Args:
            payload: As received; one that is not `{event}` is logged and ignored.
        """
        self._last_received_at = self._now()
        event = acknowledged_event(payload)
        if event is None:
            self._log('invalid', f'hub: ack ignored, it is not {{event}}: {repr(payload)[:MAX_SHOWN]}')
            return
        report = self._rules.acknowledge(event, self._now())
        self._log_report(event, report)
        if report.kind is AckKind.DONE:
            self._end_done()
        self._notify('')

    def _log_report(self, event: str, report: AckReport) -> None:
        """Log what an acknowledgement was taken for; repeated and foreign ones are limited in rate."""
        if report.kind is AckKind.DONE:
            self._logger.info(f'trigger {report.trigger_id}: the hub acknowledged {event} after {report.seconds:.2f} s')
        elif report.kind is AckKind.LATE:
            self._logger.warning(
                f'trigger {report.trigger_id}: the hub acknowledged {event} after {report.seconds:.2f} s; '
                'its outcome was reported as unknown'
            )
        elif report.kind is AckKind.DUPLICATE:
            self._log('duplicate', f'trigger {report.trigger_id}: the hub acknowledged {event} again; ignored')
        else:
            self._log('foreign', f'hub: ack of {event} belongs to no trigger. {self._rules.blocked}')

    def _start_trigger(self, trigger: _ActiveTrigger) -> None:
        """Refuse a trigger, or send it in a task of its own."""
        refusal = self._refusal(trigger)
        if refusal is not None:
            trigger.future.set_result(refusal)
            return
        self._trigger = trigger
        task = self._background.loop.create_task(self._send(trigger))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refusal(self, trigger: _ActiveTrigger) -> TriggerOutcome | None:
        """Return why a trigger cannot be sent now, None when it can."""
        event = trigger.command.event
        if event not in self._options.letters:
            return not_sent(
                ErrorCode.UNKNOWN_EVENT, f'No letter is known for {event}: add the part to the catalogue, or correct the event.'
            )
        if self._trigger is not None:
            return not_sent(ErrorCode.ROBOT_BUSY, BUSY)
        if self._rules.blocked and not trigger.recovering:
            return not_sent(ErrorCode.ROBOT_BUSY, self._rules.blocked)
        if not self._transport.connected:
            return self._not_connected()
        return None

    async def _send(self, trigger: _ActiveTrigger) -> None:
        """Send a trigger once a repeated acknowledgement of its event can no longer arrive.

        Everything that was checked before the wait is checked again after it.
        """
        command = trigger.command
        while (wait := self._rules.wait_before(command.event, self._now())) > 0:
            await asyncio.sleep(wait)
        if not self._transport.connected:
            self._end(self._not_connected())
            return
        # A recovery sends HOME although triggers are missing: its acknowledgement is what ends the block.
        if self._rules.blocked and not trigger.recovering:
            self._end(not_sent(ErrorCode.ROBOT_BUSY, self._rules.blocked))
            return
        letter = self._options.letters[command.event]
        # Before the bytes are written: an error while writing leaves it open whether the hub got them.
        self._rules.sent(command.trigger_id, command.event, self._now())
        self._schedule_deadline()
        self._logger.info(f'trigger {command.trigger_id}: letter {letter} sent to the hub for {command.event}')
        trigger.progress(TriggerPhase.SENT)
        try:
            await self._transport.emit(SEND_TRIGGER, trigger_payload(command, letter))
        except socketio.exceptions.SocketIOError as error:
            if self._trigger is trigger:
                self._end_unknown(self._rules.on_disconnect(str(error)))

    def _end_done(self) -> None:
        trigger = self._trigger
        assert trigger is not None
        trigger.progress(TriggerPhase.ACKNOWLEDGED)
        self._end(TriggerOutcome(TriggerPhase.DONE, ErrorCode.OK, f'{trigger.command.event} done.'))

    def _end_unknown(self, reason: str | None) -> None:
        """End the open trigger as unknown for a reason; None = it stays open."""
        if reason is None or self._trigger is None:
            return
        event = self._trigger.command.event
        self._end(
            TriggerOutcome(
                TriggerPhase.UNKNOWN,
                ErrorCode.ROBOT_OUTCOME_UNKNOWN,
                f'It is unknown whether the robot did {event}: {reason}. Look where the piece is, then answer at the job.',
            )
        )

    def _end(self, outcome: TriggerOutcome) -> None:
        trigger, self._trigger = self._trigger, None
        self._schedule_deadline()
        self._notify('')
        if trigger is not None:
            trigger.future.set_result(outcome)

    def _schedule_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._rules.deadline
        self._timer = None if deadline is None else self._background.loop.call_at(deadline, self._on_deadline)

    def _on_deadline(self) -> None:
        self._end_unknown(self._rules.on_timeout(self._now()))
        self._schedule_deadline()

    async def _preflight(self) -> list[PreflightCheck]:
        """Check connection and open acknowledgements; the other lines say that a hub cannot tell."""
        connected, blocked = self._transport.connected, self._rules.blocked
        link = f'{self._options.url} is connected' if connected else self._state.message
        return [
            PreflightCheck('hub', connected, link),
            PreflightCheck('last trigger', not blocked, blocked or 'it has ended'),
            *(
                PreflightCheck(name, True, NOT_AVAILABLE)
                for name in ('program', 'remote control', 'safety', 'mode', 'gripper empty')
            ),
        ]

    async def _recover(self, on_step: ProgressCallback) -> CommandResult:
        """Wait for the hub, send HOME, and unblock when it is acknowledged.

        The robot's program acknowledges in the order of its letters. An acknowledged HOME shows that no earlier letter is
        still being executed.
        """
        if self._trigger is not None:
            return CommandResult(ErrorCode.ROBOT_BUSY, BUSY)
        if not self._connected.is_set():
            on_step('Waiting for the hub.', 1, 2)
            try:
                # The hub may be restarting together with the robot's program.
                await with_timeout(self._connected.wait(), self._options.reconnect)
            except asyncio.TimeoutError:
                return CommandResult(ErrorCode.ROBOT_NOT_CONNECTED, self._state.message)
        on_step('Sending HOME.', 2, 2)
        trigger = _ActiveTrigger(TriggerCommand(new_id(), HOME), lambda _: None, recovering=True)
        self._start_trigger(trigger)
        outcome = await asyncio.wrap_future(trigger.future)
        if outcome.phase is not TriggerPhase.DONE and not self._rules.is_home():
            return CommandResult(outcome.code, f'{outcome.message} {BY_HAND}')
        self._rules.recovered()
        self._notify('')
        return CommandResult(ErrorCode.OK, 'The robot is at home.')

    def _not_connected(self) -> TriggerOutcome:
        return not_sent(ErrorCode.ROBOT_NOT_CONNECTED, f'Nothing was sent. {self._state.message or HUB_ADVICE}')

    def _notify(self, fault: str) -> None:
        """Rebuild the state and call `on_change`; `fault` says why the hub is not connected."""
        connected, blocked = self._transport.connected, self._rules.blocked
        message = blocked
        if not connected:
            message = f'The hub {self._options.url} is not connected ({fault or "closed"}). {HUB_ADVICE}'
        self._state = LinkState(
            connected=connected, peer=self._options.url if connected else '', message=message, blocked=bool(blocked)
        )
        self._on_change()

    def _log(self, kind: str, text: str) -> None:
        # A hub of another program may acknowledge many times a second.
        suffix = self._rare.allow(kind, self._now())
        if suffix is not None:
            self._logger.warning(text + suffix)

    def _now(self) -> float:
        return self._background.loop.time()


def make_hub(parameters: RobotParameters, log: Logger) -> Backend:
    """Return the backend, not started.

    Args:
        parameters: Of the robot node.
        log: Logger for any thread.

    Raises:
        StartError: The catalogue, the letters or the address of the hub are missing or wrong.
    """
    options = HubOptions(
        url=check_url(parameters.hub_url),
        ack_timeout=parameters.hub_ack_timeout,
        letters=configured_letters(parameters),
        reconnect=parameters.reconnect_timeout,
    )
    return HubBackend(options, log)


def check_url(url: str) -> str:
    """Return the address of a hub.

    Raises:
        StartError: It is not an address such as http://127.0.0.1:5002, or it carries a password, which logs would show.
    """
    remedy = f'parameter hub_url is "{url}"; write an address such as http://127.0.0.1:5002'
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ('http', 'https') and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise StartError(f'{remedy} ({error})') from error
    # robot/state and the log show the address to every operator.
    if parts.password:
        raise StartError('parameter hub_url carries a password; logs would show it. Leave it out.')
    if not usable or parts.path not in ('', '/') or parts.query or parts.fragment:
        raise StartError(remedy)
    return url.rstrip('/')
