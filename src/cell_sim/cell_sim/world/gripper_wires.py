"""Wires between the simulated gripper and the controller: digital, vacuum with its signal, or a Robotiq gripper's registers.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from cell_robot.motion import CellRecipe, RobotiqSettings, VacuumSettings

from cell_sim.ur_controller.controller import Controller
from cell_sim.world.gripper import SimulatedGripper

__all__ = ['GripperWiring', 'RobotiqFingers', 'make_wiring']

VACUUM_V, LEAK_V = 8.0, 2.0
"""Vacuum signal with a part, and of an open suction cup."""
SWITCH_V = 6.0
"""The digital vacuum switch is on from this signal."""
FULL_V = 10.0
RISE_S = 0.05
STROKE_S = 0.6
"""Time of the fingers for their whole stroke at full speed."""
PART, SHUT = 180, 228
"""Finger positions at a part, and completely closed."""
ACTIVE = 3
MOVING, BLOCKED, GRIPPED, ARRIVED = range(4)
_SET = re.compile(r'SET((?: +[A-Z]{3} +\d{1,3})+)')


class GripperWiring(Protocol):
    """Passes outputs of the controller to the gripper and its sensor back, once a cycle."""

    def step(self, controller: Controller) -> None:
        """Process one controller cycle."""


class DigitalWiring:
    """Gripper on digital outputs, part sensor on a digital input."""

    def __init__(self, gripper: SimulatedGripper, part_input: int | None) -> None:
        self._gripper, self._part_input = gripper, part_input

    def step(self, controller: Controller) -> None:
        """Process one controller cycle."""
        motion, registers = controller.motion, controller.registers
        holds = self._gripper.update(motion.joints, motion.speeds, registers.digital_outputs, controller.timestamp)
        if self._part_input is not None:
            registers.set_input(self._part_input, holds)


class VacuumWiring:
    """Suction cup on a valve; its signal is an analog input, or a digital switch."""

    def __init__(self, gripper: SimulatedGripper, settings: VacuumSettings, switch_input: int | None) -> None:
        self._gripper, self._settings, self._switch_input = gripper, settings, switch_input
        self._signal, self._stepped_at = 0.0, 0.0

    def step(self, controller: Controller) -> None:
        """Process one controller cycle."""
        motion, registers, now = controller.motion, controller.registers, controller.timestamp
        holds = self._gripper.update(motion.joints, motion.speeds, registers.digital_outputs, now)
        target = VACUUM_V if holds else LEAK_V if self._gripper.closed else 0.0
        share = max(0.0, min(1.0, (now - self._stepped_at) / RISE_S))
        self._signal, self._stepped_at = self._signal + share * (target - self._signal), now
        pin = self._settings.analog_input
        if pin is not None:
            registers.analog_inputs[pin] = FULL_V - self._signal if self._settings.falling else self._signal
        if self._switch_input is not None:
            registers.set_input(self._switch_input, self._signal >= SWITCH_V)


class RobotiqFingers:
    """Registers and fingers of a Robotiq gripper."""

    def __init__(self, gripper: SimulatedGripper, settings: RobotiqSettings) -> None:
        self._gripper, self._settings = gripper, settings
        self.values = {'ACT': 1, 'STA': ACTIVE, 'GTO': 1, 'POS': 0, 'PRE': 0, 'SPE': 255, 'FOR': 0, 'OBJ': ARRIVED, 'FLT': 0}
        """Register -> value, 0..255."""
        self._position, self._stepped_at = float(settings.open_position), 0.0

    def step(self, controller: Controller) -> None:
        """Process one controller cycle."""
        motion, now, gripper = controller.motion, controller.timestamp, self._gripper
        gripper.update(motion.joints, motion.speeds, 0, now)
        seconds, self._stepped_at = max(0.0, now - self._stepped_at) * controller.time_scale, now
        goal = min(self.values['PRE'], SHUT)
        closing = goal > self._position
        before_part = closing and self._position < PART <= goal
        if before_part and self._advance(PART, seconds):  # the fingers meet a part, or nothing, at this position
            gripper.set_closed(True, motion.joints, now)
        elif not closing and goal < self._position and gripper.closed:
            gripper.set_closed(False, motion.joints, now)
        blocked = gripper.holds and self._position >= PART
        if not before_part and not blocked:
            self._advance(goal, seconds)
        self.values['POS'] = round(self._position)
        if self._position == goal:
            self.values['OBJ'] = ARRIVED
        else:
            self.values['OBJ'] = (GRIPPED if closing else BLOCKED) if blocked else MOVING

    def answer(self, line: str) -> str:
        """Return the answer of the URCap to a line, "" to one that it does not understand."""
        words = line.strip().upper()
        if words.startswith('GET '):
            name = words.removeprefix('GET ').strip()
            return f'{name} {self.values[name]:03d}\n' if name in self.values else ''
        if (found := _SET.fullmatch(words)) is None:
            return ''
        parts = found[1].split()
        for name, value in zip(parts[::2], parts[1::2], strict=True):
            register = 'PRE' if name == 'POS' else name
            if register in self.values:
                self.values[register] = min(255, int(value))
        return 'ack'

    def _advance(self, goal: float, seconds: float) -> bool:
        """Move the fingers towards a position; returns True when they have reached it."""
        step = 255.0 / STROKE_S * max(1, self.values['SPE']) / 255.0 * seconds
        self._position += max(-step, min(step, goal - self._position))
        return self._position == goal


def make_wiring(recipe: CellRecipe, gripper: SimulatedGripper) -> GripperWiring:
    """Return the wiring of a recipe's gripper."""
    settings = recipe.gripper
    kinds: list[tuple[object, Callable[[], GripperWiring]]] = [
        (settings.robotiq, lambda: RobotiqFingers(gripper, settings.robotiq or RobotiqSettings())),
        (settings.vacuum, lambda: VacuumWiring(gripper, settings.vacuum or VacuumSettings(), settings.part_input)),
    ]
    return next((make() for chosen, make in kinds if chosen is not None), DigitalWiring(gripper, settings.part_input))
