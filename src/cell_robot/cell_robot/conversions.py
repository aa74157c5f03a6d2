"""Conversion of the node's state to messages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from builtin_interfaces.msg import Time
from cell_common.diagnostics import Health
from cell_common.error_code import ErrorCode
from cell_common.ros_time import to_msg
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState

from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import PreflightCheck as PreflightCheckMessage
from cell_interfaces.msg import RobotState
from cell_robot.backends.base import JointPositions, LinkState, PreflightCheck
from cell_robot.backends.trigger import TriggerPhase
from cell_robot.motion.poses import quaternion
from cell_robot.trigger_admission import TriggerRecord

RESULTS = {
    TriggerPhase.DONE: TriggerRobot.Result.SUCCEEDED,
    TriggerPhase.NOT_SENT: TriggerRobot.Result.NOT_SENT,
    TriggerPhase.REFUSED: TriggerRobot.Result.REFUSED,
    TriggerPhase.UNKNOWN: TriggerRobot.Result.UNKNOWN,
    TriggerPhase.INTERRUPTED: TriggerRobot.Result.INTERRUPTED,
}
FEEDBACK = {
    TriggerPhase.SENT: TriggerRobot.Feedback.SENT,
    TriggerPhase.ACKNOWLEDGED: TriggerRobot.Feedback.ACKNOWLEDGED,
}
STATES = {
    TriggerPhase.SENT: RobotState.TRIGGER_SENT,
    TriggerPhase.ACKNOWLEDGED: RobotState.TRIGGER_ACKNOWLEDGED,
    TriggerPhase.DONE: RobotState.TRIGGER_DONE,
    TriggerPhase.REFUSED: RobotState.TRIGGER_REFUSED,
    TriggerPhase.UNKNOWN: RobotState.TRIGGER_UNKNOWN,
    TriggerPhase.INTERRUPTED: RobotState.TRIGGER_INTERRUPTED,
}
OUTCOME_UNKNOWN = 'The outcome of the last trigger is unknown. Resolve the step on the job page.'


def state_message(stamp: Time, backend: str, state: LinkState, last: TriggerRecord | None, recoveries: int) -> RobotState:
    """Return the message of robot/state.

    Args:
        stamp: Now.
        backend: Its name.
        state: What the backend knows; NaN and 0 mean unknown, as in the message.
        last: Latest trigger that was sent, None before the first.
        recoveries: Successful recoveries since the start of the node.
    """
    message = RobotState(
        stamp=stamp,
        backend=backend,
        connected=state.connected,
        peer=state.peer,
        robot_mode=state.robot_mode,
        safety_mode=state.safety_mode,
        program_state=state.program_state,
        speed_scaling=state.speed_scaling,
        data_age=state.data_age,
        message=state.message,
        recoveries=recoveries,
    )
    if last is not None:
        message.last_trigger_state = STATES[last.phase]
        message.last_trigger_id, message.last_trigger_event = last.command.trigger_id, last.command.event
        message.last_trigger_at = to_msg(last.sent_at_ns)
    return message


def joint_message(stamp: Time, joints: JointPositions) -> JointState:
    """Return the message of joint_states.

    Args:
        stamp: ROS time at which the package arrived.
        joints: Names of the URDF, angles in radians, speeds in rad/s.
    """
    message = JointState(name=list(joints.names), position=list(joints.positions), velocity=list(joints.velocities))
    message.header.stamp = stamp
    return message


def tool_message(stamp: Time, frame: str, tool: Sequence[float]) -> PoseStamped:
    """Return the message of robot/tool_pose.

    Args:
        stamp: Time of the pose.
        frame: Base frame of the controller.
        tool: Tool center point in it: meters and a rotation vector.
    """
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, frame
    position, orientation = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = tool[:3]
    orientation.x, orientation.y, orientation.z, orientation.w = quaternion(tool[3:])
    return message


def link_health(backend: str, state: LinkState, last: TriggerRecord | None) -> Health:
    """Return the robot connection's line of /diagnostics.

    ERROR without a robot, or while nothing may move; WARN for an unknown outcome and for any other message.

    Args:
        backend: Name of the backend.
        state: Its state; `data_age` in seconds, NaN where the robot sends no data without a trigger.
        last: Latest trigger of this process, None before the first one.
    """
    age = '' if math.isnan(state.data_age) else f'{state.data_age:.2f} s'
    values = {'backend': backend, 'peer': state.peer, 'data_age': age, 'step_times': state.step_times}
    if not state.connected or state.blocked:
        return Health(2, state.message, values)
    if last is not None and last.phase is TriggerPhase.UNKNOWN:
        return Health(1, OUTCOME_UNKNOWN, values)
    return Health(1 if state.message else 0, state.message, values)


def preflight_result(checks: Sequence[PreflightCheck]) -> tuple[ErrorCode, str]:
    """Return code and message of robot/preflight: the first failed line, or OK."""
    for check in checks:
        if not check.ok:
            return ErrorCode.PREFLIGHT_FAILED, f'{check.name}: {check.message}'
    return ErrorCode.OK, ''


def preflight_lines(checks: Sequence[PreflightCheck]) -> list[PreflightCheckMessage]:
    """Return the lines of robot/preflight."""
    return [PreflightCheckMessage(name=check.name, ok=check.ok, message=check.message) for check in checks]
