from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import socketio
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_web.socketio_gateway.cell_link import CellResult
from cell_web.socketio_gateway.hub_server import HubServer
from cell_web.socketio_gateway.page_server import PageServer
from cell_web.socketio_gateway.server import SocketIoServer, SocketIoSettings

LETTERS = {'EM1-2U1': 'F', 'LY2N-J': 'G'}


class FakeLink:
    """A cell that keeps its commands and answers as a test says."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.result = CellResult(True, 'done as asked')
        self.acknowledge = True
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.watching: bool | None = None

    async def _answer(self, *command: Any) -> CellResult:
        self.commands.append(command)
        await asyncio.to_thread(self.may_answer.wait, 10.0)
        return self.result

    async def set_job(self, who: str, part_number: str, quantity: int) -> CellResult:
        return await self._answer('set_job', part_number, quantity)

    async def start(self, who: str, *, run_job: bool) -> CellResult:
        return await self._answer('start', run_job)

    async def reset_stock(self, who: str) -> CellResult:
        return await self._answer('reset_stock', who)

    async def set_camera(self, who: str, running: bool) -> CellResult:
        return await self._answer('set_camera', running)

    async def set_benchmark(self, who: str, part_number: str) -> CellResult:
        return await self._answer('set_benchmark', part_number)

    async def capture(self, who: str) -> CellResult:
        return await self._answer('capture')

    async def trigger(self, who: str, event: str, on_acknowledged: Callable[[], None]) -> CellResult:
        if self.acknowledge:
            on_acknowledged()
        return await self._answer('trigger', event)

    def watch_camera(self, wanted: bool) -> None:
        self.watching = wanted


class Peer:
    """A client of a server under test, over a real socket; keeps what it receives."""

    def __init__(self, port: int, **options: Any) -> None:
        self.received: list[tuple[str, Any]] = []
        self.sio = socketio.Client(reconnection=False, handle_sigint=False)
        self.sio.on('*', lambda event, *data: self.received.append((event, data[0] if data else None)))
        self.sio.connect(f'http://127.0.0.1:{port}', **options)

    def send(self, event: str, payload: Any = None) -> None:
        self.sio.emit(event, payload)

    def all(self, event: str) -> list[Any]:
        return [data for name, data in list(self.received) if name == event]

    def wait(self, event: str, count: int = 1) -> Any:
        """Return the latest payload of an event once `count` have arrived."""
        wait_until(lambda: len(self.all(event)) >= count, 5.0, f'{count} x {event}; received: {self.received}'[:500])
        return self.all(event)[-1]


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def background() -> Iterator[AsyncioThread]:
    thread = AsyncioThread('test')
    yield thread
    thread.close()


@pytest.fixture
def serve(background: AsyncioThread) -> Callable[[SocketIoServer], SocketIoServer]:
    def start(server: SocketIoServer) -> SocketIoServer:
        background.submit(server.run())
        wait_until(lambda: server.port, 5.0, 'the server listening')
        return server

    return start


@pytest.fixture
def page(serve, link) -> PageServer:
    page = PageServer(SocketIoSettings('127.0.0.1', 0, replay_s=0.0), link)
    serve(page.server)
    return page


@pytest.fixture
def hub(serve, link) -> HubServer:
    hub = HubServer(SocketIoSettings('127.0.0.1', 0, replay_s=0.0), link, LETTERS)
    serve(hub.server)
    return hub


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(port: int, **options: Any) -> Peer:
        peers.append(Peer(port, **options))
        return peers[-1]

    yield start
    for peer in peers:
        with suppress(socketio.exceptions.SocketIOError):
            peer.sio.disconnect()
