"""A controller that sends garbage on every port: the robot node stays up, leaks no memory, logs it once, and recovers.

Garbage sent to the port of the letters backend is tested in cell_robot.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cell_common.background import AsyncioThread
from cell_common.qos import latched
from cell_common.testing import NodeGraph, wait_until
from cell_robot.node import RobotNode
from cell_sim.testing.waiting import assert_holds, wait_until_async
from cell_sim.ur_controller.ports.controller import ControllerPorts, ControllerServer
from rcl_interfaces.msg import Log

from cell_interfaces.msg import RobotState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
CONFIG = Path(__file__).resolve().parents[1] / 'config'
MEGABYTE = 1 << 20
NOISE = random.Random(1).randbytes(64 * 1024)
GARBAGE_S = 4.0
MOST_LINES = 4
Sender = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _random(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for at in range(0, len(NOISE), 1024):
        writer.write(NOISE[at : at + 1024])
        await writer.drain()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1024), 0.005)


async def _half_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(struct.pack('>HB', 60000, 85) + b'half of it')
    await reader.read()


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(10):
        writer.write(b'7' * MEGABYTE)
        await writer.drain()
    await reader.read()


async def _slam(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


class GarbageServer:
    """Listens on the ports of a controller and sends garbage."""

    def __init__(self, address: str, send: Sender) -> None:
        self._address, self._send = address, send
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._background = AsyncioThread('garbage')
        self._background.run(self._open(), 30.0)

    def close(self) -> None:
        self._background.run(self._end(), 30.0)
        self._background.close()

    async def _open(self) -> None:
        ports = ControllerPorts()
        self._servers = [
            await asyncio.start_server(self._serve, self._address, port)
            for port in (ports.dashboard, ports.primary, ports.secondary, ports.script, ports.rtde)
        ]

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        await wait_until_async(lambda: not self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._send(reader, writer)
        writer.transport.abort()
        self._writers.discard(writer)


@pytest.fixture
def address() -> Iterator[str]:
    yield f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'


@pytest.mark.parametrize('send', [_random, _half_frame, _endless, _slam])
def test_garbage_from_the_controller_is_survived_and_logged_once(graph: NodeGraph, address: str, send: Sender) -> None:
    states = graph.collect(RobotState, 'robot/state', latched())
    logs = graph.collect(Log, '/rosout', 1000)
    garbage = GarbageServer(address, send)
    graph.add(
        RobotNode(
            **graph.options(
                backend='rtde',
                catalogue_file=str(CONFIG / 'parts.yaml'),
                recipe_file=str(CONFIG / 'recipe.yaml'),
                robot_address=address,
            )
        )
    )
    wait_until(lambda: garbage.connections and states, 20.0)
    assert_holds(lambda: not states[-1].connected, GARBAGE_S / 2)
    memory = psutil.Process().memory_info().rss
    assert_holds(lambda: not states[-1].connected, GARBAGE_S / 2)
    assert psutil.Process().memory_info().rss - memory < 8 * MEGABYTE
    count = len(states)
    wait_until(lambda: len(states) > count, 5.0, 'the node still publishes')
    assert not states[-1].connected
    lines = [entry.msg for entry in logs if 'robot' in entry.name and entry.level >= 30]
    assert len(lines) <= MOST_LINES, lines
    garbage.close()
    background = AsyncioThread('ur')
    server = ControllerServer(address=address)
    try:
        background.run(server.start(), 30.0)
        wait_until(lambda: states[-1].connected, 30.0, f'the node connects to a real controller: {states[-1].message}')
    finally:
        background.run(server.stop(), 30.0)
        background.close()
