"""Robotiq gripper over the socket of its URCap."""

from __future__ import annotations

import asyncio
import random

import pytest
from cell_robot.backends.rtde.grippers import RobotiqGripper
from cell_robot.backends.rtde.steps import StepError
from cell_robot.motion.recipe import GripperSettings, RobotiqSettings
from cell_robot.protocols.robotiq.codec import PORT

SETTINGS = GripperSettings(None, None, None, 0.5, 0.5, robotiq=RobotiqSettings())


class Urcap:
    """Gripper that answers like the URCap; `piece` is the position at which its fingers stop."""

    def __init__(self, piece=180):
        self.piece, self.values = piece, {'STA': 3, 'PRE': 0, 'POS': 0, 'OBJ': 3, 'FLT': 0}
        self.requests, self.left = [], False

    def answer(self, line):
        words = line.split()
        if words[0] == 'GET':
            return f'{words[1]} {self.values[words[1]]}'
        self.requests.append(line)
        goal = self.values['PRE'] = int(words[words.index('POS') + 1])
        stopped = self.piece is not None and self.values['POS'] < self.piece < goal
        self.values |= {'POS': self.piece if stopped else min(goal, 228), 'OBJ': 2 if stopped else 3}
        return 'ack'

    async def serve(self, reader, writer):
        while line := await reader.readline():
            writer.write(self.answer(line.decode()).encode())
        writer.close()
        self.left = True


class Wires:
    latest = None

    async def wait_for(self, condition, timeout_s):
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not condition() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0)
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)
        return condition()


def play(urcap, scene):
    """Run a scene with a connected gripper."""

    async def run():
        address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        server = await asyncio.start_server(urcap.serve, address, PORT)
        gripper = RobotiqGripper(SETTINGS, Wires(), address)
        running = asyncio.ensure_future(gripper.run())
        await Wires().wait_for(lambda: gripper.status is not None, 3.0)
        try:
            return await scene(gripper)
        finally:
            running.cancel()
            await asyncio.wait([running])
            server.close()
            await Wires().wait_for(lambda: urcap.left, 3.0)

    return asyncio.run(run())


def test_fingers_that_stop_at_a_piece_hold_it():
    async def scene(gripper):
        assert gripper.holds is False and gripper.closed is False and gripper.message == ''
        assert await gripper.switch(True, 0.5)
        assert gripper.holds and gripper.closed and not gripper.lost
        assert await gripper.switch(False, 0.5)
        assert gripper.holds is False

    urcap = Urcap()
    play(urcap, scene)
    assert urcap.requests[0].startswith('SET POS 255 SPE 255 FOR 50 GTO 1')


def test_fingers_that_close_completely_hold_nothing():
    async def scene(gripper):
        assert not await gripper.switch(True, 0.5)
        assert gripper.holds is False and gripper.lost

    play(Urcap(piece=None), scene)


def test_fingers_that_do_not_open_are_reported():
    async def scene(gripper):
        await gripper.switch(True, 0.5)
        urcap.answer = lambda line: 'ack' if line.startswith('SET') else f'{line.split()[1]} {urcap.values[line.split()[1]]}'
        urcap.values |= {'PRE': 0, 'OBJ': 1}
        return await gripper.switch(False, 0.5)

    urcap = Urcap()
    assert play(urcap, scene) is False


def test_a_gripper_that_is_not_activated_is_never_moved():
    async def scene(gripper):
        assert 'not activated' in gripper.message and gripper.holds is None
        with pytest.raises(StepError, match='not activated'):
            await gripper.switch(True, 0.5)

    urcap = Urcap()
    urcap.values['STA'] = 0
    play(urcap, scene)
    assert urcap.requests == []


def test_a_silent_gripper_is_a_fault_and_its_piece_counts_as_lost():
    async def scene(gripper):
        await gripper.switch(True, 0.5)
        urcap.values['POS'] = 'broken'
        await Wires().wait_for(lambda: gripper.status is None, 3.0)
        assert gripper.lost and gripper.holds is None and 'not connected' in gripper.message
        with pytest.raises(StepError, match='not connected'):
            await gripper.switch(False, 0.5)

    urcap = Urcap()
    play(urcap, scene)
