"""Control process: sole owner of ur_rtde's control and output clients. Started by `supervisor`.

python -m cell_robot.control_process.main <socket fd> <settings as JSON>

Outputs and registers are claimed before the control script is uploaded; if anything fails after that, the script is stopped.
While the arm stands, the script is asked for a sign of life once a second: a foreign program in its place does not answer.
Moves are asynchronous. For a path ur_rtde uploads its script again with the moves in it, whether or not the former one still
runs: an operator who has stopped it a moment before would see the arm move all the same. So the script is asked for a sign of
life first, and an end by anyone else is watched for (`upload_watch`). Until the new one runs, there is no script on the
robot, and the watchdog is set again right after the path has begun. The loop polls the progress of a move, accepts a stop at
any time, sends heartbeats and kicks the controller's watchdog, which ends the control script when this process has died or
hangs. The end of a move is taken from the operation number, because ur_rtde delivers results one call late.

Facts about ur_rtde 1.6.5 that shape this module: its control interface is not thread safe, a blocking move cannot be stopped
through the same interface, and a call may block for ever once its script is gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from rtde_control import Path, PathEntry, RTDEControlInterface

from cell_robot.control_process.codec import (
    ENDED,
    MAX_LINE,
    BlendedMove,
    ControlError,
    ControlFailed,
    ControlReady,
    ControlReport,
    ControlRequest,
    ControlSettings,
    Heartbeat,
    MoveJoints,
    MoveLine,
    MovePath,
    MoveStarted,
    RequestDone,
    ScriptAnswered,
    ScriptAsked,
    SetFreedrive,
    SetOutput,
    SetToolAndPayload,
    StopArm,
    TryPath,
    decode_request,
    decode_settings,
    encode_report,
)
from cell_robot.control_process.dashboard_relay import RelayProcess, is_misread
from cell_robot.control_process.input_client import OutputSwitch, taken_inputs
from cell_robot.control_process.upload_watch import UploadWatch
from cell_robot.protocols.rtde.framing import RtdeError, RtdeRefusedError

# Bounds the delay of a report; requests wake the loop at once.
CYCLE_S = 0.01
HEARTBEAT_S = 0.1
CONTROL_HZ = 125.0
"""Rate at which the controller reports the state of the script to ur_rtde."""
ASK_PERIOD_S = 1.0
"""Period of the sign of life of the control script, which delays a request by some milliseconds."""
START_TIMEOUT_S = 0.5
"""A move that the script has accepted appears as an operation within this time."""
UPLOAD_S = 5.0
PATH_START_S = 0.4
"""A path whose start is not seen in this time after ur_rtde has sent it has ended already."""
FREE_S, RETRY_S = 1.0, 0.1
"""Time for a controller to notice that the former owner of an input is gone."""
IN_USE = 'already in use'
"""Words of ur_rtde's error for an input of another client."""
MAX_POLL_S = 0.05
"""Maximum time counted per poll: a stalled process has not waited."""
# Time for the loop to stop the script in order; the watchdog stops the arm in any case.
FLUSH_S = 1.0
STOP_RAD_S2 = 4.0


T = TypeVar('T')


class ControlLoop:
    """Main loop of the control process; everything runs in one thread, and ur_rtde is called in this one only."""

    def __init__(self, stream: socket.socket, settings: ControlSettings) -> None:
        """Claim the inputs, then upload the control script: any running program is stopped, nothing moves.

        Raises:
            OSError: The controller does not answer.
            RtdeError: Another client owns an input.
            RuntimeError: The control script does not run.
        """
        self._stream, self._rest, self._settings = stream, b'', settings
        # Four times as often as needed: one late cycle must not end a job.
        self._kick_period_s = 1.0 / settings.watchdog / 4.0
        self._outputs = _when_free(lambda: OutputSwitch(settings.address, settings.outputs)) if settings.outputs else None
        # Asked before ur_rtde claims them: its constructor does not name the register that is taken.
        _when_free(lambda: _require_free_registers(settings))
        self._control, self._relay = _when_free(lambda: _connect(settings))
        try:
            if not self._watch():
                raise RuntimeError('the control script did not accept its watchdog')
        except BaseException:
            self._control.stopScript()
            raise
        self._setup: SetToolAndPayload | None = None
        self._freedrive = self._uploads = False
        self._moving: int | None = None
        self._operation = self._control.getAsyncOperationProgressEx().operationId()
        self._waited = self._polled_at = self._kicked_at = self._heartbeat_at = 0.0
        self._answered_at = time.monotonic()
        self._started = False

    def run(self) -> None:
        """Execute requests until the node has closed the socket or the script has ended."""
        self._report(ControlReady())
        while self._receive():
            now = time.monotonic()
            if self._moving is not None:
                self._poll(now)
            if now - self._kicked_at >= self._kick_period_s:
                self._kicked_at = now
                self._control.kickWatchdog()
            if now - self._heartbeat_at >= HEARTBEAT_S:
                self._heartbeat_at = now
                self._report(Heartbeat())
                if not self._control.isProgramRunning():
                    self._report(ControlFailed('the control script on the robot has ended'))
                    return
            # A tool that is set in freedrive could make it jump.
            if self._moving is None and not self._freedrive and now - self._answered_at >= ASK_PERIOD_S:
                self._ask_script()
        if self._freedrive:
            self._control.endTeachMode()
        self._control.stopJ(STOP_RAD_S2)
        self._control.stopScript()

    def _ask_script(self) -> bool:
        """Set the tool again: only the control script answers, and it keeps the tool from being changed unnoticed.

        Returns whether it has answered; a foreign program in its place lets this call hang, which ends the process.
        """
        answered = True
        if self._setup is not None:
            self._report(ScriptAsked())
            answered = bool(self._control.setTcp(list(self._setup.tcp)))
            self._report(ScriptAnswered())
        self._answered_at = time.monotonic()
        return answered

    def _receive(self) -> bool:
        """Wait one cycle for requests and execute them; returns False when the node has closed the socket."""
        if not select.select([self._stream], [], [], CYCLE_S)[0]:
            return True
        data = self._stream.recv(MAX_LINE)
        *lines, self._rest = (self._rest + data).split(b'\n')
        for line in lines:
            self._handle(*decode_request(line))
        return bool(data)

    def _handle(self, number: int, request: ControlRequest) -> None:
        """Execute one request; all but moves end here."""
        if isinstance(request, (MoveJoints, MoveLine, MovePath)):
            self._move(number, request)
        elif isinstance(request, StopArm):
            # Asynchronous: a blocking stop would keep the heartbeat waiting.
            self._control.stopJ(request.deceleration, True)
            self._move_ended('stopped')
            self._report(RequestDone(number, True, ''))
        else:
            accepted = self._execute(request)
            error = '' if accepted else f'{type(request).__name__} was not accepted'
            self._report(RequestDone(number, accepted, error))

    def _execute(self, request: SetToolAndPayload | TryPath | SetFreedrive | SetOutput) -> bool:
        """Execute a request that ends at once; returns whether it was accepted."""
        if isinstance(request, SetToolAndPayload):
            self._setup = request
            return self._set_up()
        if isinstance(request, TryPath):
            return self._try_path(request)
        if isinstance(request, SetFreedrive):
            self._freedrive = request.on
            return bool(self._control.teachMode() if request.on else self._control.endTeachMode())
        return self._outputs is not None and self._outputs.set_output(request.pin, request.on)

    def _try_path(self, request: TryPath) -> bool:
        """Execute a path that ends where the arm stands; a controller that cannot do that gets its script again.

        Raises:
            RuntimeError: The script does not run any more.
        """
        # Speeds of a move that is none; ur_rtde refuses zero.
        stay = BlendedMove(False, request.joints, 0.1, 0.1, 0.0)
        if self._send_path((stay,), wait=True):
            return self._watch() and self._set_up()
        self._control.reuploadScript()
        deadline = time.monotonic() + UPLOAD_S
        while not self._control.isProgramRunning():
            if time.monotonic() > deadline:
                raise RuntimeError('the control script does not run after it was sent again')
            time.sleep(CYCLE_S)
        if not (self._watch() and self._set_up()):
            raise RuntimeError('the control script did not accept its settings after it was sent again')
        return False

    def _send_path(self, entries: Sequence[BlendedMove], *, wait: bool) -> bool:
        """Upload the script with a path, and start it; returns whether it was accepted, and has ended if `wait`.

        Raises:
            RuntimeError: Another client, or the pendant, has ended the script, which must not be undone.
        """
        watch = UploadWatch(self._settings.address, self._give_up, upper=self._settings.upper)
        if not self._ask_script():
            raise RuntimeError(ENDED)
        with watch:
            return bool(self._control.movePath(_path_of(entries), not wait))

    def _give_up(self) -> None:
        """End the process before ur_rtde can start a path, from another thread; the node stops what is left on the robot."""
        self._report(ControlFailed(ENDED))
        os._exit(1)

    def _watch(self) -> bool:
        """From here on the controller ends the script when this process stops kicking, whatever the reason."""
        return bool(self._control.setWatchdog(self._settings.watchdog))

    def _move(self, number: int, request: MoveJoints | MoveLine | MovePath) -> None:
        """Send a move without waiting for its end; `_poll` reports start and end."""
        self._moving, self._waited, self._started = number, 0.0, False
        self._uploads = isinstance(request, MovePath)
        if isinstance(request, MovePath):
            accepted = self._send_path(request.entries, wait=False) and self._watch()
            self._polled_at = time.monotonic()
        elif isinstance(request, MoveJoints):
            accepted = self._control.moveJ(list(request.joints), request.speed, request.acceleration, True)
        else:
            accepted = self._control.moveL(list(request.pose), request.speed, request.acceleration, True)
        if not accepted:
            self._move_ended('the control script did not accept the move')

    def _poll(self, now: float) -> None:
        """Report the start and the end of the running move.

        The start is a new operation number; the end is that operation no longer running. A move that ends before the first
        poll is seen, too, because its number has changed.
        """
        status = self._control.getAsyncOperationProgressEx()
        self._waited, self._polled_at = self._waited + min(MAX_POLL_S, now - self._polled_at), now
        begun = status.operationId() != self._operation
        if self._uploads:
            # Operation numbers begin at 0 in a script that was uploaded again, so a short path may end with the number that the
            # path before had. The node looks where the arm is in any case.
            begun = status.isAsyncOperationRunning() or (begun and status.operationId() > 0) or self._waited > PATH_START_S
        if not self._started and begun:
            self._started, self._operation = True, status.operationId()
            self._report(MoveStarted(self._moving or 0))
        if self._started and not status.isAsyncOperationRunning():
            self._move_ended('')
        elif not self._started and self._waited > START_TIMEOUT_S:
            self._move_ended('the move did not begin')

    def _move_ended(self, error: str) -> None:
        """Report the end of the running move, with an error or ""."""
        if self._moving is not None:
            self._report(RequestDone(self._moving, not error, error))
            self._operation = self._control.getAsyncOperationProgressEx().operationId()
        self._moving = None

    def _set_up(self) -> bool:
        """Set tool and payload as they were requested last; returns whether they were accepted."""
        if (setup := self._setup) is None:
            return True
        tool, center = list(setup.tcp), list(setup.center_of_gravity)
        return bool(self._control.setTcp(tool) and self._control.setPayload(setup.payload, center))

    def _report(self, report: ControlReport) -> None:
        self._stream.sendall(encode_report(report))


def _path_of(moves: Sequence[BlendedMove]) -> Path:
    """Return ur_rtde's form of a path."""
    path = Path()
    for move in moves:
        kind = PathEntry.MoveL if move.line else PathEntry.MoveJ
        position = PathEntry.PositionTcpPose if move.line else PathEntry.PositionJoints
        path.addEntry(PathEntry(kind, position, [*move.end, move.speed, move.acceleration, move.blend]))
    return path


def _when_free(claim: Callable[[], T]) -> T:
    """Return the result of a claim; one that is refused is repeated for a moment.

    A controller frees the inputs of a closed connection when it notices its end: the owner may have been the control process
    before this one, or the question of the pre-flight.

    Raises:
        RtdeError: Another client owns an input.
        RuntimeError: The same, from ur_rtde; or its script does not run.
    """
    deadline = time.monotonic() + FREE_S
    while True:
        try:
            return claim()
        except (RtdeRefusedError, RuntimeError) as error:
            taken = isinstance(error, RtdeRefusedError) or IN_USE in str(error).lower()
            if not taken or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)


def _require_free_registers(settings: ControlSettings) -> None:
    if message := taken_inputs(settings.address, (), upper=settings.upper):
        raise RtdeRefusedError(message)


def _connect(settings: ControlSettings) -> tuple[RTDEControlInterface, RelayProcess | None]:
    """Connect and upload the script; through a relay if ur_rtde does not understand the dashboard.

    Raises:
        RuntimeError: The control script does not run.
    """
    try:
        return RTDEControlInterface(settings.address, CONTROL_HZ, _flags(settings)), None
    except RuntimeError as error:
        if not is_misread(str(error)):
            raise
    relay = RelayProcess(settings.address)
    return RTDEControlInterface(relay.address, CONTROL_HZ, _flags(settings)), relay


def _flags(settings: ControlSettings) -> int:
    kind = RTDEControlInterface  # the node itself asks for remote control before each start
    flags = kind.FLAG_UPLOAD_SCRIPT | kind.FLAG_NO_EXT_FT | kind.FLAG_DISABLE_REMOTE_CONTROL_CHECK
    return int(flags | kind.FLAG_UPPER_RANGE_REGISTERS if settings.upper else flags)


def exit_with_parent(stream: socket.socket) -> None:
    """End the process when the node has gone, even if the loop hangs; the watchdog then stops the arm.

    Args:
        stream: Socket to the node; its hang-up shows the node's end, also after SIGKILL.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(stream, select.POLLHUP | select.POLLRDHUP)
        poll.poll()
        # Time for the loop to see the closed socket itself and to stop the script in order.
        time.sleep(FLUSH_S)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> None:
    """Run until the node has gone. Never returns, because ur_rtde's threads may hang at interpreter exit.

    Args:
        arguments: File descriptor of the socket, and the settings as JSON.
    """
    stream = socket.socket(fileno=int(arguments[0]))
    exit_with_parent(stream)
    try:
        ControlLoop(stream, decode_settings(arguments[1])).run()
    except (OSError, RtdeError, RuntimeError, ValueError, ControlError) as error:
        with contextlib.suppress(OSError):  # the node has gone
            stream.sendall(encode_report(ControlFailed(str(error).splitlines()[0] if str(error) else repr(error))))
    finally:
        os._exit(0)


if __name__ == '__main__':
    main(sys.argv[1:])
