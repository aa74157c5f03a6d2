"""The robot node's backend ros_driver against the simulated driver, which stands before the simulated controller's ports."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_robot.recipe_file import parse_recipe
from cell_robot.testing.arm_backends import (
    ArmOptions,
    ArmSetup,
    ProtectiveStopCounter,
    TriggerCommand,
    TriggerPhase,
    recovery,
    ros_driver_backend,
)
from cell_sim.ur_controller.controller import Controller, ControllerConfig
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.states import Timings
from cell_sim.ur_driver.node import UrDriverNode
from rclpy.node import Node

from cell_interfaces.msg import ResultCode, RobotState

RECIPE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'
FAST = {'joint': 170, 'joint_acceleration': 570, 'linear': 900, 'linear_acceleration': 4900, 'approach': 300}
TIMINGS = Timings(power_on=0.3, brake_release=0.3, boot=0.5, unlock=5.0)
PART = 'PART_EM1-2U1'


class Arm(Controller):
    """A controller whose gripper has a sensor, and a piece wherever the test wants one."""

    piece = True

    def step(self, now: float) -> None:
        super().step(now)
        self.registers.digital_inputs = int(bool(self.registers.digital_outputs & 1) and self.piece)


class Link:
    """A backend, the driver and the robot."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self._world = AsyncioThread('ur')
        address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        self.server = ControllerServer(lambda now: Arm(now, ControllerConfig(timings=TIMINGS)), address=address)
        self._world.run(self.server.start(), 5.0)
        self.driver = graph.add(UrDriverNode(**graph.options(robot_ip=address) | {'namespace': 'cell/driver'}))
        self.node = Node('robot', context=graph.context, namespace='cell')
        data = yaml.safe_load(RECIPE.read_text())
        data['parts'], data['speeds'] = {'EM1-2U1': data['parts']['EM1-2U1']}, FAST
        self.recipe = parse_recipe(data)
        self.log: list[str] = []
        log = SimpleNamespace(info=self.log.append, warning=self.log.append, error=self.log.append)
        self.stock = SimpleNamespace(sequence=1, counts={('EM1-2U1', 1): 24, ('EM1-2U1', 2): 0})
        options, stops = ArmOptions('driver', 125.0, 1.0, 5.0), ProtectiveStopCounter(2, 600.0)
        setup = ArmSetup(options, self.recipe, self.stock, stops, log)
        self.backend = ros_driver_backend(setup, self.node, 'driver')
        graph.add(self.node)
        self.backend.start(lambda: None)
        self.phases: list[TriggerPhase] = []
        self.steps: list[tuple[str, int, int]] = []
        wait_until(lambda: self.backend.state().connected, 10.0, 'driver heard')

    @property
    def robot(self) -> Any:
        return self.server.controller

    def close(self) -> None:
        self.backend.close()
        self._world.run(self.server.stop(), 5.0)
        self._world.close()

    def inject(self, fault: str, value: float = 0.0) -> None:
        async def work() -> str:
            return self.server.inject(fault, value)

        self._world.run(work(), 5.0)

    def begin(self, event: str, tray: int = 0) -> Any:
        self.phases.clear()
        return self.backend.trigger(TriggerCommand(f't{time.monotonic_ns()}', event, tray), self.phases.append)

    def do(self, event: str, tray: int = 0) -> Any:
        return self.begin(event, tray).result(30.0)

    def moving(self, event: str, tray: int = 0) -> Any:
        future = self.begin(event, tray)
        wait_until(lambda: any(map(abs, self.robot.motion.speeds)) or future.done(), 10.0, 'moving')
        assert not future.done(), future.result()
        return future

    def hurry(self, times: float = 4.0) -> None:
        """Let the arm move so many times faster than in life, where nothing has to happen on the way."""
        self.robot.time_scale = self.driver.follower.time_scale = times

    def stands(self) -> None:
        wait_until(lambda: not any(map(abs, self.robot.motion.speeds)) and self.robot.program is None, 5.0, 'arm stands')

    def recover(self) -> Any:
        self.steps.clear()
        return self.backend.recover(lambda *step: self.steps.append(step)).result(40.0)

    def checks(self) -> dict[str, Any]:
        return {check.name: check for check in self.backend.preflight().result(5.0)}


@pytest.fixture
def link(graph: Any) -> Iterator[Link]:
    made = Link(graph)
    yield made
    made.close()


def test_a_piece_is_picked_from_its_slot_shown_and_placed(link: Link) -> None:
    link.hurry()
    assert link.do('HOME').phase is TriggerPhase.DONE
    future, lowest = link.begin(PART, 1), (0.0, 0.0, 9.0)
    while not future.done():
        lowest = min(lowest, link.robot.motion.tcp_pose[:3], key=lambda place: place[2])
        time.sleep(0.002)
    assert future.result().phase is TriggerPhase.DONE, future.result()
    flange = link.recipe.parts['EM1-2U1'][1].slots[0].pose @ np.linalg.inv(link.recipe.cell.tool)
    assert lowest == pytest.approx(tuple(flange[:3, 3]), abs=0.001), 'the first slot of tray 1, straight down'
    assert link.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED]
    assert link.robot.registers.digital_outputs == 1
    state = link.backend.state()
    assert state.joints.positions == pytest.approx(link.recipe.waypoints['camera'], abs=1e-3)
    assert (state.safety_mode, state.robot_mode, state.program_state) == (1, 7, RobotState.PROGRAM_PLAYING)
    assert state.speed_scaling == 1.0 and state.message == ''
    assert link.do('PLACE').phase is TriggerPhase.DONE
    assert link.robot.registers.digital_outputs == 0


def test_an_empty_slot_is_refused_and_the_arm_comes_back(link: Link) -> None:
    link.hurry()
    link.robot.piece = False
    outcome = link.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.REFUSED, ResultCode.ROBOT_REFUSED), outcome
    assert link.robot.registers.digital_outputs == 0


def test_a_protective_stop_in_mid_move_is_unknown_and_nothing_goes_on_by_itself(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, 'UNLOCK_AFTER_S', 0.5)
    link.robot.timings = replace(TIMINGS, unlock=0.5)
    future = link.moving(PART, 1)
    link.inject('protective_stop')
    outcome = future.result(5.0)
    assert (outcome.phase, outcome.code) == (
        TriggerPhase.UNKNOWN,
        ResultCode.ROBOT_STOPPED,
    ) and 'protective stop' in outcome.message
    link.stands()
    joints = link.robot.motion.joints
    refused = link.do('HOME')
    assert (refused.phase, refused.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)
    assert not link.checks()['safety'].ok
    answer = link.recover()
    assert answer.code == ResultCode.OK, answer
    assert [number for _, number, _ in link.steps] == list(range(1, 9)) and {count for *_, count in link.steps} == {8}
    assert link.robot.motion.joints == pytest.approx(joints, abs=1e-3), 'nothing moved before a fresh command'
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_a_stop_of_a_person_ends_the_goal(link: Link) -> None:
    future = link.moving(PART, 1)
    assert link.backend.stop().result(5.0).code == ResultCode.OK
    assert future.result(5.0).phase is TriggerPhase.UNKNOWN
    link.stands()
    assert link.recover().code == ResultCode.OK
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_a_robot_that_goes_off_the_network_is_named_and_comes_back(link: Link) -> None:
    future = link.moving(PART, 1)
    link.inject('disconnect', 4.0)
    outcome = future.result(8.0)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    wait_until(lambda: not link.backend.state().connected, 5.0, 'lost')
    assert not link.checks()['data fresh'].ok
    link.stands()
    wait_until(lambda: link.backend.state().connected, 10.0, 'back')
    refused = link.do('HOME')
    assert (refused.phase, refused.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)
    assert link.recover().code == ResultCode.OK
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_a_driver_that_dies_in_mid_move_leaves_an_arm_that_stands_and_a_true_reason(link: Link) -> None:
    future = link.moving(PART, 1)
    link.graph.remove(link.driver)
    outcome = future.result(10.0)
    # The step and the link miss the driver's data at the same age: whichever looks first tells it.
    assert outcome.phase is TriggerPhase.UNKNOWN and re.search('no data for|no joint states', outcome.message), outcome
    link.stands()
    wait_until(lambda: 'ur_robot_driver' in link.backend.state().message, 5.0, 'the loss with its reason')
    assert not link.backend.state().connected
    assert link.do('HOME').code == ResultCode.ROBOT_NOT_CONNECTED


def test_a_program_stopped_on_the_pendant_is_started_anew_only_by_a_person(link: Link) -> None:
    future = link.moving(PART, 1)
    link._world.loop.call_soon_threadsafe(link.robot.stop_program)
    outcome = future.result(5.0)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    assert link.do('HOME').phase is TriggerPhase.NOT_SENT
    assert link.robot.program is None
    assert link.recover().code == ResultCode.OK


def test_local_mode_is_told_before_a_job_and_nothing_is_sent(link: Link) -> None:
    link.robot.remote = False
    assert not link.checks()['remote control'].ok
    link._world.loop.call_soon_threadsafe(link.robot.stop_program)
    wait_until(lambda: link.backend.state().program_state == RobotState.PROGRAM_STOPPED)
    outcome = link.do('HOME')
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.NOT_READY) and 'local mode' in outcome.message
