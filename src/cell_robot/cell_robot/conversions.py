"""What the node knows, as messages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from builtin_interfaces.msg import Time as TimeMessage
from cell_common.diagnostics import Health
from rclpy.time import Time
from sensor_msgs.msg import JointState

from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import PreflightCheck, ResultCode, RobotState
from cell_robot.backends.base import Check, Joints, LinkState, Phase
from cell_robot.trigger_admission import Record

RESULTS = {
    Phase.DONE: TriggerRobot.Result.SUCCEEDED,
    Phase.NOT_SENT: TriggerRobot.Result.NOT_SENT,
    Phase.REFUSED: TriggerRobot.Result.REFUSED,
    Phase.UNKNOWN: TriggerRobot.Result.UNKNOWN,
}
FEEDBACK = {Phase.SENT: TriggerRobot.Feedback.SENT, Phase.ACKNOWLEDGED: TriggerRobot.Feedback.ACKNOWLEDGED}
STATES = {
    Phase.SENT: RobotState.TRIGGER_SENT,
    Phase.ACKNOWLEDGED: RobotState.TRIGGER_ACKNOWLEDGED,
    Phase.DONE: RobotState.TRIGGER_DONE,
    Phase.REFUSED: RobotState.TRIGGER_REFUSED,
    Phase.UNKNOWN: RobotState.TRIGGER_UNKNOWN,
}
UNKNOWN = 'The outcome of the last trigger is unknown. Resolve the step on the job page.'


def state_message(stamp: TimeMessage, backend: str, state: LinkState, last: Record | None, recoveries: int) -> RobotState:
    """Return robot/state."""
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
        message.last_trigger_at = Time(nanoseconds=last.sent_at_ns).to_msg()
    return message


def joint_message(stamp: TimeMessage, joints: Joints) -> JointState:
    """Return joint_states; names and values go together, whatever their order."""
    message = JointState(name=list(joints.names), position=list(joints.positions), velocity=list(joints.velocities))
    message.header.stamp = stamp
    return message


def health(backend: str, state: LinkState, last: Record | None) -> Health:
    """Return the link's line of /diagnostics."""
    age = '' if math.isnan(state.data_age) else f'{state.data_age:.2f} s'
    values = {'backend': backend, 'peer': state.peer, 'data_age': age}
    if not state.connected or state.blocked:
        return Health(2, state.message, values)
    if last is not None and last.phase is Phase.UNKNOWN:
        return Health(1, UNKNOWN, values)
    return Health(1 if state.message else 0, state.message, values)


def verdict(checks: Sequence[Check]) -> tuple[int, str]:
    """Return code and message of robot/preflight: the first line that fails."""
    for check in checks:
        if not check.ok:
            return ResultCode.PREFLIGHT_FAILED, f'{check.name}: {check.message}'
    return ResultCode.OK, ''


def check_messages(checks: Sequence[Check]) -> list[PreflightCheck]:
    """Return the lines of robot/preflight."""
    return [PreflightCheck(name=check.name, ok=check.ok, message=check.message) for check in checks]
