"""Frame of the real-time client interface (30003): a length and 152 doubles, as in software 5.10 and later.

Source: Universal Robots, "Remote control via TCP/IP", table of the real-time client interface. Values that the
model does not compute are sent as zero.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct

from cell_robot.robot_modes import RobotMode

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.states import JOINT_MODES, JOINT_POWER_OFF

# Size of the frame on port 30003 for PolyScope 5.10 and newer.
FRAME_SIZE = 1220
_FRAME = struct.Struct('>i152d')
_SIX, _THREE = (0.0,) * 6, (0.0,) * 3
TEMPERATURE, VOLTAGE = 28.0, 48.0


def realtime_frame(c: Controller) -> bytes:
    """Return the frame of the current state, 1220 bytes.

    Args:
        c: Controller; target and actual values are equal, because the model follows its targets
            exactly.
    """
    motion = c.motion
    powered = VOLTAGE if c.mode in (RobotMode.IDLE, RobotMode.RUNNING) else 0.0
    joint_mode = float(JOINT_MODES.get(c.mode, JOINT_POWER_OFF))
    tool, tool_speed = motion.tcp_pose, motion.tcp_speed
    values = (
        c.timestamp,
        *motion.joints,
        *motion.speeds,
        *_SIX,
        *_SIX,
        *_SIX,  # target: angle, speed, acceleration, current, moment
        *motion.joints,
        *motion.speeds,
        *_SIX,
        *_SIX,  # actual: angle, speed, current, control current
        *tool,
        *tool_speed,
        *_SIX,  # actual pose and speed, force
        *tool,
        *tool_speed,  # target pose and speed
        float(c.registers.digital_inputs),
        *(TEMPERATURE,) * 6,
        0.0,
        0.0,  # then controller timer and test value
        float(c.mode),
        *(joint_mode,) * 6,
        float(c.safety),
        *_SIX,
        *_THREE,
        *_SIX,  # reserved, accelerometer, reserved
        c.speed_scaling,
        0.0,
        0.0,
        0.0,  # momentum, reserved
        VOLTAGE,
        powered,
        0.0,
        *(powered,) * 6,
        float(c.registers.digital_outputs),
        float(c.runtime),
        *_THREE,
        *_THREE,
        float(c.safety),
        *_THREE,  # elbow, its speed, safety status, reserved
        c.payload[0],
        *c.payload[1:4],
        *_SIX,
    )
    return _FRAME.pack(FRAME_SIZE, *values)
