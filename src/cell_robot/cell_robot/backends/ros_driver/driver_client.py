"""Client of the official driver's topics, services and action, used from the backend's event loop.

Every ROS entity is created once and used in the node's executor only. The event loop queues work and waits with a timeout.

Names, types and QoS are those of Universal_Robots_ROS2_Driver for Jazzy: mode, safety and program state are latched; a scaled
trajectory controller stands still at speed scaling 0 and then has no goal timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from cell_common.inbox import ExecutorQueue
from cell_common.qos import events, latched
from cell_common.time import NS_PER_S, now_ns, seconds_to_ns, to_ns
from cell_common.timeouts import with_timeout
from control_msgs.action import FollowJointTrajectory
from geometry_msgs.msg import PoseStamped
from rclpy.action.client import ActionClient
from rclpy.client import Client
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from ur_dashboard_msgs.msg import RobotMode, SafetyMode
from ur_dashboard_msgs.srv import IsInRemoteControl
from ur_msgs.msg import IOStates
from ur_msgs.srv import SetIO

from cell_robot.backends.ros_driver.joint_snapshot import DriverSnapshot
from cell_robot.motion.kinematics import JOINTS
from cell_robot.motion.poses import quaternion_to_vector
from cell_robot.motion.trajectory import TimedWaypoint
from cell_robot.protocols.dashboard.codec import TIMEOUTS
from cell_robot.protocols.rtde.codec import RtdeValue

if TYPE_CHECKING:
    from rclpy.action.client import ClientGoalHandle
    from rclpy.task import Future as RosFuture

CALL_TIMEOUT_S = 2.0
TRAJECTORY = 'scaled_joint_trajectory_controller/follow_joint_trajectory'
TOOL_POSE = 'tcp_pose_broadcaster/pose'
SCALING = 'speed_scaling_state_broadcaster/speed_scaling'
DASHBOARD = {
    'brake release': 'brake_release',
    'close popup': 'close_popup',
    'close safety popup': 'close_safety_popup',
    'power on': 'power_on',
    'stop': 'stop',
    'unlock protective stop': 'unlock_protective_stop',
}
"""Dashboard command -> service of the driver's dashboard client."""
REMOTE = 'is in remote control'

OnPackage = Callable[[dict[str, RtdeValue]], None]
T = TypeVar('T')


class GoalResult(Protocol):
    """Response of the action's get_result service."""

    status: int
    result: FollowJointTrajectory.Result


class DriverError(Exception):
    """The driver did not answer or refused; the text gives the reason."""


class DriverClient:
    """Client of one driver.

    Three threads meet here. Coroutines run in the backend's event loop, callbacks in the executor, and futures of
    `concurrent.futures` carry results from the second to the first.
    """

    def __init__(
        self, node: Node, namespace: str, snapshot: DriverSnapshot, period: float, dashboard: float = TIMEOUTS.command
    ) -> None:
        """Create subscriptions and clients.

        Args:
            node: Node whose executor runs everything.
            namespace: Namespace of the driver, for example `/`; relative ones are below the node's.
            snapshot: Receives the values of the topics.
            period: Joint states closer together than this are dropped, seconds.
            dashboard: Timeout of the dashboard's commands, seconds.
        """
        self.snapshot = snapshot
        self._node, self._period_ns, self._dashboard_timeout = node, seconds_to_ns(period), dashboard
        self._prefix = namespace if namespace.endswith('/') or not namespace else namespace + '/'
        self._queue: ExecutorQueue[Callable[[], None]] = ExecutorQueue(node, lambda work: work())
        self._on_package: OnPackage = lambda _values: None
        self._accepted_at_ns = -1
        self._generation = 0
        """Only goals of the current generation may continue; every cancel increments it."""
        self._subscribe()
        prefix = self._prefix
        self._services = {
            command: node.create_client(Trigger, f'{prefix}dashboard_client/{name}') for command, name in DASHBOARD.items()
        }
        self._remote = node.create_client(IsInRemoteControl, prefix + 'dashboard_client/is_in_remote_control')
        self._resend = node.create_client(Trigger, prefix + 'io_and_status_controller/resend_robot_program')
        self._set_io = node.create_client(SetIO, prefix + 'io_and_status_controller/set_io')
        self._cancels = node.create_client(CancelGoal, f'{prefix}{TRAJECTORY}/_action/cancel_goal')
        self._trajectories = ActionClient(node, FollowJointTrajectory, prefix + TRAJECTORY)

    def listen(self, on_package: OnPackage) -> None:
        """Pass every data package to `on_package`, in the executor's thread.

        Args:
            on_package: Gets the fields that RTDE would send; must not block.
        """
        self._on_package = on_package

    async def dashboard(self, command: str) -> str:
        """Send a command to the dashboard and return its answer.

        Args:
            command: A key of DASHBOARD, or REMOTE.

        Raises:
            DriverError: No answer, or a refusal.
        """
        if command == REMOTE:
            remote: IsInRemoteControl.Response = await self._call(
                self._remote, IsInRemoteControl.Request(), self._dashboard_timeout
            )
            if not remote.success:
                raise DriverError(f'the dashboard does not report whether it is in remote control: {remote.answer}')
            return 'true' if remote.remote_control else 'false'
        if command not in self._services:
            raise DriverError(f'the driver does not pass "{command}" on')
        answer: Trigger.Response = await self._call(self._services[command], Trigger.Request(), self._dashboard_timeout)
        if not answer.success:
            raise DriverError(f'the controller refused "{command}": {answer.message}')
        return str(answer.message)

    async def resend_program(self) -> None:
        """Send the driver's program to the robot.

        Raises:
            DriverError: No answer, or a refusal.
        """
        answer: Trigger.Response = await self._call(self._resend, Trigger.Request())
        if not answer.success:
            raise DriverError(f'the driver did not send its program: {answer.message}')

    async def set_output(self, pin: int, on: bool) -> None:
        """Switch a digital output.

        Args:
            pin: 0-7 standard, 8-15 configurable, 16-17 tool.
            on: New state.

        Raises:
            DriverError: No answer, or a refusal.
        """
        request = SetIO.Request(fun=SetIO.Request.FUN_SET_DIGITAL_OUT, pin=pin, state=float(on))
        answer: SetIO.Response = await self._call(self._set_io, request)
        if not answer.success:
            raise DriverError(f'the driver did not switch output {pin}')

    async def follow_trajectory(self, waypoints: Sequence[TimedWaypoint], on_started: Callable[[], None]) -> None:
        """Move through waypoints; `on_started` is called in the event loop when the controller has accepted them.

        There is no timeout for the move itself: the caller watches the data and cancels.

        Args:
            waypoints: Joint angles of all six joints, with times from the start.
            on_started: Called at most once.

        Raises:
            DriverError: The arm did not reach the last waypoint, or it is unknown whether it did.
        """
        accepted: Future[bool] = Future()
        ended: Future[GoalResult] = Future()
        self._queue.put(lambda: self._send_goal(_make_goal(waypoints), accepted, ended))
        if not await _wait_for(accepted, CALL_TIMEOUT_S, 'the trajectory'):
            raise DriverError('the driver rejected the trajectory: its program does not run, or its controller is not active')
        on_started()
        answer = await asyncio.wrap_future(ended)
        if answer.status != GoalStatus.STATUS_SUCCEEDED or answer.result.error_code != FollowJointTrajectory.Result.SUCCESSFUL:
            reason = answer.result.error_string or f'code {answer.result.error_code}'
            raise DriverError(f'the driver ended the trajectory: {reason}')

    def cancel(self) -> None:
        """Cancel every goal of the controller, also goals in transit; from any thread."""
        self._generation += 1
        self._queue.put(self._cancel)

    async def reset(self) -> None:
        """Cancel every goal, and wait until the controller has confirmed.

        Raises:
            DriverError: No answer.
        """
        self._generation += 1
        await self._call(self._cancels, CancelGoal.Request())

    def close(self) -> None:
        """Cancel every goal; in the executor's thread, or after the executor has ended."""
        self._on_package = lambda _values: None
        self._generation += 1
        self._cancel()

    # The methods below run in the executor's thread.

    def _subscribe(self) -> None:
        """Subscribe with the driver's QoS: state is latched there, streams are not."""
        node, prefix = self._node, self._prefix
        status = prefix + 'io_and_status_controller/'
        node.create_subscription(RobotMode, status + 'robot_mode', self._on_mode, latched())
        node.create_subscription(SafetyMode, status + 'safety_mode', self._on_safety, latched())
        node.create_subscription(Bool, status + 'robot_program_running', self._on_running, latched())
        node.create_subscription(IOStates, status + 'io_states', self._on_io, events(1))
        node.create_subscription(Float64, prefix + SCALING, self._on_scaling, events(1))
        node.create_subscription(PoseStamped, prefix + TOOL_POSE, self._on_tool, events(1))
        node.create_subscription(JointState, prefix + 'joint_states', self._on_joints, events(1))

    def _on_mode(self, message: RobotMode) -> None:
        self.snapshot.mode = message.mode

    def _on_safety(self, message: SafetyMode) -> None:
        self.snapshot.safety = message.mode

    def _on_running(self, message: Bool) -> None:
        self.snapshot.running = message.data

    def _on_tool(self, message: PoseStamped) -> None:
        position, turn = message.pose.position, message.pose.orientation
        self.snapshot.tool = (position.x, position.y, position.z, *quaternion_to_vector(turn.x, turn.y, turn.z, turn.w))

    def _on_io(self, message: IOStates) -> None:
        self.snapshot.inputs = sum(1 << pin.pin for pin in message.digital_in_states if pin.state)
        self.snapshot.analog = {pin.pin: float(pin.state) for pin in message.analog_in_states}
        self.snapshot.outputs = sum(1 << pin.pin for pin in message.digital_out_states if pin.state)

    def _on_scaling(self, message: Float64) -> None:
        # The driver publishes percent.
        self.snapshot.scaling = message.data / 100.0

    def _on_joints(self, message: JointState) -> None:
        """Combine a joint state with the other topics and pass the package on, at most once a period."""
        now = now_ns(self._node)
        # The driver publishes up to 500 times a second. A clock that was set back lies below the range and is accepted.
        if self._accepted_at_ns <= now < self._accepted_at_ns + self._period_ns:
            return
        self._accepted_at_ns = now
        timestamp = to_ns(message.header.stamp) / NS_PER_S
        values = self.snapshot.package(timestamp, message.name, message.position, message.velocity)
        if values is not None:
            self._on_package(values)

    def _send_goal(self, goal: FollowJointTrajectory.Goal, accepted: Future[bool], ended: Future[GoalResult]) -> None:
        """Send a goal and complete two futures: whether it was accepted, and its result."""
        generation = self._generation

        def on_response(future: RosFuture) -> None:
            handle: ClientGoalHandle = future.result()
            _set_result(accepted, handle.accepted)
            if not handle.accepted:
                return
            handle.get_result_async().add_done_callback(lambda result: _set_result(ended, result.result()))
            # Canceled while the goal was on its way: the cancel request came too early for the controller to know it.
            if generation != self._generation:
                handle.cancel_goal_async()

        if not self._trajectories.server_is_ready():
            _set_error(accepted, f'{self._prefix}{TRAJECTORY} is not there: is the driver running, its controller active?')
            return
        self._trajectories.send_goal_async(goal).add_done_callback(on_response)

    def _cancel(self) -> None:
        if self._cancels.service_is_ready():
            self._cancels.call_async(CancelGoal.Request())  # an empty request means every goal

    def _request(self, client: Client, request: object, answer: Future[T]) -> None:
        """Call a service and complete a future with its response; a canceled future ends the request."""
        if not client.service_is_ready():
            _set_error(answer, f'{client.srv_name} is not there: is the driver running?')
            return
        waiting = client.call_async(request)
        waiting.add_done_callback(lambda future: _set_result(answer, future.result()))

        def forget(done: Future[T]) -> None:
            # The wait ended by its timeout. rclpy keeps the request until it is removed.
            if done.cancelled():
                self._queue.put(lambda: client.remove_pending_request(waiting))

        answer.add_done_callback(forget)

    # The methods below run in the event loop.

    async def _call(self, client: Client, request: object, timeout_s: float = CALL_TIMEOUT_S) -> T:
        answer: Future[T] = Future()
        self._queue.put(lambda: self._request(client, request, answer))
        return await _wait_for(answer, timeout_s, client.srv_name)


async def _wait_for(future: Future[T], timeout_s: float, name: str) -> T:
    """Return the result of a future with a timeout.

    Args:
        future: Completed in the executor's thread.
        timeout_s: Seconds; the future is canceled after it.
        name: What was asked, for the error.

    Raises:
        DriverError: Timeout, or the error set on the future.
    """
    try:
        return await with_timeout(asyncio.wrap_future(future), timeout_s)
    except asyncio.TimeoutError as error:
        raise DriverError(f'the driver did not answer {name} within {timeout_s:g} s') from error


def _set_result(future: Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _set_error(future: Future[T], text: str) -> None:
    if not future.done():
        future.set_exception(DriverError(text))


def _make_goal(waypoints: Sequence[TimedWaypoint]) -> FollowJointTrajectory.Goal:
    """Return a goal for all six joints: the Jazzy controller accepts no partial goal by default."""
    points = [
        JointTrajectoryPoint(
            positions=list(point.joints),
            velocities=list(point.speeds),
            time_from_start=Duration(nanoseconds=seconds_to_ns(point.time)).to_msg(),
        )
        for point in waypoints
    ]
    return FollowJointTrajectory.Goal(trajectory=JointTrajectory(joint_names=list(JOINTS), points=points))
