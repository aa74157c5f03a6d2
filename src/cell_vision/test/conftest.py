"""Fixtures: a fake IP camera that can misbehave, drawn labels, the real engine."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from cell_common.testing import *

BOUNDARY = b'frame'


def label(*texts: str, size: tuple[int, int] = (1280, 720), scale: float = 2.2) -> np.ndarray:
    """Draw a label with lines of text."""
    image = np.full((size[1], size[0], 3), 210, np.uint8)
    for i, text in enumerate(texts):
        at = (size[0] // 4, size[1] // 2 + int(i * 45 * scale))
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (25, 25, 25), max(1, round(scale * 2.2)), cv2.LINE_AA)
    return image


def jpeg(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode('.jpg', image)[1])


class FakeCamera:
    """An IP camera: serves what `picture` holds as multipart JPEGs, and does what it is told to do wrong."""

    def __init__(self) -> None:
        self.picture = jpeg(label('EM1-2U1'))
        self.period = 0.02
        self.with_length = True
        self.refuse = 0
        self.faults: list[str] = []
        self.connections = 0
        self.requests: list[bytes] = []
        self._open = True
        camera = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                camera.connections += 1
                with contextlib.suppress(OSError):
                    camera.requests.append(self.request.recv(65536))
                    camera.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}/camera.mjpg'

    def serve(self, link: Any) -> None:
        if self.refuse:
            link.sendall(b'HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n' % self.refuse)
            return
        link.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=' + BOUNDARY + b'\r\n\r\n')
        while self._open:
            fault = self.faults.pop(0) if self.faults else ''
            if fault == 'drop':
                return
            if fault == 'stall':
                time.sleep(1.0)
            if fault == 'garbage':
                link.sendall(bytes(range(256)) * 40)
                continue
            body = self.picture[:len(self.picture) // 2] if fault == 'half' else self.picture
            length = b'Content-Length: %d\r\n' % len(self.picture) if self.with_length else b''
            link.sendall(b'--' + BOUNDARY + b'\r\nContent-Type: image/jpeg\r\n' + length + b'\r\n' + body + b'\r\n')
            time.sleep(self.period)

    def close(self) -> None:
        self._open = False
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope='session')
def fake_camera() -> type[FakeCamera]:
    return FakeCamera


@pytest.fixture
def ip_camera() -> Iterator[FakeCamera]:
    camera = FakeCamera()
    yield camera
    camera.close()


@pytest.fixture(scope='session')
def engine() -> Any:
    """The real engine, loaded once."""
    from cell_vision.engine import EngineOptions, make_engine

    return make_engine('rapidocr', EngineOptions())


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    return label


@pytest.fixture
def compress() -> Callable[[np.ndarray], bytes]:
    return jpeg
