"""The robot from a terminal: its state, named poses in simulation, recovery, and faults of the simulated one."""

from __future__ import annotations

import argparse
import math
import time
import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

from cell_common.qos import events, latched
from cell_robot.motion import quaternion_to_vector
from geometry_msgs.msg import PoseStamped
from rclpy.action.client import ActionClient
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm
from rich.table import Table
from rich.text import Text
from sensor_msgs.msg import JointState

from cell_bringup.client import ANSWER_S, CellClient, CellError
from cell_bringup.teach import teach
from cell_interfaces.action import RecoverRobot, TriggerRobot
from cell_interfaces.msg import PreflightCheck, RobotState
from cell_interfaces.srv import GetRobotDetails, InjectFault, RobotPreflight

POSITION_S, POSES_FOR_SPEED = 1.0, 5
MOVE_S, RECOVER_S = 90.0, 120.0
POSES = ('home', 'camera', 'above_place', 'above_reject', 'above_benchmark')
"""Names that the recipe gives to every cell."""
ASK = 'Is the cause of the stop fixed, and is the area clear?'


GoalT = TypeVar('GoalT')
FeedbackT = TypeVar('FeedbackT')
ResultT = TypeVar('ResultT')


class ActionType(Protocol[GoalT, FeedbackT, ResultT]):
    """Class that is generated from an .action file."""

    Goal: type[GoalT]
    Feedback: type[FeedbackT]
    Result: type[ResultT]


def names(prefix: str, kind: type[object]) -> dict[int, str]:
    """Return value -> words of a message's constants that begin with a prefix.

    Args:
        prefix: E.g. "MODE_".
        kind: Message class.
    """
    return {
        getattr(kind, name): name.removeprefix(prefix).replace('_', ' ').lower()
        for name in dir(kind)
        if name.startswith(prefix)
    }


MODES, SAFETY, PROGRAMS, TRIGGERS = (names(prefix, RobotState) for prefix in ('MODE_', 'SAFETY_', 'PROGRAM_', 'TRIGGER_'))


def state_table(state: RobotState, now: float) -> Table:
    """Return robot/state as a table.

    Args:
        state: Latest message.
        now: ROS time in seconds, for the age of the last trigger.
    """
    table = Table(title=f'robot over {state.backend}', title_style='bold', box=None, show_header=False)

    def row(name: str, text: str, good: bool | None = None) -> None:
        table.add_row(name, Text(text, style='' if good is None else 'green' if good else 'red'))

    row('connection', f'connected to {state.peer}' if state.connected else 'not connected', state.connected)
    row('mode', MODES.get(state.robot_mode, str(state.robot_mode)), _good(state.robot_mode, RobotState.MODE_RUNNING, -2))
    row('safety', SAFETY.get(state.safety_mode, str(state.safety_mode)), _good(state.safety_mode, RobotState.SAFETY_NORMAL, 0))
    row('program', PROGRAMS.get(state.program_state, str(state.program_state)))
    row('speed', 'not reported' if math.isnan(state.speed_scaling) else f'{state.speed_scaling:.0%}')
    row('data', 'none received' if math.isnan(state.data_age) else f'{1e3 * state.data_age:.0f} ms old')
    row('last trigger', trigger_line(state, now))
    row('recoveries', str(state.recoveries))
    if state.message:
        row('to do', state.message, False)
    return table


def trigger_line(state: RobotState, now: float) -> str:
    """Return the last trigger in one line.

    Args:
        state: Latest state of the robot node.
        now: ROS time, seconds.
    """
    if state.last_trigger_state == RobotState.TRIGGER_NONE:
        return 'none since the start'
    age = now - state.last_trigger_at.sec - state.last_trigger_at.nanosec * 1e-9
    return f'{state.last_trigger_event}: {TRIGGERS[state.last_trigger_state]} ({state.last_trigger_id}, {age:.0f} s ago)'


def check_table(checks: list[PreflightCheck]) -> Table:
    """Return the lines of the pre-flight."""
    table = Table(title='pre-flight', title_style='bold', box=None, show_header=False)
    for check in checks:
        table.add_row(
            Text('ok' if check.ok else 'no', style='green' if check.ok else 'red'), escape(check.name), escape(check.message)
        )
    return table


def print_state(client: CellClient, console: Console) -> None:
    """Print the robot's state and whether a job may begin.

    Args:
        client: Connected to the cell.
        console: Output.

    Raises:
        CellError: The robot node does not answer.
    """
    received: list[RobotState] = []
    client.node.create_subscription(RobotState, 'robot/state', received.append, latched())
    client.wait_for(lambda: received, ANSWER_S, 'publish its robot state (is the robot node running?)')
    console.print(state_table(received[-1], client.node.get_clock().now().nanoseconds * 1e-9))
    print_position(client, console)
    print_details(client, console)
    # Not `client.call`: a failed pre-flight has a code, too, and its lines are the answer.
    preflight = client.node.create_client(RobotPreflight, 'robot/preflight')
    client.wait_for(preflight.service_is_ready, ANSWER_S, 'offer robot/preflight (is the robot node running?)')
    answer = preflight.call_async(RobotPreflight.Request())
    client.wait_for(answer.done, ANSWER_S, 'answer robot/preflight')
    console.print(check_table(answer.result().checks))


def position_table(joints: JointState, poses: list[PoseStamped]) -> Table:
    """Return the arm's place: joints, tool center point and its speed between the first and the last pose.

    Args:
        joints: Latest joint angles.
        poses: Tool poses in the base frame of the controller, oldest first; at least one.
    """
    table = Table(title='arm', title_style='bold', box=None, show_header=False)
    table.add_row('joints', '  '.join(f'{math.degrees(angle):.2f}' for angle in joints.position) + ' deg, base to wrist 3')
    place, turn = poses[-1].pose.position, poses[-1].pose.orientation
    x, y, z = quaternion_to_vector(turn.x, turn.y, turn.z, turn.w)
    position = '  '.join(f'{1e3 * value:.1f}' for value in (place.x, place.y, place.z))
    table.add_row('tool', f'{position} mm, rotation vector {x:.4f}  {y:.4f}  {z:.4f} rad')
    first, seconds = poses[0].pose.position, _seconds(poses[-1]) - _seconds(poses[0])
    if seconds > 0.0:
        speed = math.dist((first.x, first.y, first.z), (place.x, place.y, place.z)) / seconds
        table.add_row('tool speed', f'{1e3 * speed:.0f} mm/s')
    return table


def print_position(client: CellClient, console: Console) -> None:
    """Print where the arm is; nothing for backends that do not know it, and for a robot that is off.

    Args:
        client: Connected to the cell.
        console: Output.
    """
    joints: list[JointState] = []
    poses: list[PoseStamped] = []
    client.node.create_subscription(JointState, 'joint_states', joints.append, events(10))
    client.node.create_subscription(PoseStamped, 'robot/tool_pose', poses.append, events(10))
    try:
        client.wait_for(lambda: joints and len(poses) >= POSES_FOR_SPEED, POSITION_S, 'publish the place of the arm')
    except CellError:
        return  # letters and hub do not know it, and a robot that is off has none
    console.print(position_table(joints[-1], poses))


def details_table(found: GetRobotDetails.Response) -> Table:
    """Return facts about arm and controller."""
    table = Table(title='controller', title_style='bold', box=None, show_header=False)
    table.add_row('model', escape(f'{found.model or "not reported"}, in the recipe {found.recipe_model}'))
    payload = 'not reported' if math.isnan(found.payload) else f'{found.payload:.2f} kg'
    table.add_row('payload', f'{payload}, in the recipe {found.recipe_payload:.2f} kg')
    table.add_row('serial number', escape(found.serial_number or 'not reported'))
    table.add_row('software', escape(f'{found.software or "not reported"}; cell {found.cell_version}'))
    distance = '' if math.isnan(found.distance) else f' ({1e3 * found.distance:.1f} mm apart)'
    kinematics = {
        GetRobotDetails.Response.KINEMATICS_AGREE: Text(f'agree{distance}', style='green'),
        GetRobotDetails.Response.KINEMATICS_DIFFER: Text(f'differ: {found.kinematics_text}', style='red'),
    }
    table.add_row('kinematics', kinematics.get(found.kinematics, Text('unknown: the controller does not report its tool')))
    return table


def print_details(client: CellClient, console: Console) -> None:
    """Print model, payload, versions and kinematics, if the backend knows an arm."""
    try:
        console.print(details_table(client.call(GetRobotDetails, 'robot/get_details', GetRobotDetails.Request())))
    except CellError:
        return  # letters and hub know no arm


def move(client: CellClient, console: Console, name: str) -> None:
    """Move a simulated arm to a named pose.

    Args:
        client: Client of the cell.
        console: Output.
        name: One of POSES.

    Raises:
        CellError: The robot node refused, as it always does for a real arm.
    """
    goal = TriggerRobot.Goal(trigger_id=f'cli-{uuid.uuid4()}', event=f'MOVE_{name}')
    with console.status(f'moving to {name}'):
        began = time.monotonic()
        result = send_goal(client, TriggerRobot, 'robot/trigger', goal, lambda _: None, MOVE_S)
    if result.outcome != TriggerRobot.Result.SUCCEEDED:
        raise CellError(result.message)
    console.print(f'The arm is at [bold]{escape(name)}[/] ({time.monotonic() - began:.1f} s).')


def recover(client: CellClient, console: Console, sure: bool) -> None:
    """Recover the robot after a stop, when the operator confirms that the area is clear.

    Args:
        client: Client of the cell.
        console: Output, and the question.
        sure: The operator has confirmed on the command line.

    Raises:
        CellError: Not confirmed, or the robot cannot be recovered; the text says what to do.
    """
    try:
        confirmed = sure or Confirm.ask(ASK, console=console, default=False)
    except EOFError as error:
        raise CellError('Not recovered: nobody can confirm here that the area is clear. Use a terminal, or --yes.') from error
    if not confirmed:
        raise CellError('Not recovered. Fix the cause and clear the area first.')

    def step(feedback: RecoverRobot.Feedback) -> None:
        console.print(f'  [bold]{feedback.number}/{feedback.count}[/] {escape(feedback.step)}')

    goal = RecoverRobot.Goal(command=client.command(), area_is_clear=True)
    result = send_goal(client, RecoverRobot, 'robot/recover', goal, step, RECOVER_S)
    if result.code:
        raise CellError(result.message)
    console.print(f'[green]{escape(result.message)}[/]')


def fault(client: CellClient, console: Console, name: str, value: float, device: str) -> None:
    """Inject a fault into the simulation.

    Args:
        client: Client of the cell.
        console: Output.
        name: Name of the fault; the refusal of an unknown one lists all.
        value: Count or seconds, 0 = that of the fault.
        device: "ur" or "robot".

    Raises:
        CellError: There is no simulation, or no such fault.
    """
    inject = client.node.create_client(InjectFault, 'sim/fault')
    try:
        # Shorter: on a real cell the service will never appear.
        client.wait_for(inject.service_is_ready, ANSWER_S / 2, '')
    except CellError as error:
        raise CellError('Faults can only be injected into the simulated robot, and this cell has no simulation.') from error
    answer = inject.call_async(InjectFault.Request(device=device, fault=name, value=value))
    client.wait_for(answer.done, 3 * ANSWER_S, 'answer sim/fault')
    if answer.result().code:
        raise CellError(answer.result().message)
    console.print(escape(answer.result().message))


def send_goal(
    client: CellClient,
    kind: ActionType[GoalT, FeedbackT, ResultT],
    name: str,
    goal: GoalT,
    on_feedback: Callable[[FeedbackT], None],
    seconds: float,
) -> ResultT:
    """Send an action's goal and return its result.

    Args:
        client: Client of the cell.
        kind: Action type.
        name: Relative to the cell's namespace.
        goal: The goal.
        on_feedback: Called in the client's thread.
        seconds: Timeout from the acceptance to the result.

    Raises:
        CellError: The action is not offered, or did not end in time.
    """
    action = ActionClient(client.node, kind, name)  # destroyed with the node: the executor waits on it until then
    client.wait_for(action.server_is_ready, ANSWER_S, f'offer {name} (is the robot node running?)')
    sent = client.request(lambda: action.send_goal_async(goal, lambda message: on_feedback(message.feedback)))
    client.wait_for(sent.done, ANSWER_S, f'answer {name}')
    if not sent.result().accepted:
        raise CellError(f'The cell rejected {name}.')
    ended = client.request(sent.result().get_result_async)
    client.wait_for(ended.done, seconds, f'end {name}')
    result: ResultT = ended.result().result
    return result


def _seconds(pose: PoseStamped) -> float:
    return float(pose.header.stamp.sec + pose.header.stamp.nanosec * 1e-9)


def _good(value: int, wanted: int, unknown: int) -> bool | None:
    """Return whether a value is the wanted one; None if it is unknown."""
    return None if value == unknown else value == wanted


def work_with_robot(client: CellClient, console: Console, options: argparse.Namespace) -> None:
    """Run `cell robot ...`.

    Args:
        client: Connected to the cell.
        console: Output.
        options: Of the command line; `what` is the subcommand.

    Raises:
        CellError: The cell refused or did not answer; the text says what to do.
    """
    if options.what == 'state':
        print_state(client, console)
    elif options.what == 'moves':
        console.print('  '.join(POSES))
    elif options.what == 'move':
        move(client, console, options.pose)
    elif options.what == 'recover':
        recover(client, console, options.yes)
    elif options.what == 'teach':
        teach(client, console, options)
    elif options.what == 'guide':
        fault(client, console, options.place, 0.0, 'guide')
    else:
        fault(client, console, options.fault, options.value, options.device)
