"""Simulated counterpart of the official driver: the same names, types and latching, on top of the simulated controller.

It uses the sockets of the controller only, as the official driver does, so one controller serves
every backend.

Two threads: data packages arrive in an asyncio loop at 125 Hz, ROS callbacks run in the executor.
The loop stores the newest package in one attribute, which the timers of the executor publish;
results go the other way through an ExecutorQueue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from builtin_interfaces.msg import Time
from cell_common.background import AsyncioThread
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events, latched
from cell_common.runner import node_main
from cell_common.services import ActionCallbacks, create_action_server, create_service
from cell_common.timers import create_steady_timer
from cell_robot.clients import open_dashboard
from cell_robot.motion import JOINTS, quaternion
from cell_robot.protocols.dashboard import DashboardError
from control_msgs.action import FollowJointTrajectory
from geometry_msgs.msg import PoseStamped
from rclpy.action.server import CancelResponse, GoalResponse, ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as RosFuture
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory
from ur_dashboard_msgs.msg import RobotMode, SafetyMode
from ur_dashboard_msgs.srv import IsInRemoteControl
from ur_msgs.msg import Digital, IOStates
from ur_msgs.srv import SetIO

from cell_sim.ur_driver import names
from cell_sim.ur_driver.controller_client import ControllerClient
from cell_sim.ur_driver.follower import INVALID_GOAL, SUCCESSFUL, DriverData, TrajectoryFollower
from cell_sim.ur_driver.trajectory import Trajectory, TrajectoryError, TrajectoryPoint, joint_order

__all__ = ['UrDriverNode', 'main']

PINS = 18
IO_PERIOD_S = 0.1
RESULT_TIMEOUT_S = 10
T = TypeVar('T')
TriggerCallback = Callable[[Trigger.Request, Trigger.Response], Awaitable[Trigger.Response]]


@dataclass(frozen=True)
class DriverParameters:
    """Parameters of the simulated driver."""

    robot_ip: str = parameter('127.0.0.1', 'Address of the simulated UR controller.')
    headless_mode: bool = parameter(
        True,
        'Send the external control program once after the first connection; otherwise call resend_robot_program to send it.',
    )
    dashboard: bool = parameter(True, 'Whether the driver has its dashboard client, which PolyScope X lacks.')
    joint_rate: float = parameter(
        60.0, 'Rate of the joint states; the official driver publishes at 500 Hz.', unit='Hz', minimum=1.0, maximum=125.0
    )
    time_scale: float = parameter(
        1.0,
        'Speed of the arm relative to a real one; must be the same as in the simulated world.',
        minimum=0.1,
        maximum=100.0,
    )


class UrDriverNode(Node):
    """Offers the part of a UR robot's official driver that the cell uses.

    Attributes:
        follower: Follows the current goal; owned by the asyncio loop.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('ur_driver', **options)
        self._p = declare_parameters(self, DriverParameters)
        self._data: DriverData | None = None
        self._published: dict[str, object] = {}
        self._program_sent = False
        self.follower = TrajectoryFollower(self._p.time_scale)
        self._background = AsyncioThread('ur_driver')
        self._queue: ExecutorQueue[Callable[[], None]] = ExecutorQueue(self, lambda work: work())
        self._client = ControllerClient(
            self._p.robot_ip,
            on_data=self._on_data,
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
        )
        self._create_publishers()
        self._create_services()
        create_steady_timer(self, 1.0 / self._p.joint_rate, self._publish)
        create_steady_timer(self, IO_PERIOD_S, self._publish_io)
        self._background.submit(self._client.run())

    def destroy_node(self) -> None:
        """Disconnect from the controller; its program ends by its timeout."""
        self._background.close()
        self._trajectories.destroy()
        super().destroy_node()

    def _create_publishers(self) -> None:
        self._joints = self.create_publisher(JointState, names.JOINT_STATES, events(10))
        self._scaling = self.create_publisher(Float64, names.SPEED_SCALING, events(10))
        self._tool = self.create_publisher(PoseStamped, names.TOOL_POSE, events(10))
        self._io = self.create_publisher(IOStates, names.IO + 'io_states', events(10))
        self._latched = {
            'robot_mode': self.create_publisher(RobotMode, names.IO + 'robot_mode', latched()),
            'safety_mode': self.create_publisher(SafetyMode, names.IO + 'safety_mode', latched()),
            'program': self.create_publisher(Bool, names.IO + 'robot_program_running', latched()),
        }

    def _create_services(self) -> None:
        group = ReentrantCallbackGroup()
        self._trajectories = create_action_server(
            self,
            FollowJointTrajectory,
            names.TRAJECTORY,
            self._follow,
            ActionCallbacks(goal=self._on_goal, cancel=self._on_cancel),
            group,
            RESULT_TIMEOUT_S,
        )
        if self._p.dashboard:
            self._create_dashboard(group)
        create_service(self, Trigger, names.IO + 'resend_robot_program', self._resend_program, group)
        create_service(self, SetIO, names.IO + 'set_io', self._set_io)

    def _create_dashboard(self, group: ReentrantCallbackGroup) -> None:
        for service, command in names.TRIGGERS.items():
            create_service(self, Trigger, names.DASHBOARD + service, self._dashboard_callback(command), group)
        create_service(self, IsInRemoteControl, names.DASHBOARD + 'is_in_remote_control', self._is_in_remote_control, group)

    # In the thread of the asyncio loop.

    def _on_connect(self) -> None:
        # Once only: after a reconnect the official driver waits for resend_robot_program as well,
        # so that the arm does not start to follow unexpectedly.
        if self._p.headless_mode and not self._program_sent:
            self._program_sent = True
            self._background.submit(self._client.send_program())

    def _on_data(self, data: DriverData) -> tuple[int, tuple[float, ...]]:
        self._data = data
        return self.follower.update(data)

    def _on_disconnect(self, cause: str) -> None:
        if self._data is not None:
            self.get_logger().warning(f'connection to the robot lost: {cause}')
        self._data = None
        self.follower.disconnected()

    # In the thread of the executor.

    def _publish(self) -> None:
        data = self._data
        self._publish_change('program', Bool(data=self.follower.running))
        if data is None:
            return
        self._publish_change('robot_mode', RobotMode(mode=data.robot_mode))
        self._publish_change('safety_mode', SafetyMode(mode=data.safety_mode))
        order = [JOINTS.index(name) for name in names.JOINT_ORDER]
        message = JointState(
            name=list(names.JOINT_ORDER),
            position=[data.joints[index] for index in order],
            velocity=[data.speeds[index] for index in order],
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._joints.publish(message)
        self._tool.publish(tool_message(data.tool, message.header.stamp))
        self._scaling.publish(Float64(data=100.0 * data.speed_scaling))

    def _publish_change(self, name: str, message: object) -> None:
        """Publish a latched message if it has changed."""
        if self._published.get(name) != message:
            self._published[name] = message
            self._latched[name].publish(message)

    def _publish_io(self) -> None:
        data = self._data
        if data is not None:
            states = IOStates(digital_in_states=_pins(data.digital_inputs), digital_out_states=_pins(data.digital_outputs))
            self._io.publish(states)

    def _on_goal(self, goal: FollowJointTrajectory.Goal) -> GoalResponse:
        """Accept complete and valid trajectories while the program runs, as the official controller does."""
        try:
            if not self.follower.running:
                raise TrajectoryError('the external control program does not run on the robot')
            self._trajectory(goal.trajectory)
        except TrajectoryError as error:
            self.get_logger().error(f'goal rejected: {error}')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _trajectory(self, message: JointTrajectory) -> Trajectory:
        order = joint_order(message.joint_names, JOINTS)
        points = [
            TrajectoryPoint(
                point.time_from_start.sec + point.time_from_start.nanosec * 1e-9,
                _ordered(point.positions, order),
                _ordered(point.velocities, order),
            )
            for point in message.points
        ]
        return Trajectory(self.follower.joints or (0.0,) * len(JOINTS), points)

    def _on_cancel(self, _goal: ServerGoalHandle) -> CancelResponse:
        self._background.loop.call_soon_threadsafe(self.follower.finish, INVALID_GOAL, 'canceled')
        return CancelResponse.ACCEPT

    async def _follow(self, goal: ServerGoalHandle) -> FollowJointTrajectory.Result:
        """Execute an accepted goal; awaits its end without occupying the executor."""
        # An rclpy future with its executor: awaiting it wakes the executor, an asyncio future would
        # not.
        ended: RosFuture = RosFuture(executor=self.executor)
        trajectory = self._trajectory(goal.request.trajectory)

        def on_end(code: int, text: str) -> None:
            self._queue.put(lambda: ended.set_result((code, text)))

        self._background.loop.call_soon_threadsafe(self.follower.start, trajectory, on_end)
        code, text = await ended
        if code == SUCCESSFUL:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return FollowJointTrajectory.Result(error_code=code, error_string=text)

    def _dashboard_callback(self, command: str) -> TriggerCallback:
        async def serve(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = await self._send_dashboard_command(command)
            return response

        return serve

    async def _is_in_remote_control(
        self, _request: IsInRemoteControl.Request, response: IsInRemoteControl.Response
    ) -> IsInRemoteControl.Response:
        response.success, response.answer = await self._send_dashboard_command('is in remote control')
        response.remote_control = response.answer == 'true'
        return response

    async def _send_dashboard_command(self, command: str) -> tuple[bool, str]:
        """Send one dashboard command over a connection of its own; return success and reply."""

        async def send() -> str:
            async with open_dashboard(self._p.robot_ip) as dashboard:
                return await dashboard.ask(command)

        try:
            reply = await self._await_in_executor(self._background.submit(send()))
        except DashboardError as error:
            return False, str(error)
        return not reply.startswith('Failed'), reply

    async def _resend_program(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            await self._await_in_executor(self._background.submit(self._client.send_program()))
            response.success = True
        except (OSError, TimeoutError) as error:
            response.message = f'the program was not sent: {error}'
        return response

    def _set_io(self, request: SetIO.Request, response: SetIO.Response) -> SetIO.Response:
        if request.fun == SetIO.Request.FUN_SET_DIGITAL_OUT:
            self._background.loop.call_soon_threadsafe(self._client.set_output, request.pin, request.state > 0.0)
            response.success = self._data is not None and 0 <= request.pin < PINS
        return response

    async def _await_in_executor(self, future: Future[T]) -> T:
        """Await a future of another thread without blocking the executor."""
        done: RosFuture = RosFuture(executor=self.executor)
        future.add_done_callback(lambda _: self._queue.put(lambda: done.set_result(None)))
        await done
        return future.result()


def _pins(bits: int) -> list[Digital]:
    return [Digital(pin=pin, state=bool(bits >> pin & 1)) for pin in range(PINS)]


def tool_message(pose: Sequence[float], stamp: Time) -> PoseStamped:
    """Return the message of a tool pose: meters and a rotation vector in the base frame of the controller."""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, 'base'
    position, orientation = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = pose[:3]
    orientation.x, orientation.y, orientation.z, orientation.w = quaternion(pose[3:])
    return message


def _ordered(values: Sequence[float], order: Sequence[int]) -> tuple[float, ...]:
    """Return the values of a waypoint in the order of the controller; () = not given.

    Raises:
        TrajectoryError: The number of values is wrong.
    """
    if len(values) == 0:
        return ()
    if len(values) != len(order):
        raise TrajectoryError('a point has the wrong number of values')
    return tuple(values[index] for index in order)


main = node_main(UrDriverNode)
