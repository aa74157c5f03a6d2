"""Fixtures: a fake IP camera that can misbehave, drawn labels, the real engine."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from cell_common.testing import domain, graph, node_switch_interval

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
    """An IP camera: serves what `picture` holds as multipart JPEGs, and misbehaves on request."""

    def __init__(self, port: int = 0) -> None:
        self.picture = jpeg(label('EM1-2U1'))
        self.period = 0.02
        self.with_length = True
        self.refuse = 0
        self.challenge = ''
        """WWW-Authenticate header of the response to a request without authentication; "" = none is needed."""
        self.faults: list[str] = []
        self.connections = 0
        self.requests: list[bytes] = []
        self._closed = threading.Event()
        self._sent = threading.Condition()
        self._frames = 0
        camera = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                camera.connections += 1
                with contextlib.suppress(OSError):
                    request = self.request.recv(65536)
                    camera.requests.append(request)
                    if camera.challenge and b'Authorization' not in request:
                        refusal = f'HTTP/1.1 401 No\r\nWWW-Authenticate: {camera.challenge}\r\nContent-Length: 0\r\n'
                        self.request.sendall(f'{refusal}Connection: close\r\n\r\n'.encode())
                        return
                    camera.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(('127.0.0.1', port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}/camera.mjpg'

    def show(self, picture: bytes, frames: int = 1) -> None:
        """Put a picture before the camera, and wait until it was sent this many times."""
        with self._sent:
            self.picture = picture
            target = self._frames + frames + 1
            assert self._sent.wait_for(lambda: self._frames >= target, 10)

    def serve(self, link: Any) -> None:
        if self.refuse:
            link.sendall(b'HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n' % self.refuse)
            return
        link.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=' + BOUNDARY + b'\r\n\r\n')
        while not self._closed.is_set():
            fault = self.faults.pop(0) if self.faults else ''
            if fault == 'drop':
                return
            if fault == 'stall':
                self._closed.wait(1.0)
            if fault == 'garbage':
                link.sendall(bytes(range(256)) * 40)
                continue
            body = self.picture[: len(self.picture) // 2] if fault == 'half' else self.picture
            length = b'Content-Length: %d\r\n' % len(self.picture) if self.with_length else b''
            link.sendall(b'--' + BOUNDARY + b'\r\nContent-Type: image/jpeg\r\n' + length + b'\r\n' + body + b'\r\n')
            with self._sent:
                self._frames += 1
                self._sent.notify_all()
            self._closed.wait(self.period)

    def close(self) -> None:
        self._closed.set()
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
    from cell_vision.ocr.engines.base import EngineOptions
    from cell_vision.ocr.engines.registry import make_engine

    return make_engine('rapidocr', EngineOptions())


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    return label


@pytest.fixture
def compress() -> Callable[[np.ndarray], bytes]:
    return jpeg


def encoded(ending, image, *options):
    return bytes(cv2.imencode(ending, image, list(options))[1])


def gray():
    return cv2.cvtColor(label('EM1-2U1'), cv2.COLOR_BGR2GRAY)


PNG_HEAD = b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR'
HOSTILE = {
    'nothing': lambda: b'',
    'a text': lambda: b'GET / HTTP/1.1\r\n\r\n',
    'zeros': lambda: bytes(100_000),
    'a truncated JPEG head': lambda: encoded('.jpg', label('EM1-2U1'))[:300],
    'one pixel': lambda: encoded('.png', np.zeros((1, 1, 3), np.uint8)),
    'a line of pixels': lambda: encoded('.png', np.zeros((1, 4000, 3), np.uint8)),
    'a PNG of 0x0': lambda: PNG_HEAD + bytes(8) + b'\x08\x02\0\0\0' + bytes(4),
    'a JPEG of 0x0': lambda: encoded('.jpg', label('A', size=(64, 64))).replace(b'\0\x40\0\x40\x03', b'\0\0\0\0\x03'),
    'a PNG of 60000x60000': lambda: PNG_HEAD + b'\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0' + bytes(4),
}
"""What must be refused as BAD_IMAGE."""

UNUSUAL = {
    'half a JPEG': lambda: encoded('.jpg', label('EM1-2U1'))[:-2000],
    'gray': lambda: encoded('.jpg', gray()),
    'BGRA': lambda: encoded('.png', cv2.cvtColor(label('EM1-2U1'), cv2.COLOR_BGR2BGRA)),
    '16 bit': lambda: encoded('.png', label('EM1-2U1').astype(np.uint16) * 257),
    '16 bit gray': lambda: encoded('.tiff', gray().astype(np.uint16) * 257),
    '8k': lambda: encoded('.jpg', cv2.resize(label('EM1-2U1'), (7680, 4320))),
    'floats': lambda: encoded('.tiff', label('EM1-2U1').astype(np.float32)),
    'NaN': lambda: encoded('.tiff', np.full((240, 320, 3), np.nan, np.float32)),
    'infinity': lambda: encoded('.tiff', np.full((240, 320), np.inf, np.float32)),
    'black': lambda: encoded('.jpg', np.zeros((720, 1280, 3), np.uint8)),
    'noise': lambda: encoded('.png', np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)),
    'a long strip': lambda: encoded('.png', np.full((16, 6000, 3), 200, np.uint8)),
}
"""What may be read, or be refused with a reason; true text in it is read."""
READABLE = {'gray', 'BGRA', '16 bit', '8k'}


@pytest.fixture(params=HOSTILE)
def hostile_frame(request: pytest.FixtureRequest) -> bytes:
    """What is no frame."""
    return HOSTILE[request.param]()


class Unusual(NamedTuple):
    """A frame that few cameras give."""

    data: bytes
    text: str
    """What must be read in it, "" when it may be refused."""


@pytest.fixture(params=UNUSUAL)
def unusual_frame(request: pytest.FixtureRequest) -> Unusual:
    return Unusual(UNUSUAL[request.param](), 'EM1-2U1' if request.param in READABLE else '')
