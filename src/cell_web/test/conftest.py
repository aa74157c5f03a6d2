from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, web
from cell_common.background import AsyncioThread
from cell_common.testing import domain, graph, node_switch_interval
from cell_web.tokens import TokenFile

sys.path.insert(0, str(Path(__file__).parent))  # cell_scene and page_fixtures, shared by the tests
from page_fixtures import *  # noqa: F403


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / 'tokens.json')


@pytest.fixture
def token(tokens: TokenFile) -> str:
    return tokens.create('filler', '2026-11-01')


class FakeRosbridge:
    """WebSocket server on an ephemeral port that records messages and responds as a test defines."""

    def __init__(self, background: AsyncioThread, port: int = 0) -> None:
        self.received: list[dict[str, Any]] = []
        self.connections: list[web.WebSocketResponse] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda message: None
        self.latched: dict[str, dict[str, Any]] = {}
        self.background = background
        self._changed = asyncio.Condition()
        self.port = background.run(self._start(port), 30.0)

    async def _start(self, port: int) -> int:
        application = web.Application()
        application.router.add_get('/', self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, '127.0.0.1', port).start()
        return int(self._runner.addresses[0][1])

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        self.connections.append(connection)
        await self._notify_changed()
        async for message in connection:
            if message.type is WSMsgType.TEXT:
                data = json.loads(message.data)
                self.received.append(data)
                await self._notify_changed()
                if data['op'] == 'subscribe' and data['topic'] in self.latched:
                    await connection.send_json({'op': 'publish', 'topic': data['topic'], 'msg': self.latched[data['topic']]})
                if (answer := self.answer(data)) is not None:
                    await connection.send_json(answer)
        return connection

    async def wait_for(self, condition: Callable[[], object], timeout: float = 30) -> None:
        """Wait, on the fake's loop, until a condition over connections and messages holds."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: bool(condition())), timeout)

    async def _notify_changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def send(self, message: dict[str, Any]) -> None:
        self.background.run(self.connections[-1].send_json(message), 30.0)

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send a message to every connected page, and to later subscribers on subscription."""
        self.latched[topic] = message

        async def publish_all() -> None:
            for connection in self.connections:
                if not connection.closed:
                    await connection.send_json({'op': 'publish', 'topic': topic, 'msg': message})

        self.background.run(publish_all(), 30.0)

    def drop(self) -> None:
        """Close every connection."""

        async def drop() -> None:
            await asyncio.gather(*(connection.close() for connection in self.connections), return_exceptions=True)

        self.background.run(drop(), 30.0)

    def stop(self) -> None:
        async def stop() -> None:
            await asyncio.gather(*(connection.close() for connection in self.connections), return_exceptions=True)
            await self._runner.cleanup()

        self.background.run(stop(), 30.0)


@pytest.fixture
def background() -> Iterator[AsyncioThread]:
    running = AsyncioThread('test')
    yield running
    running.close()


@pytest.fixture
def rosbridge(background: AsyncioThread) -> Iterator[FakeRosbridge]:
    running = FakeRosbridge(background)
    yield running
    running.stop()


@pytest.fixture
def browse(background: AsyncioThread) -> Callable[[Callable[[ClientSession], Any]], Any]:
    """Run a coroutine function with an HTTP client."""

    def run(work: Callable[[ClientSession], Any]) -> Any:
        async def inside() -> Any:
            async with ClientSession() as session:
                return await work(session)

        return background.run(inside(), 30.0)

    return run
