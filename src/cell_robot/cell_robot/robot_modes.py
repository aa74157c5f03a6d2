"""Modes of the robot as plain enums, numbered as in RTDE and in cell_interfaces/RobotState.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide": robot_mode, safety_mode, runtime_state.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum

__all__ = ['ProgramState', 'RobotMode', 'RuntimeState', 'SafetyMode']


class RobotMode(enum.IntEnum):
    """State of power and brakes."""

    UNKNOWN = -2
    """The backend cannot tell."""
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
    """State of the safety system. Software reads it and never resets it.

    Higher numbers exist (three-position enabling, PROFIsafe and others); code must treat them as stops.
    """

    UNKNOWN = 0
    """The backend cannot tell."""
    NORMAL = 1
    REDUCED = 2
    PROTECTIVE_STOP = 3
    RECOVERY = 4
    SAFEGUARD_STOP = 5
    SYSTEM_EMERGENCY_STOP = 6
    ROBOT_EMERGENCY_STOP = 7
    VIOLATION = 8
    FAULT = 9


class ProgramState(enum.IntEnum):
    """State of the program on the controller, as in RobotState.program_state."""

    UNKNOWN = 0
    STOPPED = 1
    PLAYING = 2
    PAUSED = 3


class RuntimeState(enum.IntEnum):
    """RTDE variable runtime_state."""

    STOPPING = 0
    STOPPED = 1
    PLAYING = 2
    PAUSING = 3
    PAUSED = 4
    RESUMING = 5
