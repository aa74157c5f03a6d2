"""Frames of the primary and secondary interfaces: version, messages, robot state.

Source: Universal Robots, "Primary and secondary client interface". All numbers are big-endian.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct

from cell_robot.robot_modes import RobotMode, RuntimeState, SafetyMode

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.states import EMERGENCY, JOINT_MODES, JOINT_POWER_OFF, Version

# Message types of the primary interface, as in the manual of Universal Robots.
ROBOT_STATE, ROBOT_MESSAGE = 16, 20
TEXT, VERSION, SAFETY_MODE, RUNTIME_EXCEPTION = 0, 3, 5, 10
# Source of messages of the controller itself, as real controllers send it.
SOURCE = -2
# All bits of a uint64: the message has no time of its own.
NO_TIMESTAMP = 0xFFFFFFFFFFFFFFFF
NAME = b'URControl'
BUILT = '23-03-2022, 00:00:00'
JOINT_VOLTAGE, MOTOR_TEMPERATURE = 48.0, 28.0


def version_message(version: Version) -> bytes:
    """Return the first frame of every connection, 55 bytes.

    Args:
        version: Software version; BUILT is a fixed date.
    """
    body = struct.pack('>BBii', version.major, version.minor, version.bugfix, version.build)
    return _message(NO_TIMESTAMP, VERSION, bytes([len(NAME)]) + NAME + body + BUILT.encode())


def safety_mode_message(controller: Controller) -> bytes:
    """Return the second frame of every connection, 24 bytes: code 0, argument 0 and the safety mode."""
    return _message(NO_TIMESTAMP, SAFETY_MODE, struct.pack('>iiB', 0, 0, controller.safety))


def runtime_exception_message(text: str, timestamp: float) -> bytes:
    """Return the message of a program that ended with an error; line and column are 0, because programs are not text here.

    Args:
        text: Error.
        timestamp: Seconds since the controller started; the frame has microseconds.
    """
    return _message(int(timestamp * 1e6), RUNTIME_EXCEPTION, struct.pack('>ii', 0, 0) + text.encode())


def text_message(text: str, timestamp: float) -> bytes:
    """Return a message for the operator.

    Args:
        text: Message.
        timestamp: Seconds since the controller started.
    """
    return _message(int(timestamp * 1e6), TEXT, text.encode())


def robot_state(controller: Controller) -> bytes:
    """Return the robot state: modes, joints and tool.

    The frame has the sub-packages 0 (robot mode), 1 (joints) and 4 (Cartesian info). Real
    controllers send more; clients must skip unknown ones by their length.

    Args:
        controller: Controller to describe.
    """
    return _frame(ROBOT_STATE, _modes(controller) + _joints(controller) + _tool(controller))


def _modes(c: Controller) -> bytes:
    powered = c.mode in (RobotMode.POWER_ON, RobotMode.IDLE, RobotMode.RUNNING)
    flags = (
        True,
        True,
        powered,
        c.safety in EMERGENCY,
        c.safety == SafetyMode.PROTECTIVE_STOP,
        c.runtime == RuntimeState.PLAYING,
        c.runtime == RuntimeState.PAUSED,
    )
    slider = c.registers.speed_slider
    return _part(0, struct.pack('>Q7?bB3dB', int(c.timestamp * 1e6), *flags, c.mode, 0, slider, slider, 1.0, 0))


def _joints(c: Controller) -> bytes:
    mode = JOINT_MODES.get(c.mode, JOINT_POWER_OFF)
    rows = (
        struct.pack('>3d4fB', angle, angle, speed, 0.0, JOINT_VOLTAGE, MOTOR_TEMPERATURE, MOTOR_TEMPERATURE, mode)
        for angle, speed in zip(c.motion.joints, c.motion.speeds, strict=True)
    )
    return _part(1, b''.join(rows))


def _tool(c: Controller) -> bytes:
    return _part(4, struct.pack('>12d', *c.motion.tcp_pose, *c.motion.tcp_offset))


def _message(timestamp: int, kind: int, body: bytes) -> bytes:
    return _frame(ROBOT_MESSAGE, struct.pack('>Qbb', timestamp, SOURCE, kind) + body)


def _frame(kind: int, body: bytes) -> bytes:
    return struct.pack('>iB', len(body) + 5, kind) + body


def _part(kind: int, body: bytes) -> bytes:
    return struct.pack('>IB', len(body) + 5, kind) + body
