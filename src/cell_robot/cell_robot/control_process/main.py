"""The control process: the one owner of ur_rtde's control and output clients. Started by `transport`.

python -m cell_robot.control_process.main <socket fd> <robot address> <watchdog frequency, Hz>

Moves are asynchronous: the loop looks at their progress, takes a stop at any time, tells that it is alive and kicks the
controller's watchdog, which ends the control script when this process has died or hangs. A move that ended says so by the
operation's number; nothing is taken from results that ur_rtde delivers one call late.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time

from rtde_control import RTDEControlInterface
from rtde_io import RTDEIOInterface

from cell_robot.control_process.codec import (
    MAX_LINE,
    Beat,
    Begun,
    ControlError,
    Done,
    Failed,
    MoveJoints,
    MoveLine,
    Ready,
    Report,
    Request,
    SetOutput,
    Setup,
    Stop,
    decode_request,
    encode_report,
)

CYCLE_S = 0.01
BEAT_S = 0.1
CONTROL_HZ = 125.0
"""How often the controller tells ur_rtde what its script is doing."""
BEGIN_S = 0.5
"""A move that the script has taken shows up as an operation within this time."""
LOOK_S = 0.05
"""No look at it counts for more: a process that was held up has not waited."""
LAST_WORDS_S = 1.0
STOP_RAD_S2 = 4.0


class Process:
    """The loop of the control process."""

    def __init__(self, stream: socket.socket, address: str, watchdog: float) -> None:
        """Connect to the robot and upload the control script: whatever program runs there is stopped, nothing moves."""
        self._stream, self._rest = stream, b''
        self._kick_every = 1.0 / watchdog / 4.0
        self._control = RTDEControlInterface(address, CONTROL_HZ)
        self._io = RTDEIOInterface(address)
        self._control.setWatchdog(watchdog)
        self._moving: int | None = None
        self._operation = self._control.getAsyncOperationProgressEx().operationId()
        self._waited = self._looked_at = self._kicked_at = self._beaten_at = 0.0
        self._begun = False

    def run(self) -> None:
        """Obey until the node has gone, or until the script has ended."""
        self._say(Ready())
        while self._listen():
            now = time.monotonic()
            if self._moving is not None:
                self._look(now)
            if now - self._kicked_at >= self._kick_every:
                self._kicked_at = now
                self._control.kickWatchdog()
            if now - self._beaten_at >= BEAT_S:
                self._beaten_at = now
                self._say(Beat())
                if not self._control.isProgramRunning():
                    self._say(Failed('the control script on the robot has ended'))
                    return
        self._control.stopJ(STOP_RAD_S2)
        self._control.stopScript()

    def _listen(self) -> bool:
        """Wait a cycle for requests and carry them out; return False when the node has gone."""
        if not select.select([self._stream], [], [], CYCLE_S)[0]:
            return True
        data = self._stream.recv(MAX_LINE)
        *lines, self._rest = (self._rest + data).split(b'\n')
        for line in lines:
            self._obey(*decode_request(line))
        return bool(data)

    def _obey(self, number: int, request: Request) -> None:
        if isinstance(request, (MoveJoints, MoveLine)):
            self._move(number, request)
        elif isinstance(request, Stop):
            self._control.stopJ(request.deceleration, True)
            self._ended('stopped')
            self._say(Done(number, True, ''))
        else:
            good = self._set_up(request) if isinstance(request, Setup) else self._switch(request)
            self._say(Done(number, good, '' if good else f'{type(request).__name__} was not taken'))

    def _move(self, number: int, request: MoveJoints | MoveLine) -> None:
        self._moving, self._waited, self._begun = number, 0.0, False
        if isinstance(request, MoveJoints):
            taken = self._control.moveJ(list(request.joints), request.speed, request.acceleration, True)
        else:
            taken = self._control.moveL(list(request.pose), request.speed, request.acceleration, True)
        if not taken:
            self._ended('the control script did not take the move')

    def _look(self, now: float) -> None:
        status = self._control.getAsyncOperationProgressEx()
        self._waited, self._looked_at = self._waited + min(LOOK_S, now - self._looked_at), now
        if not self._begun and status.operationId() != self._operation:
            self._begun, self._operation = True, status.operationId()
            self._say(Begun(self._moving or 0))
        if self._begun and not status.isAsyncOperationRunning():
            self._ended('')
        elif not self._begun and self._waited > BEGIN_S:
            self._ended('the move did not begin')

    def _ended(self, why: str) -> None:
        if self._moving is not None:
            self._say(Done(self._moving, not why, why))
            self._operation = self._control.getAsyncOperationProgressEx().operationId()
        self._moving = None

    def _set_up(self, setup: Setup) -> bool:
        return bool(
            self._control.setTcp(list(setup.tcp)) and self._control.setPayload(setup.payload, list(setup.center_of_gravity))
        )

    def _switch(self, request: SetOutput) -> bool:
        pin = request.pin
        if pin < 8:
            return bool(self._io.setStandardDigitalOut(pin, request.on))
        if pin < 16:
            return bool(self._io.setConfigurableDigitalOut(pin - 8, request.on))
        return bool(self._io.setToolDigitalOut(pin - 16, request.on))

    def _say(self, report: Report) -> None:
        self._stream.sendall(encode_report(report))


def leave_with_the_node(stream: socket.socket) -> None:
    """End the process when the node has gone, whatever the loop is stuck in; the watchdog then stops the arm."""

    def wait() -> None:
        poll = select.poll()
        poll.register(stream, select.POLLHUP | select.POLLRDHUP)
        poll.poll()
        time.sleep(LAST_WORDS_S)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> None:
    """Run until the node has gone; never returns normally, for the clients' threads may hang at an orderly end."""
    stream = socket.socket(fileno=int(arguments[0]))
    leave_with_the_node(stream)
    try:
        Process(stream, arguments[1], float(arguments[2])).run()
    except OSError:
        pass  # the node has gone
    except (RuntimeError, ValueError, ControlError) as problem:
        stream.sendall(encode_report(Failed(str(problem).splitlines()[0] if str(problem) else repr(problem))))
    finally:
        os._exit(0)


if __name__ == '__main__':
    main(sys.argv[1:])
