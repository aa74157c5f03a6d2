"""RTSP camera for tests: JPEG over RTP (RFC 2435), interleaved in the RTSP connection (RFC 2326, section 10.12)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

RTP_JPEG, CLOCK_HZ = 26, 90_000
FRAGMENT = 1400
DYNAMIC_TABLES = 255


class RtspCamera:
    """Serves the pictures of a function to each client until `close`.

    Attributes:
        url: Address of the stream.
        connections: Number of clients that played so far.
        lag: Delay of the pictures, seconds; their timestamps are those of their exposure.
    """

    def __init__(self, picture: Callable[[], bytes], rate: float = 20.0) -> None:
        """Start to listen on a free port.

        Args:
            picture: Returns a baseline JPEG with 4:2:0 sampling, as OpenCV writes it.
            rate: Pictures per second.
        """
        self._picture, self._period = picture, 1 / rate
        self._stop, self._drop = threading.Event(), threading.Event()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'rtsp://127.0.0.1:{self._listener.getsockname()[1]}/stream'
        self.connections, self.lag = 0, 0.0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def drop(self) -> None:
        """Cut the connection of each client."""
        self._drop.set()

    def close(self) -> None:
        """Stop serving."""
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5.0)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), client:
            buffer = b''
            while not self._stop.is_set():
                while b'\r\n\r\n' not in buffer:
                    received = client.recv(4096)
                    if not received:
                        return
                    buffer += received
                request, _, buffer = buffer.partition(b'\r\n\r\n')
                method = self._answer(client, request.decode('latin-1'))
                if method == 'PLAY':
                    self._play(client)
                    return

    def _answer(self, client: socket.socket, request: str) -> str:
        first, *rest = request.split('\r\n')
        method = first.split()[0]
        fields = dict(line.split(': ', 1) for line in rest if ': ' in line)
        head, body = [], ''
        if method == 'OPTIONS':
            head = ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']
        if method == 'DESCRIBE':
            body = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n'
            head = ['Content-Type: application/sdp', f'Content-Base: {self.url}/', f'Content-Length: {len(body)}']
        if method == 'SETUP':
            head = ['Transport: RTP/AVP/TCP;unicast;interleaved=0-1']
        if method in {'SETUP', 'PLAY'}:
            head.append('Session: 1')
        answer = '\r\n'.join(['RTSP/1.0 200 OK', f'CSeq: {fields.get("CSeq", "0")}', *head, '', body])
        client.sendall(answer.encode())
        return method

    def _play(self, client: socket.socket) -> None:
        self.connections += 1
        self._drop.clear()
        sequence, begin = 0, time.monotonic()
        waiting: deque[tuple[float, bytes]] = deque()
        while not self._stop.wait(self._period) and not self._drop.is_set():
            now = time.monotonic()
            waiting.append((now, self._picture()))
            while waiting and waiting[0][0] <= now - self.lag:
                taken, jpeg = waiting.popleft()
                for packet in packets(jpeg, round((taken - begin) * CLOCK_HZ), sequence):
                    client.sendall(b'$\0' + struct.pack('>H', len(packet)) + packet)
                    sequence += 1


def packets(jpeg: bytes, stamp: int, sequence: int) -> Iterator[bytes]:
    """Yield the RTP packets of a picture (RFC 3550, section 5.1)."""
    for i, (last, payload) in enumerate(fragments(jpeg)):
        number = (sequence + i) & 0xFFFF
        yield struct.pack('>BBHII', 0x80, RTP_JPEG | last << 7, number, stamp & 0xFFFFFFFF, 1) + payload


def fragments(jpeg: bytes) -> list[tuple[bool, bytes]]:
    """Return the RTP payloads of a picture and whether each is the last one (RFC 2435, section 3.1)."""
    tables, wide, high, scan = _parsed(jpeg)
    result, at = [], 0
    while at < len(scan):
        piece = scan[at : at + FRAGMENT]
        head = struct.pack('>I', at) + bytes([1, DYNAMIC_TABLES, wide // 8, high // 8])
        if at == 0:
            head += struct.pack('>BBH', 0, 0, len(tables)) + tables
        at += len(piece)
        result.append((at == len(scan), head + piece))
    return result


def _parsed(jpeg: bytes) -> tuple[bytes, int, int, bytes]:
    """Return quantization tables, width, height and entropy-coded data of a JPEG."""
    tables: dict[int, bytes] = {}
    wide = high = 0
    at = 2
    while True:
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], 'big')
        body = jpeg[at + 4 : at + 2 + size]
        if marker == 0xDB:
            for begin in range(0, len(body), 65):
                tables[body[begin] & 15] = body[begin + 1 : begin + 65]
        if marker == 0xC0:
            high, wide = struct.unpack_from('>HH', body, 1)
        at += 2 + size
        if marker == 0xDA:
            return tables[0] + tables[1], wide, high, jpeg[at : jpeg.rindex(b'\xff\xd9')]
