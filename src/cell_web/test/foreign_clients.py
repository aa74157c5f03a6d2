"""Socket.IO clients that are not the project's, each as a process of its own; `make setup-tests` installs them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from cell_common.testing import SOCKETIO_CLIENTS, wait_until
from cell_web.socketio_gateway.events import BACKEND_EVENTS

__all__ = ['CLIENTS', 'ForeignClient']

HERE = Path(__file__).parent / 'clients'
EVENTS = (*BACKEND_EVENTS, 'ack')
STOP_S = 10.0


PYTHON = [sys.executable, str(HERE / 'client.py')]
NODE = ['node', str(HERE / 'client.cjs')]
CLIENTS: dict[str, tuple[list[str], Path | None]] = {
    'python-socketio 5': (PYTHON, None),
    'python-socketio 4': (PYTHON, SOCKETIO_CLIENTS / 'python'),
    'socket.io-client 4': ([*NODE, str(SOCKETIO_CLIENTS / 'node_modules' / 'socket.io-client-4')], None),
    'socket.io-client 2': ([*NODE, str(SOCKETIO_CLIENTS / 'node_modules' / 'socket.io-client-2')], None),
}
"""Name -> its command, and the folder that Python searches first."""


class ForeignClient:
    """One client; keeps what it receives. A context manager that ends its process."""

    def __init__(self, kind: str, port: int, transports: str = 'polling,websocket') -> None:
        """Connect to a port of this machine; `kind` is a key of `CLIENTS`."""
        assert SOCKETIO_CLIENTS.is_dir(), f'{SOCKETIO_CLIENTS} is missing: run `make setup-tests`'
        command, first = CLIENTS[kind]
        paths = [str(first), os.environ.get('PYTHONPATH', '')] if first else [os.environ.get('PYTHONPATH', '')]
        self._kind = kind
        self.received: list[tuple[str, Any]] = []
        self._process = subprocess.Popen(
            [*command, f'http://127.0.0.1:{port}', transports, *EVENTS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> ForeignClient:
        self.wait('connect')
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(STOP_S)
            self._process.stdout.close()

    def send(self, event: str, *payload: Any) -> None:
        """Send an event; without a payload it has none, which differs from null."""
        self.send_all([[event, *payload]])

    def send_all(self, events: list[list[Any]]) -> None:
        """Send events one right after the other."""
        assert self._process.stdin
        self._process.stdin.write(''.join(json.dumps(event) + '\n' for event in events))
        self._process.stdin.flush()

    def all(self, event: str) -> list[Any]:
        """Return the payloads of an event that have arrived."""
        return [payload for name, payload in list(self.received) if name == event]

    def wait(self, event: str, count: int = 1, timeout: float = 15.0) -> Any:
        """Return the `count`-th payload of an event once it has arrived."""
        seen = lambda: [name for name, _ in self.received if name != 'video_frame'][-8:]  # noqa: E731
        wait_until(lambda: len(self.all(event)) >= count, timeout, f'{self._kind}: {count} x {event}; received: {seen()}')
        return self.all(event)[count - 1]

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            event, payload = json.loads(line)
            self.received.append((event, payload))
