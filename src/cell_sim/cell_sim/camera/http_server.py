"""Network camera: JPEG frames over HTTP, as a stream (`/camera.mjpg`, multipart/x-mixed-replace) or one (`/snapshot.jpg`).

Frames are produced only while a client is connected. One producer serves all clients with the
newest frame: a slow client skips frames, never receives old ones, and never delays the others.

The faults are those of real network cameras. `lag`, `repeat`, `ring`, `loop` and `restart` all send
frames that are not live, which is what the OCR node must notice before it judges a part by them.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from cell_common.timeouts import with_timeout

from cell_sim.camera.sensor import encode
from cell_sim.faults import FaultInjector

__all__ = ['FAULTS', 'CameraServer']

BOUNDARY = 'frame'
STREAM_PATH, SNAPSHOT_PATH = '/camera.mjpg', '/snapshot.jpg'
REQUEST_TIMEOUT_S = 5.0
# Longer request heads end the connection, as embedded servers do.
REQUEST_LIMIT = 8192
SEND_BUFFER = 256 * 1024
"""Bytes; small, so that a slow client skips frames instead of receiving old ones."""
FAULTS = {
    'disconnect': ('the camera is off the network, seconds', 2.0),
    'stall': ('connections stay open, but no frame is sent, seconds', 2.0),
    'freeze': ('the same frame is sent repeatedly, seconds', 2.0),
    'lag': ('the stream is late, as from a long buffer, until lag 0.01 or clear, seconds', 2.0),
    'repeat': ('every other frame repeats the one before, seconds', 10.0),
    'ring': ('frames of the last 4 s, recompressed, are sent in random order, seconds', 10.0),
    'loop': ('the last 8 s are sent in a loop, as from a video file, seconds', 20.0),
    'restart': ('the camera restarts, and first sends the frames left in its buffer, seconds', 2.0),
    'clear': ('all pending faults are removed', 1.0),
    'garbage': ('the next frames are not JPEG, times', 1.0),
}


HISTORY_S, RING_S, LOOP_S = 20.0, 4.0, 8.0
COPY_QUALITY = 75
LEFT_IN_BUFFER = 5
"""Frames that a restarted camera sends before live ones."""


class FrameHistory:
    """Frames as they were taken, and the one that a camera with a fault sends instead of the newest.

    `next` runs in the camera's worker thread, all other methods in the event loop. Each only copies
    the deque or assigns fields, so the interpreter lock is enough.
    """

    def __init__(self, period: float, recompress: Callable[[bytes], bytes]) -> None:
        """Create an empty history.

        Args:
            period: Seconds from frame to frame; 20 s of frames are kept.
            recompress: Returns a JPEG with other bytes and the same content. A replayed frame must
                not be recognizable by its bytes alone.
        """
        self._taken: deque[tuple[float, bytes]] = deque(maxlen=round(HISTORY_S / period))
        self._period, self._recompress = period, recompress
        self._rng = random.Random(1)
        self._sent = b''
        self._lag = 0.0
        self._until = {'repeat': 0.0, 'ring': 0.0, 'loop': 0.0}
        self._replay: list[bytes] = []
        self._turn = 0

    def inject(self, fault: str, value: float, now: float) -> None:
        """Start a fault.

        Args:
            fault: lag, repeat, ring or loop; other names are ignored.
            value: Duration, seconds; of a lag the delay, until `clear` or another lag.
            now: Time, seconds, by the clock of `next`.
        """
        if fault == 'lag':
            self._lag = value
        elif fault in self._until:
            self._until[fault] = now + value
            self._replay = self._newest(RING_S if fault == 'ring' else LOOP_S)
            self._turn = 0

    def clear(self) -> None:
        """End all faults."""
        self._lag, self._until = 0.0, dict.fromkeys(self._until, 0.0)

    def leave_in_buffer(self) -> None:
        """Let the next frames be old ones, as after a restart."""
        self._replay = self._newest(LEFT_IN_BUFFER * self._period)
        self._turn = -len(self._replay)

    def next(self, frame: bytes, now: float) -> bytes:
        """Store a new frame and return the one to send, b"" = none yet.

        Args:
            frame: JPEG.
            now: Time at which it was taken, seconds.
        """
        self._taken.append((now, frame))
        self._sent = self._choose(frame, now)
        return self._sent

    def _choose(self, frame: bytes, now: float) -> bytes:
        """Return the frame to send under the faults of this moment; of several the first one here wins."""
        if self._turn < 0:
            self._turn += 1
            return self._replay[self._turn - 1]
        if self._replay and now < self._until['ring']:
            return self._recompress(self._rng.choice(self._replay))
        if self._replay and now < self._until['loop']:
            self._turn += 1
            return self._recompress(self._replay[self._turn % len(self._replay)])
        if now < self._until['repeat'] and self._sent and self._rng.random() < 0.5:
            return self._sent
        due = [old for taken, old in self._taken if taken <= now - self._lag]
        return due[-1] if self._lag and due else b'' if self._lag else frame

    def _newest(self, seconds: float) -> list[bytes]:
        return [frame for _, frame in list(self._taken)[-max(1, round(seconds / self._period)) :]]


class CameraServer:
    """HTTP server of camera frames.

    Attributes:
        faults: Pending faults, see FAULTS.
        client_count: Number of clients that receive frames.
    """

    def __init__(
        self, capture: Callable[[], bytes], port: int, *, frame_rate: float = 10.0, address: str = '127.0.0.1'
    ) -> None:
        """Create a stopped camera.

        Args:
            capture: Returns the JPEG of a new frame; called from one worker thread.
            port: TCP port to listen on; 0 = any free one.
            frame_rate: Frames per second.
            address: Address to listen on.
        """
        self._capture, self._port, self._address, self._period = capture, port, address, 1.0 / frame_rate
        self.faults = FaultInjector(FAULTS)
        self._history = FrameHistory(self._period, recompressed)
        self._server: asyncio.Server | None = None
        self._worker = ThreadPoolExecutor(1, 'camera')
        self._clients: set[asyncio.Task[None]] = set()
        self._fresh = asyncio.Event()
        self._frame = b''
        self.client_count = 0
        self._stalled_until = self._frozen_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """TCP port, also if it was chosen by the system."""
        return self._port

    async def start(self) -> None:
        """Switch on.

        Raises:
            OSError: The port is in use.
        """
        self._server = await asyncio.start_server(self._serve, self._address, self._port, limit=REQUEST_LIMIT)
        self._port = self._server.sockets[0].getsockname()[1]
        self._spawn(self._produce())

    async def stop(self) -> None:
        """Switch off."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close_network()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def inject(self, fault: str, value: float) -> str:
        """Inject a fault.

        Args:
            fault: Key of FAULTS.
            value: Count or seconds, see FAULTS; 0 = the default.

        Returns:
            Description of the effect.

        Raises:
            UnknownFaultError: No such fault exists.
        """
        text = self.faults.inject(fault, value)
        now = asyncio.get_running_loop().time()
        if seconds := self.faults.take('disconnect'):
            self._spawn(self._go_offline(seconds))
        if seconds := self.faults.take('stall'):
            self._stalled_until = now + seconds
        if seconds := self.faults.take('freeze'):
            self._frozen_until = now + seconds
        if seconds := self.faults.take('restart'):
            self._history.leave_in_buffer()
            self._spawn(self._go_offline(seconds))
        for name in ('lag', 'repeat', 'ring', 'loop'):
            if seconds := self.faults.take(name):
                self._history.inject(name, seconds, now)
        if self.faults.take('clear'):
            self.faults.clear()
            self._history.clear()
            self._frozen_until = self._stalled_until = 0.0
        return text

    async def _go_offline(self, seconds: float) -> None:
        await self._close_network()
        await asyncio.sleep(seconds)
        self._server = await asyncio.start_server(self._serve, self._address, self._port, limit=REQUEST_LIMIT)

    async def _close_network(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in [*self._clients]:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _produce(self) -> None:
        """Take frames at the camera's rate and wake the clients; the body of the producer task."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._period, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self.client_count or loop.time() < self._stalled_until:
                continue
            if not (self._frame and loop.time() < self._frozen_until):
                # Rendering takes milliseconds and would stop all other devices of the loop.
                frame = await loop.run_in_executor(self._worker, self._capture)
                frame = await loop.run_in_executor(self._worker, self._history.next, frame, loop.time())
                if not frame:
                    continue
                self._frame = frame
            # Each frame has an event of its own: a client that waits for the next one can never be
            # woken by the frame that it has already sent.
            self._fresh.set()
            self._fresh = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; errors of the network end it without a message, as a camera does."""
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            request = await with_timeout(reader.readuntil(b'\r\n\r\n'), REQUEST_TIMEOUT_S)
            await self._respond(request, writer)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # stopped; asyncio.start_server would report the cancellation as an error of this handler
        finally:
            self._clients.discard(task)
            # A camera without network sends no FIN.
            writer.transport.abort() if self._server is None else writer.close()

    async def _respond(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        method, _, rest = request.decode('latin-1').partition(' ')
        path = rest.split(' ', 1)[0].split('?', 1)[0]
        if method != 'GET' or path not in (STREAM_PATH, SNAPSHOT_PATH):
            body = f'This camera serves {STREAM_PATH} and {SNAPSHOT_PATH}.\n'.encode()
            writer.write(_response_head('404 Not Found', 'text/plain', len(body)) + body)
            return
        self.client_count += 1
        try:
            if path == SNAPSHOT_PATH:
                frame = await self._next()
                writer.write(_response_head('200 OK', 'image/jpeg', len(frame)) + frame)
            else:
                await self._stream(writer)
        finally:
            self.client_count -= 1

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # `drain` then waits until the kernel has the whole frame, so a slow client skips the frames
        # in between.
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(_response_head('200 OK', f'multipart/x-mixed-replace; boundary={BOUNDARY}'))
        while True:
            frame = await self._next()
            head = f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(frame)}\r\n\r\n'
            writer.write(head.encode() + frame + b'\r\n')
            await writer.drain()

    async def _next(self) -> bytes:
        await self._fresh.wait()
        if self.faults.consume('garbage'):
            # Begins like a JPEG, so that only decoding finds the fault.
            return b'\xff\xd8' + bytes(reversed(self._frame[2:2000]))
        return self._frame

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def recompressed(jpeg: bytes) -> bytes:
    """Return a frame compressed once more, as a recorder does: other bytes, the same content.

    Args:
        jpeg: Bytes that need not be a JPEG; what cannot be decoded is returned unchanged.
    """
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return jpeg if image is None else encode(np.asarray(image, np.uint8), COPY_QUALITY)


def _response_head(status: str, kind: str, length: int | None = None) -> bytes:
    size = '' if length is None else f'Content-Length: {length}\r\n'
    return (f'HTTP/1.0 {status}\r\nContent-Type: {kind}\r\n{size}Cache-Control: no-store\r\nConnection: close\r\n\r\n').encode()
