"""Backend rtde on firmware that answers slowly, in pieces, or ends connections in the middle of a handshake.

A proxy stands between backend and simulated controller, at the ports of a controller.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_robot.testing.arm_backends import TriggerPhase

DASHBOARD, SCRIPT, RTDE = 29999, 30003, 30004
PIECE_S = 0.005


async def _late(seconds: float) -> None:
    """Return after the time by which the firmware is late."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


class Firmware:
    """Proxy of the controller's ports; `port` -> how many of the next connections it spoils, and how."""

    start: Callable[[str], str]
    """Serves for a controller's address, and returns the proxy's."""

    def __init__(self) -> None:
        self.address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        self._target = ''
        self.cut_after: dict[int, list[int]] = {}
        """Port -> bytes of the controller after which a connection is closed, one entry for each connection."""
        self.pieces: set[int] = set()
        """Ports whose first kilobyte of answers comes byte by byte."""
        self.pause_s: dict[int, float] = {}
        """Port -> seconds before each answer."""
        self.connections: dict[int, int] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, target: str) -> str:
        self._target = target
        for port in (DASHBOARD, SCRIPT, RTDE):
            connected = functools.partial(self._accept, port)
            self._servers.append(await asyncio.start_server(connected, self.address, port))
        return self.address

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers:
            server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of its own: asyncio would report the cancellation of a handler as its error.
        task = asyncio.ensure_future(self._serve(port, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._pass_on(port, reader, writer)
        finally:
            writer.close()

    async def _pass_on(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections[port] = self.connections.get(port, 0) + 1
        left = self.cut_after.get(port, [])
        limit = left.pop(0) if left else 10**12
        to, back = await asyncio.open_connection(self._target, port)
        tasks = [asyncio.ensure_future(self._up(reader, back)), asyncio.ensure_future(self._down(port, to, writer, limit))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            back.close()

    async def _up(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                to.write(data)

    async def _down(self, port: int, reader: asyncio.StreamReader, to: asyncio.StreamWriter, limit: int) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if pause := self.pause_s.get(port, 0.0):
                    await _late(pause)
                for part in [data] if port not in self.pieces or sent > 1000 else [data[i : i + 1] for i in range(len(data))]:
                    to.write(part[: max(0, limit - sent)])
                    sent += len(part)
                    if sent >= limit:
                        await to.drain()
                        return
                    if len(part) < len(data):
                        await to.drain()
                        await _late(PIECE_S if port == DASHBOARD else 0.0)


@pytest.fixture
def firmware() -> Iterator[Firmware]:
    proxy = AsyncioThread('proxy')
    made = Firmware()
    made.start = lambda target: proxy.run(made.serve(target), 30.0)
    yield made
    proxy.run(made.close(), 30.0)
    proxy.close()


def test_answers_in_single_bytes_are_understood(rtde_through: Any, firmware: Firmware) -> None:
    firmware.pieces.update((DASHBOARD, RTDE))
    link = rtde_through(firmware.start)
    assert link.do('PART_EM1-2U1', 1).phase is TriggerPhase.DONE
    assert all(check.ok for name, check in link.checks().items() if name != 'gripper empty')


def test_connections_that_end_in_the_middle_of_a_handshake_are_made_again(rtde_through: Any, firmware: Firmware) -> None:
    """A controller that reboots closes what it has just accepted, at any byte of the handshake."""
    firmware.cut_after.update({RTDE: [0, 1, 4, 9, 23, 60], DASHBOARD: [0, 20]})
    link = rtde_through(firmware.start)
    assert firmware.connections[RTDE] > 6
    wait_until(lambda: link.do('HOME').phase is TriggerPhase.DONE, 20.0, 'the dashboard answers in the end')


def test_a_start_that_is_cut_off_leaves_no_program_and_can_be_repeated(rtde_through: Any, firmware: Firmware) -> None:
    link = rtde_through(firmware.start)
    firmware.cut_after[RTDE] = [4, 60]
    outcome = link.do('HOME')
    if outcome.phase is not TriggerPhase.DONE:
        assert outcome.phase is TriggerPhase.NOT_SENT, outcome
        wait_until(lambda: link.robot.program is None, 5.0, 'no program is left')
        wait_until(lambda: link.do('HOME').phase is TriggerPhase.DONE, 20.0, 'it starts')


def test_a_controller_that_answers_late_is_waited_for(rtde_through: Any, firmware: Firmware) -> None:
    firmware.pause_s[DASHBOARD] = 0.4
    link = rtde_through(firmware.start)
    outcome = link.do('PART_EM1-2U1', 1)
    assert outcome.phase is TriggerPhase.DONE, outcome
