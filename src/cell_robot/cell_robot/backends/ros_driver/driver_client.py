"""The official driver's topics, services and action, as the backend's event loop uses them.

Every ROS entity is made once and touched in the node's executor only; the event loop hands work over and waits with a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from cell_common.inbox import ExecutorQueue
from cell_common.qos import events, latched
from control_msgs.action import FollowJointTrajectory
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

from cell_robot.backends.ros_driver.joint_snapshot import Picture
from cell_robot.motion.kinematics import JOINTS
from cell_robot.motion.trajectory import Waypoint
from cell_robot.protocols.rtde.codec import Value

ANSWER_S = 2.0
TRAJECTORY = 'scaled_joint_trajectory_controller/follow_joint_trajectory'
SCALING = 'speed_scaling_state_broadcaster/speed_scaling'
DASHBOARD = {
    'brake release': 'brake_release',
    'close popup': 'close_popup',
    'close safety popup': 'close_safety_popup',
    'power on': 'power_on',
    'stop': 'stop',
    'unlock protective stop': 'unlock_protective_stop',
}
"""Command of the dashboard -> service of the driver's dashboard client."""
REMOTE = 'is in remote control'

Hear = Callable[[dict[str, Value]], None]


class DriverError(Exception):
    """The driver did not answer, or refused; the text says what."""


class DriverLink:
    """One driver."""

    def __init__(self, node: Node, namespace: str, picture: Picture, period: float) -> None:
        """Subscribe, and make the clients.

        Args:
            node: Whose executor everything runs in.
            namespace: Of the driver, e.g. `/`; relative ones are below the node's.
            picture: Takes the topics in.
            period: Joint states that come sooner than this after the one before are left out, seconds.
        """
        self._node, self._picture, self._period = node, picture, period
        self._prefix = namespace if namespace.endswith('/') or not namespace else namespace + '/'
        self._inbox: ExecutorQueue[Callable[[], None]] = ExecutorQueue(node, lambda work: work())
        self._hear: Hear = lambda _values: None
        self._taken_at = -1
        self._wanted = 0
        """Number of the goal that may go on; every cancel makes a new one."""
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

    def listen(self, hear: Hear) -> None:
        """Hand every data package to `hear`, in the executor's thread."""
        self._hear = hear

    async def ask(self, command: str) -> str:
        """Give a command to the dashboard and return its answer.

        Raises:
            DriverError: No answer, or a refusal.
        """
        if command == REMOTE:
            answer = await self._call(self._remote, IsInRemoteControl.Request())
            if not answer.success:
                raise DriverError(f'the dashboard does not tell whether it is in remote control: {answer.answer}')
            return 'true' if answer.remote_control else 'false'
        answer = await self._call(self._services[command], Trigger.Request())
        if not answer.success:
            raise DriverError(f'the controller refused "{command}": {answer.message}')
        return str(answer.message)

    async def resend_program(self) -> None:
        """Let the driver send its program to the robot.

        Raises:
            DriverError: It did not.
        """
        answer = await self._call(self._resend, Trigger.Request())
        if not answer.success:
            raise DriverError(f'the driver did not send its program: {answer.message}')

    async def set_output(self, pin: int, on: bool) -> None:
        """Switch a digital output.

        Raises:
            DriverError: The driver did not.
        """
        request = SetIO.Request(fun=SetIO.Request.FUN_SET_DIGITAL_OUT, pin=pin, state=float(on))
        if not (await self._call(self._set_io, request)).success:
            raise DriverError(f'the driver did not switch output {pin}')

    async def follow(self, waypoints: Sequence[Waypoint], begun: Callable[[], None]) -> None:
        """Move through waypoints; `begun` is called, in the event loop, when the controller has taken them.

        Raises:
            DriverError: The arm did not get to the last one, or it is not known whether it did.
        """
        accepted: Future[Any] = Future()
        ended: Future[Any] = Future()
        self._inbox.put(lambda: self._send_goal(_goal(waypoints), accepted, ended))
        if not await self._within(accepted, ANSWER_S, 'the trajectory'):
            raise DriverError('the driver rejected the trajectory: its program does not run, or its controller is not active')
        begun()
        answer = await asyncio.wrap_future(ended)
        if answer.status != GoalStatus.STATUS_SUCCEEDED or answer.result.error_code != FollowJointTrajectory.Result.SUCCESSFUL:
            reason = answer.result.error_string or f'code {answer.result.error_code}'
            raise DriverError(f'the driver ended the trajectory: {reason}')

    def cancel(self) -> None:
        """End every goal of the controller, also one that is only on its way there; from any thread."""
        self._wanted += 1
        self._inbox.put(self._cancel)

    async def clear(self) -> None:
        """End every goal, and return when the controller has heard of it.

        Raises:
            DriverError: It did not answer.
        """
        self._wanted += 1
        await self._call(self._cancels, CancelGoal.Request())

    def close(self) -> None:
        """End every goal; in the executor's thread, or when the executor has ended."""
        self._hear = lambda _values: None
        self._wanted += 1
        self._cancel()

    # In the executor's thread.

    def _subscribe(self) -> None:
        node, prefix, picture = self._node, self._prefix, self._picture
        status = prefix + 'io_and_status_controller/'

        def put(name: str) -> Callable[[Any], None]:
            return lambda message: setattr(picture, name, message.data if name == 'running' else message.mode)

        node.create_subscription(RobotMode, status + 'robot_mode', put('mode'), latched())
        node.create_subscription(SafetyMode, status + 'safety_mode', put('safety'), latched())
        node.create_subscription(Bool, status + 'robot_program_running', put('running'), latched())
        node.create_subscription(IOStates, status + 'io_states', self._take_io, events(1))
        node.create_subscription(Float64, prefix + SCALING, self._take_scaling, events(1))
        node.create_subscription(JointState, prefix + 'joint_states', self._take_joints, events(1))

    def _take_io(self, message: Any) -> None:
        self._picture.inputs = sum(1 << pin.pin for pin in message.digital_in_states if pin.state)
        self._picture.outputs = sum(1 << pin.pin for pin in message.digital_out_states if pin.state)

    def _take_scaling(self, message: Any) -> None:
        self._picture.scaling = message.data / 100.0

    def _take_joints(self, message: Any) -> None:
        now = self._node.get_clock().now().nanoseconds
        if self._taken_at <= now < self._taken_at + self._period * 1e9:
            return
        self._taken_at = now
        stamp = message.header.stamp
        values = self._picture.package(stamp.sec + stamp.nanosec * 1e-9, message.name, message.position, message.velocity)
        if values is not None:
            self._hear(values)

    def _send_goal(self, goal: Any, accepted: Future[Any], ended: Future[Any]) -> None:
        number = self._wanted

        def taken(future: Any) -> None:
            handle = future.result()
            _bring(accepted, handle.accepted)
            if not handle.accepted:
                return
            handle.get_result_async().add_done_callback(lambda result: _bring(ended, result.result()))
            if number != self._wanted:
                handle.cancel_goal_async()

        if not self._trajectories.server_is_ready():
            _fail(accepted, f'{self._prefix}{TRAJECTORY} is not there: is the driver running, its controller active?')
            return
        self._trajectories.send_goal_async(goal).add_done_callback(taken)

    def _cancel(self) -> None:
        if self._cancels.service_is_ready():
            self._cancels.call_async(CancelGoal.Request())  # an empty request means every goal

    def _request(self, client: Client, request: Any, answer: Future[Any]) -> None:
        if not client.service_is_ready():
            _fail(answer, f'{client.srv_name} is not there: is the driver running?')
            return
        waiting = client.call_async(request)
        waiting.add_done_callback(lambda future: _bring(answer, future.result()))

        def forget(done: Future[Any]) -> None:
            if done.cancelled():
                self._inbox.put(lambda: client.remove_pending_request(waiting))

        answer.add_done_callback(forget)

    # In the event loop.

    async def _call(self, client: Client, request: Any) -> Any:
        answer: Future[Any] = Future()
        self._inbox.put(lambda: self._request(client, request, answer))
        return await self._within(answer, ANSWER_S, client.srv_name)

    async def _within(self, future: Future[Any], seconds: float, what: str) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        except asyncio.TimeoutError as problem:
            raise DriverError(f'the driver did not answer {what} within {seconds:g} s') from problem


def _bring(future: Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: Future[Any], text: str) -> None:
    if not future.done():
        future.set_exception(DriverError(text))


def _goal(waypoints: Sequence[Waypoint]) -> Any:
    points = [
        JointTrajectoryPoint(
            positions=list(point.joints),
            velocities=list(point.speeds),
            time_from_start=Duration(nanoseconds=round(point.time * 1e9)).to_msg(),
        )
        for point in waypoints
    ]
    return FollowJointTrajectory.Goal(trajectory=JointTrajectory(joint_names=list(JOINTS), points=points))
