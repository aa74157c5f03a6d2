"""Vacuum gripper on the data of a controller: threshold, blow-off, and a leak on the way."""

from __future__ import annotations

import asyncio

import pytest
from cell_robot.backends.rtde.grippers import VacuumGripper, make_gripper
from cell_robot.motion.recipe import GripperSettings, VacuumSettings
from cell_robot.protocols.rtde.snapshot import RobotSnapshot

VALVE, BLOW = 0, 1


def settings(**vacuum):
    return GripperSettings(VALVE, None, vacuum.pop('part_input', None), 0.5, 0.1, vacuum=VacuumSettings(BLOW, 0.1, **vacuum))


class Wires:
    """Controller whose readings the test sets; waiting takes no time."""

    def __init__(self, *, volts=None, good=None):
        self.volts, self.good, self.time, self.switched, self.waited = volts, good or (lambda _on: 0.0), 0.0, [], []
        self.outputs = 0

    @property
    def latest(self):
        analog = self.volts if self.volts is not None else self.good(bool(self.outputs & 1 << VALVE))
        return RobotSnapshot(self.time, (), (), (), 7, 1, 2, 1.0, 0, self.outputs, analog=(analog, None))

    async def set_outputs(self, outputs):
        self.switched.append(dict(outputs))
        for pin, on in outputs.items():
            self.outputs = self.outputs & ~(1 << pin) | on << pin

    async def wait_for(self, condition, timeout_s):
        self.waited.append(timeout_s)
        return condition()


def run(gripper, closed):
    return asyncio.run(gripper.switch(closed, 0.5))


def test_the_vacuum_ends_the_wait_and_the_blow_off_lasts_its_time():
    wires = Wires(good=lambda on: 8.0 if on else 0.0)
    gripper = make_gripper(settings(analog_input=0, threshold=6.0), wires, '')
    assert isinstance(gripper, VacuumGripper) and gripper.holds is False and gripper.closed is False
    assert run(gripper, True) and gripper.holds and gripper.closed
    assert wires.switched == [{VALVE: True, BLOW: False}]
    wires.switched.clear()
    assert run(gripper, False) and not gripper.holds
    assert wires.switched == [{VALVE: False, BLOW: True}, {BLOW: False}] and 0.1 in wires.waited


@pytest.mark.parametrize('falling', [False, True])
def test_no_vacuum_is_no_piece_and_vacuum_that_stays_is_a_piece_that_sticks(falling):
    open_cup, held = (8.0, 2.0) if falling else (2.0, 8.0)
    gripper = VacuumGripper(
        settings(analog_input=0, threshold=6.0 if not falling else 4.0, falling=falling), Wires(volts=open_cup)
    )
    assert not run(gripper, True)
    gripper = VacuumGripper(settings(analog_input=0, threshold=6.0 if not falling else 4.0, falling=falling), Wires(volts=held))
    assert gripper.holds and not run(gripper, False)


def test_a_dip_is_no_loss_but_a_leak_is():
    wires = Wires(volts=8.0)
    gripper = VacuumGripper(settings(analog_input=0, threshold=6.0, leak_time=0.1), wires)
    assert not gripper.lost
    wires.volts, wires.time = 3.0, 1.0
    assert not gripper.lost
    wires.volts, wires.time = 8.0, 1.05
    assert not gripper.lost
    wires.volts, wires.time = 3.0, 2.0
    assert not gripper.lost
    wires.time = 2.11
    assert gripper.lost


def test_an_analog_input_that_is_not_reported_is_named():
    gripper = VacuumGripper(settings(analog_input=1, threshold=6.0), Wires(volts=8.0))
    assert gripper.holds is None and 'analog input 1' in gripper.message and not gripper.lost


def test_a_vacuum_switch_is_a_digital_input():
    gripper = VacuumGripper(settings(part_input=3), Wires(volts=8.0))
    assert gripper.holds is False and gripper.message == ''
    assert VacuumGripper(settings(), Wires(volts=8.0)).holds is None, 'no sensor at all'
