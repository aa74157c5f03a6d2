"""The other processes of bench/weighing.py: a subscriber, the old design, and a plain bridge."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

API_S = 0.02
"""Response time of the web application, seconds."""


def watch(out: str) -> None:
    """Subscribe to weighing/weight and write scale, weight and arrival time of every message, at the end.

    Messages are kept as bytes while they arrive: unpacking them would make this process the slowest.

    Args:
        out: Path of the file.
    """
    import rclpy
    from cell_common.qos import events
    from rclpy.serialization import deserialize_message

    from cell_interfaces.msg import ScaleReading

    seen: list[tuple[bytes, int]] = []
    rclpy.init()
    node = rclpy.create_node('watch', namespace='cell')

    def take(first: bytes) -> None:
        """Take all waiting messages: rclpy wakes up for one at a time, which costs more than the message."""
        seen.append((first, time.monotonic_ns()))
        while more := subscription.handle.take_message(ScaleReading, True):
            seen.append((more[0], time.monotonic_ns()))

    subscription = node.create_subscription(ScaleReading, 'weighing/weight', take, events(100_000), raw=True)
    with contextlib.suppress(SystemExit, KeyboardInterrupt):
        rclpy.spin(node)
    messages = ((deserialize_message(data, ScaleReading), at) for data, at in seen)
    Path(out).write_text(''.join(f'{m.scale_id} {m.weight or "-"} {at}\n' for m, at in messages))


def old(port: str, out: str) -> None:
    """Run the old scale server: one thread for each connection, recv(16), post to the web application in the loop.

    It has the faults of the original: a line longer than 16 bytes, or two lines in one packet, are lost or wrong.

    Args:
        port: TCP port.
        out: File of the posted readings.
    """
    import requests

    class Api(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers['Content-Length']))
            time.sleep(API_S)
            self.send_response(200)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 1024

    api = Server(('127.0.0.1', 0), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    url = f'http://127.0.0.1:{api.server_address[1]}/api/prepuff/scan_bag'
    file = Path(out).open('w', buffering=1)  # noqa: SIM115 - written until the process is ended

    def handle(connection: socket.socket) -> None:
        while True:
            data = connection.recv(16)
            if not data:
                return
            try:
                scale, rest = data.decode().strip().split(',')
                weight, unit = rest.split(' ')
                float(weight)
            except ValueError:
                continue
            try:
                requests.post(url, data={'weight': weight, 'unit': unit, 'scale': scale, 'station': 'A'}, timeout=10)
            except requests.RequestException:
                continue
            file.write(f'{scale} {weight}\n')

    server = socket.create_server(('127.0.0.1', int(port)), backlog=1024)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=handle, args=(connection,), daemon=True).start()


def plain(port: str, database: str) -> None:
    """Run the simplest bridge: asyncio, one commit for each line, then publish.

    Args:
        port: TCP port.
        database: Path of its SQLite file.
    """
    import rclpy
    from cell_common.ids import new_id
    from cell_common.qos import events
    from rclpy.signals import SignalHandlerOptions

    from cell_interfaces.msg import ScaleReading

    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('plain', namespace='cell')
    publisher = node.create_publisher(ScaleReading, 'weighing/weight', events(2000))
    store = sqlite3.connect(database, isolation_level=None)
    for pragma in ('journal_mode=WAL', 'synchronous=FULL'):
        store.execute(f'PRAGMA {pragma}')
    store.execute(
        'CREATE TABLE weigh_reading (reading_id TEXT PRIMARY KEY, scale_id TEXT, sequence INTEGER, '
        'received_ns INTEGER, raw BLOB, weight TEXT, unit TEXT, UNIQUE (scale_id, sequence))'
    )
    numbers: dict[str, int] = {}

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while raw := await reader.readline():
            scale, rest = raw.decode().strip().split(',')
            weight, unit = rest.split(' ')
            numbers[scale] = number = numbers.get(scale, 0) + 1
            reading_id = new_id()
            store.execute('BEGIN IMMEDIATE')
            store.execute(
                'INSERT INTO weigh_reading VALUES (?,?,?,?,?,?,?)',
                (reading_id, scale, number, time.time_ns(), raw, weight, unit),
            )
            store.execute('COMMIT')
            publisher.publish(
                ScaleReading(
                    reading_id=reading_id, scale_id=scale, sequence=number, weight=weight, unit=unit, raw=raw.decode().strip()
                )
            )

    async def serve() -> None:
        server = await asyncio.start_server(handle, '127.0.0.1', int(port), backlog=1024)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == '__main__':
    if sys.argv[1] == 'watch':
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    commands: dict[str, Callable[..., None]] = {'watch': watch, 'old': old, 'plain': plain}
    command = commands[sys.argv[1]]
    command(*sys.argv[2:])
