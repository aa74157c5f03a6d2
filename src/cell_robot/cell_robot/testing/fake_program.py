"""UR program for tests: connects over a real socket and answers each letter by a plan of the test."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

HEARTBEAT_S = 0.1
CONNECT_TIMEOUT_S = 5.0
Plan = Callable[['FakeProgram', str], None]
"""Called with the trigger id ("" in framing bare) for each received letter."""


def finish(program: FakeProgram, trigger_id: str) -> None:
    """Acknowledge and finish."""
    program.reply('ACK', trigger_id)
    program.reply('DONE', trigger_id)


def acknowledge(program: FakeProgram, trigger_id: str) -> None:
    """Acknowledge and never finish."""
    program.reply('ACK', trigger_id)


def keep_silent(_program: FakeProgram, _trigger_id: str) -> None:
    """Send no answer."""


def refuse(program: FakeProgram, trigger_id: str) -> None:
    """Refuse with a reason."""
    program.reply('ERR', trigger_id, 'gripper empty')


def drop(program: FakeProgram, trigger_id: str) -> None:
    """Acknowledge, then close the connection."""
    program.reply('ACK', trigger_id)
    program.close()


class FakeProgram:
    """One connection of a UR program.

    It reads and beats in threads of its own. Plans run in the reading thread and may block it, as a program that moves does.

    Attributes:
        gone: Set when the node has closed the connection.
    """

    def __init__(
        self,
        port: int,
        plans: Sequence[Plan] = (),
        *,
        framing: str = 'line',
        otherwise: Plan = finish,
        source: str = '127.0.0.1',
        heartbeat: float = HEARTBEAT_S,
    ) -> None:
        """Connect.

        Args:
            port: Port of the robot node on loopback.
            plans: Plans of the first letters, in order.
            framing: `line` or `bare`.
            otherwise: Plan of all later letters.
            source: Loopback address to connect from.
            heartbeat: Seconds between heartbeats of framing `line`; 0 = none.
        """
        self.letters: list[str] = []
        """Received letters; the whole line in framing `line`."""
        self.gone = threading.Event()
        self._plans = deque(plans)
        self._otherwise = otherwise
        self._bare = framing == 'bare'
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._socket = _connect(port, source)
        self._threads = [threading.Thread(target=self._read, daemon=True)]
        if heartbeat and not self._bare:
            self._threads.append(threading.Thread(target=self._beat, args=(heartbeat,), daemon=True))
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> FakeProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(CONNECT_TIMEOUT_S)

    def reply(self, word: str, trigger_id: str = '', reason: str = '') -> None:
        """Send one line of the protocol, in this program's framing."""
        words = [word.lower(), reason] if self._bare else [word, trigger_id, reason]
        self.send(' '.join(filter(None, words)).encode() + b'\n')

    def send(self, data: bytes) -> None:
        """Send raw bytes; ignored when the connection is gone."""
        with contextlib.suppress(OSError), self._sending:
            self._socket.sendall(data)

    def close(self) -> None:
        """Close the connection with a FIN."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def abort(self) -> None:
        """Close the connection with a reset, like a controller that is power-cycled."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close()

    def _read(self) -> None:
        rest = b''
        with contextlib.suppress(OSError):
            while data := self._socket.recv(4096):
                rest = self._take(rest + data)
        self.gone.set()
        self._stop.set()

    def _take(self, data: bytes) -> bytes:
        if self._bare:
            for letter in data.decode('ascii'):
                self._handle(letter, '')
            return b''
        *lines, rest = data.split(b'\n')
        for line in lines:
            text = line.decode('ascii')
            self._handle(text, text.split(' ')[1])
        return rest

    def _handle(self, text: str, trigger_id: str) -> None:
        plan = self._plans.popleft() if self._plans else self._otherwise
        self.letters.append(text)
        plan(self, trigger_id)

    def _beat(self, period: float) -> None:
        while not self._stop.is_set():
            self.reply('HB')
            self._stop.wait(period)


def _connect(port: int, source: str) -> socket.socket:
    """Return a connection to the node; retry until its port is open."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            stream = socket.create_connection(('127.0.0.1', port), CONNECT_TIMEOUT_S, (source, 0))
            if stream.getsockname() == stream.getpeername():  # no listener: the kernel connected the socket to itself
                stream.close()
                raise ConnectionRefusedError
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            stream.settimeout(None)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return stream
