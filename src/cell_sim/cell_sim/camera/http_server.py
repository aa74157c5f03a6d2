"""Network camera: JPEG frames over HTTP, as a stream (`/camera.mjpg`, multipart/x-mixed-replace) or one (`/snapshot.jpg`).

Frames are produced only while a client is connected. One producer serves all clients with the newest frame: a slow client
skips frames, never receives old ones, and never delays the others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

from cell_sim.faults import FaultInjector

__all__ = ['FAULTS', 'CameraServer']

BOUNDARY = 'frame'
STREAM_PATH, SNAPSHOT_PATH = '/camera.mjpg', '/snapshot.jpg'
REQUEST_TIMEOUT_S = 5.0
REQUEST_LIMIT = 8192
SEND_BUFFER = 256 * 1024
"""Bytes; small, so that a slow client skips frames instead of receiving old ones."""
FAULTS = {
    'disconnect': ('the camera is off the network, seconds', 2.0),
    'stall': ('connections stay open, but no frame is sent, seconds', 2.0),
    'freeze': ('the same frame is sent repeatedly, seconds', 2.0),
    'garbage': ('the next frames are not JPEG, times', 1.0),
}


class CameraServer:
    """HTTP server of camera frames."""

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
        self._server: asyncio.Server | None = None
        self._worker = ThreadPoolExecutor(1, 'camera')
        self._clients: set[asyncio.Task[None]] = set()
        self._fresh = asyncio.Event()
        self._frame = b''
        self.client_count = 0
        """Number of clients that receive frames."""
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
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._period, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self.client_count or loop.time() < self._stalled_until:
                continue
            if not (self._frame and loop.time() < self._frozen_until):
                self._frame = await loop.run_in_executor(self._worker, self._capture)
            self._fresh.set()
            self._fresh = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            request = await asyncio.wait_for(reader.readuntil(b'\r\n\r\n'), REQUEST_TIMEOUT_S)
            await self._respond(request, writer)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # stopped; asyncio.start_server would report the cancellation as an error of this handler
        finally:
            self._clients.discard(task)
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
            return b'\xff\xd8' + bytes(reversed(self._frame[2:2000]))
        return self._frame

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _response_head(status: str, kind: str, length: int | None = None) -> bytes:
    size = '' if length is None else f'Content-Length: {length}\r\n'
    return (f'HTTP/1.0 {status}\r\nContent-Type: {kind}\r\n{size}Cache-Control: no-store\r\nConnection: close\r\n\r\n').encode()
