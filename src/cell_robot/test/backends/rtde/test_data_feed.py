"""Age of the newest data, and the effect of a stall of the machine."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from cell_robot.backends.rtde.data_feed import RobotDataFeed
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.protocols.rtde.snapshot import OUTPUT_NAMES

STALE_S = 0.2
STALL_S = 30.0
OPTIONS = ArmOptions('127.0.0.1', 125.0, STALE_S, 10.0)


class Robot(RobotDataFeed):
    """Feed whose packages come from the test."""

    def send(self, timestamp):
        values = dict.fromkeys(OUTPUT_NAMES, 0)
        values.update(timestamp=timestamp, actual_q=(0.0,) * 6, actual_qd=(0.0,) * 6, actual_TCP_pose=(0.0,) * 6)
        self._update(values)


@pytest.fixture
def wall(monkeypatch):
    """Wall clock; the loop's own clock does not include `ahead`."""
    clock = SimpleNamespace(ahead=0.0)
    clock.monotonic = lambda: time.monotonic() + clock.ahead
    monkeypatch.setattr('cell_robot.backends.rtde.data_feed.time', clock)
    return clock


async def feed_after(wall, stall, following):
    """Return a feed after `wait_for_fresh`, with one package before a stall and optionally one after it."""
    robot = Robot(OPTIONS)
    robot.send(1.0)
    wall.ahead = stall
    assert robot.fresh  # for the loop, which did not run meanwhile
    if following:
        asyncio.get_running_loop().call_later(STALE_S / 4, robot.send, 2.0)
    await robot.wait_for_fresh()
    return robot


def test_recent_data_needs_no_waiting(wall):
    robot = asyncio.run(feed_after(wall, stall=0.0, following=True))
    assert robot.latest.timestamp == 1.0


def test_after_a_stall_the_feed_waits_for_the_next_package(wall):
    robot = asyncio.run(feed_after(wall, STALL_S, following=True))
    assert robot.latest.timestamp == 2.0


def test_after_a_stall_without_a_further_package_the_data_is_stale(wall):
    async def scene():
        return (await feed_after(wall, STALL_S, following=False)).fresh

    assert not asyncio.run(scene())


def test_without_any_data_the_feed_does_not_wait(wall):
    async def scene():
        robot = Robot(OPTIONS)
        began = asyncio.get_running_loop().time()
        await robot.wait_for_fresh()
        return robot.fresh, asyncio.get_running_loop().time() - began

    fresh, seconds = asyncio.run(scene())
    assert not fresh
    assert seconds < STALE_S
