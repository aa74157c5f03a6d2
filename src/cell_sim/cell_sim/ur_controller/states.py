"""Modes and states of a UR controller, with the numbers of its interfaces.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide" and "Dashboard Server e-Series".

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from cell_robot.robot_modes import RobotMode, SafetyMode

EMERGENCY = (SafetyMode.SYSTEM_EMERGENCY_STOP, SafetyMode.ROBOT_EMERGENCY_STOP)
FREE_TO_MOVE = (SafetyMode.NORMAL, SafetyMode.REDUCED)
JOINT_MODES = {RobotMode.RUNNING: 253, RobotMode.IDLE: 255, RobotMode.POWER_ON: 235}
"""Joint mode in each robot mode; JOINT_POWER_OFF (239) in all others."""
# Joint modes are numbers from 235 on.
JOINT_POWER_OFF = 239


@dataclass(frozen=True)
class Version:
    """Software version that dashboard and RTDE report.

    Attributes:
        major: 5 is the e-Series.
        minor: RTDE clients enable variables by it.
        bugfix: Third number.
        build: Fourth number.
        date: As the dashboard prints it.
    """

    major: int = 5
    minor: int = 11
    bugfix: int = 1
    build: int = 108318
    date: str = 'Mar 23 2022'

    @property
    def number(self) -> str:
        """Version number with dots."""
        return f'{self.major}.{self.minor}.{self.bugfix}.{self.build}'


@dataclass(frozen=True)
class Timings:
    """Delays of the controller, seconds.

    Real controllers take longer to power on and boot; 5 s before an unlock is the manufacturer's
    rule.

    Attributes:
        power_on: From POWER_ON to IDLE.
        brake_release: From IDLE to RUNNING.
        boot: From the restart to POWER_OFF.
        unlock: Time after a protective stop before which it cannot be unlocked.
        safety_restart: Duration of a safety restart.
    """

    power_on: float = 2.0
    brake_release: float = 1.5
    boot: float = 10.0
    unlock: float = 5.0
    safety_restart: float = 3.0


def safety_bits(mode: SafetyMode) -> int:
    """Return `safety_status_bits` of a safety mode.

    Args:
        mode: Safety mode.

    Returns:
        Bits as in the RTDE guide: 0 normal, 1 reduced, 2 protective stop, 3 recovery, 4 safeguard
        stop, 5 system emergency stop, 6 robot emergency stop, 7 emergency stop, 8 violation, 9
        fault, 10 stopped due to safety.
    """
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
