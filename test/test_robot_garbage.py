"""A controller that sends malformed data on every port: the robot node stays up, keeps its memory, logs it once, and recovers.

Malformed data on the port of the letters backend is in the tests of cell_robot (backends/letters/test_backend.py).
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
from cell_sim.ur_controller.ports.controller import ControllerPorts, ControllerServer
from rcl_interfaces.msg import Log

from cell_interfaces.msg import RobotState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
CONFIG = Path(__file__).resolve().parents[1] / 'config'
MEGABYTE = 1 << 20
NOISE = random.Random(1).randbytes(64 * 1024)
MOST_LINES = 4
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def _random(writer: asyncio.StreamWriter) -> None:
    for at in range(0, len(NOISE), 1024):
        writer.write(NOISE[at : at + 1024])
        await writer.drain()


async def _half_frame(writer: asyncio.StreamWriter) -> None:
    writer.write(struct.pack('>HB', 60000, 85) + b'half of it')
    await asyncio.Event().wait()


async def _endless(writer: asyncio.StreamWriter) -> None:
    for _ in range(10):
        writer.write(b'7' * MEGABYTE)
        await writer.drain()
    await asyncio.Event().wait()


async def _slam(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


class Nonsense:
    """Listens on the ports of a controller and sends malformed data."""

    def __init__(self, address: str, talk: Talk) -> None:
        self._address, self._talk = address, talk
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._background = AsyncioThread('nonsense')
        self._background.run(self._open(), 5.0)

    def close(self) -> None:
        self._background.run(self._end(), 5.0)
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
        await asyncio.sleep(0)

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._talk(writer)
        writer.transport.abort()
        self._writers.discard(writer)


@pytest.fixture
def address() -> Iterator[str]:
    yield f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'


@pytest.mark.parametrize('talk', [_random, _half_frame, _endless, _slam])
def test_malformed_data_from_the_controller_is_survived_and_logged_once(graph: NodeGraph, address: str, talk: Talk) -> None:
    states = graph.collect(RobotState, 'robot/state', latched())
    said = graph.collect(Log, '/rosout', 1000)
    nonsense = Nonsense(address, talk)
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
    wait_until(lambda: nonsense.connections and states, 20.0)
    wait_until(lambda: nonsense.connections >= 2, 20.0)
    memory = psutil.Process().memory_info().rss
    wait_until(lambda: nonsense.connections >= 4, 20.0)
    assert psutil.Process().memory_info().rss - memory < 8 * MEGABYTE
    count = len(states)
    wait_until(lambda: len(states) > count, 5.0, 'the node goes on')
    assert not states[-1].connected
    lines = [entry.msg for entry in said if 'robot' in entry.name and entry.level >= 30]
    assert len(lines) <= MOST_LINES, lines
    nonsense.close()
    background = AsyncioThread('ur')
    server = ControllerServer(address=address)
    try:
        background.run(server.start(), 5.0)
        wait_until(lambda: states[-1].connected, 30.0, f'the real controller is found: {states[-1].message}')
    finally:
        background.run(server.stop(), 5.0)
        background.close()
