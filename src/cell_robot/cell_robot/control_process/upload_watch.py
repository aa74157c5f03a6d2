"""Watches who ends the control script while ur_rtde sends it again.

For a path ur_rtde ends its script with a command in a register, uploads it with the moves in it, and starts it, whether or not
the script still ran. An operator may have stopped it at the pendant a moment before, and would see the arm move. Each cycle of
the controller tells whether a program runs, and what is in the registers. A command that comes to a program that has ended
already did not end it; and a program that has ended before it was ready for the next command did not get one.

The watch has a connection of its own for the time of one upload. A controller that does not know the variables, or the rate, is
not watched.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import cast

from cell_robot.control_process.input_client import UPPER
from cell_robot.protocols.rtde.framing import RtdeError
from cell_robot.protocols.rtde.session import ReceiveSession
from cell_robot.robot_modes import RuntimeState

PORT = 30004
FREQUENCY_HZ = 500.0
"""Every cycle of the e-Series: the command stays in its register for some milliseconds only."""
STOP_SCRIPT = 255
"""Command of ur_rtde's control script: end."""
DONE = 2
"""State of the script that has executed a command and has not been asked for the next one."""
READY_S = 0.1
"""Maximum time for which the upload waits for the first data."""
TIMEOUT_S = 2.0
READ_SIZE = 65536


class StopJudge:
    """Decides from the packages of one upload who has ended the script. Pure."""

    def __init__(self) -> None:
        self._decided = self._ended = False

    def foreign(self, runtime: int, command: int, state: int) -> bool:
        """Take a package; return True once, when another client, or the pendant, has ended the script.

        Args:
            runtime: A value of RuntimeState.
            command: Content of the command register.
            state: Content of the register in which the script tells its state.
        """
        if self._decided:
            return False
        if command == STOP_SCRIPT:
            self._decided = True
            return self._ended
        stopped = runtime in (RuntimeState.STOPPING, RuntimeState.STOPPED)
        if self._ended and not stopped:  # the new script runs: the command was there between two packages
            self._decided = True
            return False
        self._ended = stopped
        # ur_rtde waits for a ready script, and sends nothing to this one.
        self._decided = self._ended and state == DONE
        return self._decided


class UploadWatch:
    """Context of one upload; receives in a thread of its own."""

    def __init__(self, address: str, on_foreign_end: Callable[[], None], *, upper: bool) -> None:
        """Begin to connect.

        Args:
            address: Host of the controller.
            on_foreign_end: Called in the thread of the watch, before the new script can run.
            upper: ur_rtde uses its upper range of registers.
        """
        self._address, self._on_foreign_end = address, on_foreign_end
        first = UPPER if upper else 0
        self._names = 'runtime_state', f'input_int_register_{first}', f'output_int_register_{first}'
        self._ready, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> UploadWatch:
        """Wait until data arrives, or until it is clear that none will."""
        self._ready.wait(READY_S)
        return self

    def __exit__(self, *_error: object) -> None:
        """End the watch; its thread ends with its next package."""
        self._closed.set()

    def _run(self) -> None:
        # Without a watch the upload goes on: the script has given its sign of life directly before.
        with contextlib.suppress(OSError, RtdeError):
            self._receive()
        self._ready.set()

    def _receive(self) -> None:
        """Feed packages to the judge until the upload has ended.

        Raises:
            OSError: The connection failed.
            RtdeError: The controller refuses variables or rate.
        """
        session, judge = ReceiveSession(FREQUENCY_HZ, ('timestamp', *self._names)), StopJudge()
        with socket.create_connection((self._address, PORT), TIMEOUT_S) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream.sendall(session.hello())
            while not self._closed.is_set() and (data := stream.recv(READ_SIZE)):
                received = session.feed(data)
                stream.sendall(received.send)
                for values in received.packages:
                    self._ready.set()
                    if judge.foreign(*(cast('int', values[name]) for name in self._names)):
                        self._on_foreign_end()
