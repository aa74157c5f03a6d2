"""The robot node's backend rtde, with the real ur_rtde, against the simulated controller over its real ports."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_robot.recipe_file import parse_recipe
from cell_robot.robot_modes import RobotMode, SafetyMode
from cell_robot.testing.arm_backends import (
    ArmOptions,
    ArmSetup,
    ProtectiveStopCounter,
    RtdeBackend,
    TriggerCommand,
    TriggerPhase,
    recovery,
)
from cell_sim.ur_controller.controller import Controller, ControllerConfig
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.states import Timings

from cell_interfaces.msg import ResultCode, RobotState

RECIPE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'
FAST = {'joint': 170, 'joint_acceleration': 570, 'linear': 900, 'linear_acceleration': 4900, 'approach': 300}
TIMINGS = Timings(power_on=0.3, brake_release=0.3, boot=0.5, unlock=5.0)
PART = 'PART_EM1-2U1'
SOON_S, STAYS_S = 4.0, 60.0
"""At most so long a stop takes to be told, and at least so long one lasts that the test itself ends."""
STALE_S, WATCHDOG_HZ = 0.75, 1.5
"""The controller and the client that it watches share busy cores here."""


class Arm(Controller):
    """A controller whose gripper has a sensor, and a piece wherever the test wants one."""

    piece = True

    def step(self, now: float) -> None:
        super().step(now)
        self.registers.digital_inputs = int(bool(self.registers.digital_outputs & 1) and self.piece)


class Link:
    """A backend and its robot."""

    def __init__(self, **options: Any) -> None:
        import yaml

        self._world = AsyncioThread('ur')
        self.address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        self.server = ControllerServer(lambda now: Arm(now, ControllerConfig(timings=TIMINGS)), address=self.address)
        self._world.run(self.server.start(), 5.0)
        data = yaml.safe_load(RECIPE.read_text())
        data['parts'] = {'EM1-2U1': data['parts']['EM1-2U1']}
        data['speeds'] = FAST
        self.recipe = parse_recipe(data)
        self.log: list[str] = []
        log = SimpleNamespace(info=self.log.append, warning=self.log.append, error=self.log.append)
        self.stock = SimpleNamespace(sequence=1, counts={('EM1-2U1', 1): 24, ('EM1-2U1', 2): 0})
        arm = ArmOptions(self.address, 125.0, STALE_S, WATCHDOG_HZ)
        self.stops = ProtectiveStopCounter(2, 600.0)
        self.backend = RtdeBackend(ArmSetup(arm, self.recipe, self.stock, self.stops, log, **options))
        self.backend.start(lambda: None)
        self.phases: list[TriggerPhase] = []
        self.steps: list[tuple[str, int, int]] = []
        wait_until(lambda: self.backend.state().connected, what='robot connected')

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
        return self.begin(event, tray).result(20.0)

    def moving(self, event: str, tray: int = 0) -> Any:
        """Begin an event and wait until the arm moves."""
        future = self.begin(event, tray)
        wait_until(lambda: any(map(abs, self.robot.motion.speeds)), what='moving')
        return future

    def hurry(self, times: float = 4.0) -> None:
        """Let the arm move so many times faster than in life, where nothing has to happen on the way."""
        self.robot.time_scale = times

    def stands(self) -> None:
        wait_until(lambda: not any(map(abs, self.robot.motion.speeds)) and self.robot.program is None, 3.0, 'arm stands')

    def recover(self) -> Any:
        self.steps.clear()
        return self.backend.recover(lambda *step: self.steps.append(step)).result(30.0)

    def checks(self) -> dict[str, Any]:
        return {check.name: check for check in self.backend.preflight().result(5.0)}

    def tool(self) -> tuple[float, ...]:
        return tuple(round(1000 * value) for value in self.robot.motion.tcp_pose[:3])


@pytest.fixture
def link() -> Iterator[Link]:
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    made = Link()
    yield made
    made.close()


def watched(link: Link, condition: Callable[[], Any], event: str, tray: int = 0) -> list[Any]:
    """Do an event and return what a condition said on the way, each value once."""
    future, seen = link.begin(event, tray), []
    while not future.done():
        value = condition()
        if value not in seen:
            seen.append(value)
        time.sleep(0.002)
    assert future.result().phase is TriggerPhase.DONE, future.result()
    return seen


def test_a_piece_is_picked_from_its_slot_shown_and_placed(link: Link) -> None:
    link.hurry()
    link.do('HOME')
    lowest = min(watched(link, link.tool, PART, 1), key=lambda place: place[2])
    assert lowest == pytest.approx((-480, -420, 40), abs=3), 'the first slot of tray 1'
    assert link.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED]
    assert link.robot.registers.digital_outputs == 1 and link.robot.payload[0] == 1.2
    state = link.backend.state()
    assert state.joints.positions == pytest.approx(link.recipe.waypoints['camera'], abs=1e-3)
    assert (state.safety_mode, state.robot_mode, state.program_state) == (1, 7, RobotState.PROGRAM_PLAYING)
    assert state.data_age < 0.5 and state.message == ''
    lowest = min(watched(link, link.tool, 'PLACE'), key=lambda place: place[2])
    assert lowest == pytest.approx((100, 400, 100), abs=3)
    assert link.robot.registers.digital_outputs == 0


def test_the_slot_follows_from_the_ledger(link: Link) -> None:
    link.hurry()
    link.stock.counts[('EM1-2U1', 1)] = 23
    lowest = min(watched(link, link.tool, PART, 1), key=lambda place: place[2])
    assert lowest[0] == pytest.approx(-455, abs=3), 'the second slot'


def test_a_gripper_whose_piece_was_taken_out_opens_before_it_takes_the_next(link: Link) -> None:
    link.hurry()
    assert link.do(PART, 1).phase is TriggerPhase.DONE
    link.robot.piece = False
    wait_until(lambda: link.checks()['gripper empty'].ok, what='the piece is gone')

    def closed() -> bool:
        output = bool(link.robot.registers.digital_outputs & 1)
        link.robot.piece = link.robot.piece or not output
        return output

    assert watched(link, closed, PART, 1) == [True, False]
    assert closed()


def test_an_empty_slot_is_refused_and_the_arm_comes_back(link: Link) -> None:
    link.hurry()
    link.robot.piece = False
    outcome = link.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.REFUSED, ResultCode.ROBOT_REFUSED)
    assert 'slot 1 of tray 1' in outcome.message
    assert link.robot.registers.digital_outputs == 0
    assert link.backend.state().joints.positions == pytest.approx(link.recipe.waypoints['camera'], abs=1e-3)
    assert link.do('HOME').phase is TriggerPhase.DONE, 'nothing is held'


@pytest.mark.parametrize(
    ('event', 'tray', 'code'),
    [
        ('PART_NONE', 1, ResultCode.UNKNOWN_EVENT),
        (PART, 2, ResultCode.ROBOT_REFUSED),
        ('DANCE', 0, ResultCode.UNKNOWN_EVENT),
        ('MOVE_home', 0, ResultCode.NOT_SUPPORTED),
        ('PLACE', 0, ResultCode.ROBOT_REFUSED),
    ],
)
def test_what_cannot_be_done_is_not_begun(link: Link, event: str, tray: int, code: int) -> None:
    before = link.robot.motion.joints
    outcome = link.do(event, tray)
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, code), outcome
    assert link.phases == [] and link.robot.motion.joints == before


def test_out_of_bounds_is_refused_before_anything_moves(link: Link) -> None:
    link.robot.motion.joints = (0.0, 0.5, 0.5, 0.0, 0.0, 0.0)
    wait_until(lambda: link.backend.state().joints.positions[1] == 0.5)
    outcome = link.do('HOME')
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.OUT_OF_REACH)
    assert 'by hand' in outcome.message and link.robot.motion.joints[1] == 0.5


def test_a_control_process_killed_in_mid_move_leaves_a_cell_that_recovers_in_5_s(link: Link) -> None:
    future = link.moving(PART, 1)
    killed = time.monotonic()
    os.kill(link.backend.control_pid, signal.SIGKILL)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'control process ended' in outcome.message
    link.stands()
    joints = link.robot.motion.joints
    refused = link.do('HOME')
    assert (refused.phase, refused.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED) and 'recover' in refused.message
    answer = link.recover()
    assert answer.code == ResultCode.OK, answer
    took = time.monotonic() - killed
    assert took < 5.0
    assert link.robot.motion.joints == pytest.approx(joints, abs=1e-3), 'nothing moved before a fresh command'
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_a_control_process_killed_while_it_rests_is_replaced_by_itself(link: Link) -> None:
    link.hurry()
    assert link.do('HOME').phase is TriggerPhase.DONE
    os.kill(link.backend.control_pid, signal.SIGKILL)
    wait_until(lambda: link.backend.control_pid == 0)
    assert link.do('MOVE_home').code == ResultCode.NOT_SUPPORTED
    assert link.do(PART, 1).phase is TriggerPhase.DONE


def test_a_controller_that_has_rebooted_while_the_arm_stood_takes_the_next_job(link: Link) -> None:
    link.hurry()
    assert link.do('HOME').phase is TriggerPhase.DONE
    pid = link.backend.control_pid
    link.inject('reboot', 0.2)
    wait_until(lambda: link.backend.state().robot_mode == RobotState.MODE_POWER_OFF, what='it has booted')
    link.inject('attend')
    wait_until(lambda: link.backend.state().robot_mode == RobotState.MODE_RUNNING, what='a person has switched the arm on')
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the process whose script is gone has ended')
    assert all(check.ok for check in link.checks().values()), link.checks()
    assert link.do(PART, 1).phase is TriggerPhase.DONE


def test_a_protective_stop_ends_the_event_at_once_and_is_walked_back(link: Link) -> None:
    future = link.moving(PART, 1)
    stopped = time.monotonic()
    link.inject('protective_stop')
    outcome = future.result(SOON_S)
    assert (outcome.phase, outcome.code) == (
        TriggerPhase.UNKNOWN,
        ResultCode.ROBOT_STOPPED,
    ) and 'protective stop' in outcome.message
    link.stands()
    assert 'protective stop' in link.backend.state().message
    answer = link.recover()
    assert answer.code == ResultCode.OK, answer
    assert time.monotonic() - stopped >= 5.0, 'not unlocked before it was 5 s old'
    count = len(link.steps)
    assert [step[1:] for step in link.steps] == [(number, count) for number in range(1, count + 1)]
    assert 'protective stop' in link.steps[0][0] and 'Unlocking' in ' '.join(text for text, _, _ in link.steps)
    assert link.robot.safety is SafetyMode.NORMAL and link.backend.state().message == ''


def test_a_tool_stopped_in_a_tray_is_retracted_straight_up(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, 'UNLOCK_AFTER_S', 0.5)
    link.robot.timings = replace(TIMINGS, unlock=0.5)
    link.do('HOME')
    future = link.begin(PART, 1)
    wait_until(lambda: link.tool()[2] < 60 and link.tool()[1] < -400, what='in the tray')
    link.inject('protective_stop')
    future.result(SOON_S)
    x, y, low = link.tool()
    assert link.recover().code == ResultCode.OK
    assert link.tool() == pytest.approx((x, y, 120), abs=3) and low < 70


def test_an_emergency_stop_still_pressed_is_refused_and_recovers_when_it_is_turned_back(link: Link) -> None:
    future = link.moving(PART, 1)
    link.inject('emergency_stop', STAYS_S)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'emergency stop' in outcome.message
    answer = link.recover()
    assert answer.code == ResultCode.ROBOT_STOPPED and 'turn the button back' in answer.message
    link._world.loop.call_soon_threadsafe(link.robot.release_emergency_stop)
    wait_until(lambda: link.backend.state().safety_mode == RobotState.SAFETY_NORMAL)
    answer = link.recover()
    assert answer.code == ResultCode.OK, answer
    assert link.robot.mode is RobotMode.RUNNING
    assert 'Switching the arm on' in ' '.join(text for text, _, _ in link.steps)


def test_after_a_safeguard_stop_nothing_goes_on_by_itself(link: Link) -> None:
    future = link.moving(PART, 1)
    link.inject('safeguard_stop', STAYS_S)
    assert 'safeguard' in future.result(SOON_S).message
    link.stands()
    joints = link.robot.motion.joints
    assert 'safeguard' in link.recover().message
    link._world.loop.call_soon_threadsafe(link.robot.reset_safeguard)
    wait_until(lambda: link.robot.safety is SafetyMode.NORMAL)
    time.sleep(0.3)
    assert link.robot.motion.joints == joints
    assert link.recover().code == ResultCode.OK


@pytest.mark.parametrize(('fault', 'amount', 'word'), [('stall', 2.5, 'no data for'), ('disconnect', 1.0, 'lost')])
def test_data_that_does_not_come_ends_the_event_and_the_arm_stands(link: Link, fault: str, amount: float, word: str) -> None:
    future = link.moving(PART, 1)
    link.inject(fault, amount)
    outcome = future.result(4.0)
    assert outcome.phase is TriggerPhase.UNKNOWN and word in outcome.message
    link.stands()
    joints = link.robot.motion.joints
    wait_until(lambda: link.backend.state().connected, what='connected again')
    assert link.do('HOME').phase is TriggerPhase.NOT_SENT
    assert link.robot.motion.joints == joints
    assert link.recover().code == ResultCode.OK
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_a_person_stops_the_arm(link: Link) -> None:
    future = link.moving(PART, 1)
    assert link.backend.stop().result(SOON_S).code == ResultCode.OK
    assert 'the operator stopped the robot' in future.result(SOON_S).message
    link.stands()
    assert link.do('HOME').code == ResultCode.ROBOT_STOPPED


def test_a_piece_lost_on_the_way_stops_the_arm(link: Link) -> None:
    link.hurry()
    link.do(PART, 1)
    link.hurry(1.0)
    future = link.moving('PLACE')
    link.robot.piece = False
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'lost from the gripper' in outcome.message
    link.stands()


def test_too_many_protective_stops_need_a_person_at_the_pendant(link: Link) -> None:
    link.stops.add(time.monotonic())
    link.stops.add(time.monotonic())
    link.inject('protective_stop')
    wait_until(lambda: link.backend.state().safety_mode == RobotState.SAFETY_PROTECTIVE_STOP)
    answer = link.recover()
    assert answer.code == ResultCode.ROBOT_STOPPED and 'one protective stop too many' in answer.message


def test_local_mode_is_named_by_the_preflight_and_refuses_motion(link: Link) -> None:
    assert all(check.ok for check in link.checks().values())
    link.inject('local_mode', 30.0)
    check = link.checks()['remote control']
    assert not check.ok and 'remote control on the pendant' in check.message
    outcome = link.do('HOME')
    assert outcome.phase is TriggerPhase.NOT_SENT and 'local mode' in outcome.message
    assert 'local mode' in link.recover().message


def test_a_piece_in_the_gripper_and_a_stop_are_named_by_the_preflight(link: Link) -> None:
    link.hurry()
    link.do(PART, 1)
    checks = link.checks()
    assert not checks['gripper empty'].ok and 'REJECT' in checks['gripper empty'].message and checks['program'].ok
    link.inject('safeguard_stop', STAYS_S)
    wait_until(lambda: link.backend.state().safety_mode == RobotState.SAFETY_SAFEGUARD_STOP)
    assert 'safeguard' in link.checks()['safety'].message


def test_a_benchmark_part_is_shown_and_laid_back(link: Link) -> None:
    link.hurry()
    assert link.do('BENCHMARK').phase is TriggerPhase.DONE
    lowest = min(watched(link, link.tool, 'HOME'), key=lambda place: place[2])
    assert lowest == pytest.approx((250, 350, 60), abs=3)
    assert link.robot.registers.digital_outputs == 0
    assert link.robot.motion.joints == pytest.approx(link.recipe.waypoints['home'], abs=1e-3)


def test_a_control_process_that_hangs_in_mid_move_is_killed_and_the_arm_stands(link: Link) -> None:
    future = link.moving(PART, 1)
    pid = link.backend.control_pid
    os.kill(pid, signal.SIGSTOP)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    link.stands()
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the process is gone')
    assert link.recover().code == ResultCode.OK
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_no_control_process_outlives_the_backend(link: Link) -> None:
    link.hurry()
    link.do('HOME')
    pid = link.backend.control_pid
    assert pid
    link.backend.close()
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the process is gone')
    link.stands()
