"""Signals of the simulated grippers, and their faults."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from cell_robot.recipe_file import parse_recipe
from cell_sim.ur_controller.registers import Registers
from cell_sim.world.gripper import SimulatedGripper
from cell_sim.world.gripper_wires import LEAK_V, VACUUM_V, RobotiqFingers, make_wiring
from cell_sim.world.parts import TrayMix
from cell_sim.world.world import World

PART = 'EM1-2U1'
VACUUM = {'kind': 'vacuum', 'vacuum_output': 0, 'vacuum_analog': 1, 'threshold': 6.0, 'close_time': 0.5, 'open_time': 0.3}
ROBOTIQ = {'kind': 'robotiq', 'close_time': 1.5, 'open_time': 1.5}
CYCLE_S = 0.004


class Bench:
    """An arm that stands at the first slot of a tray."""

    def __init__(self, gripper: dict[str, Any]) -> None:
        data = yaml.safe_load((Path(__file__).resolve().parents[4] / 'config' / 'recipe.yaml').read_text())
        recipe = parse_recipe(data | {'gripper': gripper, 'parts': {PART: data['parts'][PART]}}, reach=False)
        self.events: list[str] = []
        world = World(TrayMix((PART,)), lambda event, **_: self.events.append(event))
        world.fill([(PART, 1, 5)])
        world.presented_part = PART
        self.gripper = SimulatedGripper(recipe, world)
        self.wiring: Any = make_wiring(recipe, self.gripper)
        joints = recipe.cell.solve(recipe.parts[PART][1].slots[0].pose, recipe.waypoints['camera'])
        motion = SimpleNamespace(joints=joints, speeds=(0.0,) * 6)
        self.controller: Any = SimpleNamespace(motion=motion, registers=Registers(), timestamp=60.0, time_scale=1.0)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / CYCLE_S)):
            self.controller.timestamp += CYCLE_S
            self.wiring.step(self.controller)

    @property
    def volts(self) -> float:
        return float(self.controller.registers.analog_inputs[1])


def test_the_vacuum_signal_shows_a_part_an_open_cup_and_nothing() -> None:
    bench = Bench(VACUUM)
    bench.run(0.1)
    assert bench.volts == 0.0
    bench.controller.registers.set_output(0, True)
    bench.run(0.5)
    assert bench.gripper.holds and bench.volts == pytest.approx(VACUUM_V, abs=0.1)
    bench.controller.registers.set_output(0, False)
    bench.run(0.5)
    assert not bench.gripper.holds and bench.volts == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(('fault', 'held', 'volts'), [('no_grip', False, LEAK_V), ('slip', False, LEAK_V)])
def test_without_a_part_the_cup_leaks(fault: str, held: bool, volts: float) -> None:
    bench = Bench(VACUUM)
    bench.gripper.faults.inject(fault, 1.0 if fault == 'no_grip' else 0.2)
    bench.controller.registers.set_output(0, True)
    bench.run(1.0)
    assert bench.gripper.holds is held and bench.volts == pytest.approx(volts, abs=0.1)
    assert ('dropped' in bench.events) == (fault == 'slip')


def test_robotiq_fingers_stop_at_a_part_and_close_without_one() -> None:
    bench = Bench(ROBOTIQ)
    fingers: RobotiqFingers = bench.wiring
    assert fingers.answer('GET STA\n') == 'STA 003\n' and fingers.answer('GET XYZ') == fingers.answer('hello') == ''
    bench.run(0.01)
    assert fingers.answer('SET POS 255 SPE 255 FOR 50 GTO 1') == 'ack'
    bench.run(0.1)
    assert fingers.answer('GET OBJ') == 'OBJ 000\n'
    bench.run(0.9)
    assert (fingers.answer('GET OBJ'), bench.gripper.holds) == ('OBJ 002\n', True)
    bench.gripper.faults.inject('slip', 0.01)
    bench.run(0.5)
    assert (fingers.answer('GET OBJ'), bench.gripper.holds) == ('OBJ 003\n', False)


def test_robotiq_fingers_that_stay_closed_report_that_they_met_something() -> None:
    bench = Bench(ROBOTIQ)
    bench.wiring.answer('SET POS 255')
    bench.run(1.0)
    bench.gripper.faults.inject('stay_closed')
    bench.wiring.answer('SET POS 0')
    bench.run(1.0)
    assert bench.wiring.values['OBJ'] == 1 and bench.gripper.holds
