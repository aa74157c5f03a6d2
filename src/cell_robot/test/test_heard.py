"""How old the newest data of the robot is, and what a standstill of the machine makes of it."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from cell_robot.backends.rtde.robot_state import Heard
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.protocols.rtde.view import NAMES

STALE_S = 0.2
STANDSTILL_S = 30.0
OPTIONS = ArmOptions('127.0.0.1', 125.0, STALE_S, 10.0)


class Robot(Heard):
    def send(self, timestamp):
        values = dict.fromkeys(NAMES, 0)
        values.update(timestamp=timestamp, actual_q=(0.0,) * 6, actual_qd=(0.0,) * 6, actual_TCP_pose=(0.0,) * 6)
        self._hear(values)


@pytest.fixture
def wall(monkeypatch):
    """The clock on the wall; the loop's own does not know by how much it is ahead."""
    clock = SimpleNamespace(ahead=0.0)
    clock.monotonic = lambda: time.monotonic() + clock.ahead
    monkeypatch.setattr('cell_robot.backends.rtde.robot_state.time', clock)
    return clock


async def heard(wall, standstill, following):
    """Return a robot after `hear_anew`, of which a package came before a standstill and perhaps another one after it."""
    robot = Robot(OPTIONS)
    robot.send(1.0)
    wall.ahead = standstill
    assert robot.fresh  # for the loop, which did not run meanwhile
    if following:
        asyncio.get_running_loop().call_later(STALE_S / 4, robot.send, 2.0)
    await robot.hear_anew()
    return robot


def test_data_that_has_just_come_needs_no_waiting(wall):
    robot = asyncio.run(heard(wall, standstill=0.0, following=True))
    assert robot.seen.timestamp == 1.0


def test_after_a_standstill_the_next_package_is_waited_for(wall):
    robot = asyncio.run(heard(wall, STANDSTILL_S, following=True))
    assert robot.seen.timestamp == 2.0


def test_after_a_standstill_without_a_further_package_the_data_is_stale(wall):
    async def scene():
        return (await heard(wall, STANDSTILL_S, following=False)).fresh

    assert not asyncio.run(scene())


def test_a_robot_that_was_never_heard_is_not_waited_for(wall):
    async def scene():
        robot = Robot(OPTIONS)
        began = asyncio.get_running_loop().time()
        await robot.hear_anew()
        return robot.fresh, asyncio.get_running_loop().time() - began

    fresh, seconds = asyncio.run(scene())
    assert not fresh
    assert seconds < STALE_S
