"""Modes and states of a controller, with the numbers that its interfaces use.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide" and "Dashboard Server e-Series".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RobotMode(enum.IntEnum):
    """What the arm's power and brakes are doing."""

    NO_CONTROLLER = -1
    DISCONNECTED = 0
    CONFIRM_SAFETY = 1
    BOOTING = 2
    POWER_OFF = 3
    POWER_ON = 4
    IDLE = 5
    BACKDRIVE = 6
    RUNNING = 7
    UPDATING_FIRMWARE = 8


class SafetyMode(enum.IntEnum):
    """What the safety system allows; the same numbers as the safety status."""

    NORMAL = 1
    REDUCED = 2
    PROTECTIVE_STOP = 3
    RECOVERY = 4
    SAFEGUARD_STOP = 5
    SYSTEM_EMERGENCY_STOP = 6
    ROBOT_EMERGENCY_STOP = 7
    VIOLATION = 8
    FAULT = 9


class RuntimeState(enum.IntEnum):
    """What the program is doing."""

    STOPPING = 0
    STOPPED = 1
    PLAYING = 2
    PAUSING = 3
    PAUSED = 4
    RESUMING = 5


EMERGENCY = (SafetyMode.SYSTEM_EMERGENCY_STOP, SafetyMode.ROBOT_EMERGENCY_STOP)
FREE_TO_MOVE = (SafetyMode.NORMAL, SafetyMode.REDUCED)
JOINT_MODES = {RobotMode.RUNNING: 253, RobotMode.IDLE: 255, RobotMode.POWER_ON: 235}
"""Mode of every joint while the arm is in a mode; JOINT_POWER_OFF (239) in all others."""
JOINT_POWER_OFF = 239


@dataclass(frozen=True)
class Version:
    """Version of the controller's software; dashboard and RTDE tell the same one."""

    major: int = 5
    minor: int = 11
    bugfix: int = 1
    build: int = 108318
    date: str = 'Mar 23 2022'

    @property
    def number(self) -> str:
        """The version with dots."""
        return f'{self.major}.{self.minor}.{self.bugfix}.{self.build}'


@dataclass(frozen=True)
class Timings:
    """How long the controller takes, seconds."""

    power_on: float = 2.0
    brake_release: float = 1.5
    boot: float = 10.0
    unlock: float = 5.0
    """A protective stop cannot be unlocked earlier than this after it occurred."""
    safety_restart: float = 3.0


def safety_bits(mode: SafetyMode) -> int:
    """Return `safety_status_bits` of a safety mode."""
    bits = {
        SafetyMode.NORMAL: 0b1,
        SafetyMode.REDUCED: 0b10,
        SafetyMode.PROTECTIVE_STOP: 0b100,
        SafetyMode.RECOVERY: 0b1000,
        SafetyMode.SAFEGUARD_STOP: 0b10000,
        SafetyMode.SYSTEM_EMERGENCY_STOP: 0b10100000,
        SafetyMode.ROBOT_EMERGENCY_STOP: 0b11000000,
        SafetyMode.VIOLATION: 0b1_00000000,
        SafetyMode.FAULT: 0b10_00000000,
    }[mode]
    stopped = mode not in (*FREE_TO_MOVE, SafetyMode.RECOVERY)
    return bits | (stopped << 10)
