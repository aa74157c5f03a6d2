"""A stand-in for the official driver in the simulated world: the same names, types and latching, before the same controller.

It reaches the controller over its sockets only, as the official one does, so that one controller serves every link.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from cell_common.actions import LowLatencyActionServer
from cell_common.background import AsyncioThread
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events, latched
from cell_common.runner import node_main
from cell_common.timers import create_steady_timer
from cell_robot.motion.kinematics import JOINTS
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.dashboard.transport import connected
from control_msgs.action import FollowJointTrajectory
from rclpy.action.server import CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as RosFuture
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64
from std_srvs.srv import Trigger
from ur_dashboard_msgs.msg import RobotMode, SafetyMode
from ur_dashboard_msgs.srv import IsInRemoteControl
from ur_msgs.msg import Digital, IOStates
from ur_msgs.srv import SetIO

from cell_sim.ur_driver import names
from cell_sim.ur_driver.controller_client import ControllerClient, Values
from cell_sim.ur_driver.follower import INVALID_GOAL, SUCCESSFUL, TrajectoryFollower
from cell_sim.ur_driver.trajectory import Point, Trajectory, TrajectoryError, joint_order

PINS = 18
IO_PERIOD_S = 0.1


@dataclass(frozen=True)
class DriverParameters:
    """What a deployment chooses for the simulated driver."""

    robot_ip: str = parameter('127.0.0.1', 'Address of the simulated UR controller.')
    headless_mode: bool = parameter(
        True,
        'Send the external control program once, when the controller is first reached; '
        'otherwise somebody calls resend_robot_program.',
    )
    joint_rate: float = parameter(
        60.0, 'Joint states published per second; the official driver publishes 500.', unit='Hz', minimum=1.0, maximum=125.0
    )
    time_scale: float = parameter(
        1.0, 'As in the simulated world: how many times faster than in life the arm moves.', minimum=0.1, maximum=100.0
    )


class UrDriverNode(Node):
    """Offers what a UR robot's official driver offers, as much of it as the cell uses."""

    def __init__(self, **options: Any) -> None:
        super().__init__('ur_driver', **options)
        self._p = declare_parameters(self, DriverParameters)
        self._values: Values | None = None
        self._told: dict[str, Any] = {}
        self._started = False
        self._follower = TrajectoryFollower(self._p.time_scale)
        self._background = AsyncioThread('ur_driver')
        self._inbox: ExecutorQueue[Any] = ExecutorQueue(self, lambda work: work())
        self._link = ControllerClient(self._p.robot_ip, self._cycle, self._lost)
        self._publish_topics()
        self._offer_services()
        create_steady_timer(self, 1.0 / self._p.joint_rate, self._publish)
        create_steady_timer(self, IO_PERIOD_S, self._publish_io)
        self._background.submit(self._link.run(self._connected))

    def destroy_node(self) -> None:
        """Leave the controller alone; its program ends by the silence."""
        self._background.close()
        self._trajectories.destroy()
        super().destroy_node()

    def _publish_topics(self) -> None:
        self._joints = self.create_publisher(JointState, names.JOINT_STATES, events(10))
        self._scaling = self.create_publisher(Float64, names.SPEED_SCALING, events(10))
        self._io = self.create_publisher(IOStates, names.IO + 'io_states', events(10))
        self._latched = {
            'robot_mode': self.create_publisher(RobotMode, names.IO + 'robot_mode', latched()),
            'safety_mode': self.create_publisher(SafetyMode, names.IO + 'safety_mode', latched()),
            'program': self.create_publisher(Bool, names.IO + 'robot_program_running', latched()),
        }

    def _offer_services(self) -> None:
        group = ReentrantCallbackGroup()
        self._trajectories = LowLatencyActionServer(
            self,
            FollowJointTrajectory,
            names.TRAJECTORY,
            self._follow,
            callback_group=group,
            result_timeout=10,
            goal_callback=self._accept,
            cancel_callback=self._cancel,
        )
        for service, command in names.TRIGGERS.items():
            self.create_service(Trigger, names.DASHBOARD + service, self._dashboard(command), callback_group=group)
        self.create_service(IsInRemoteControl, names.DASHBOARD + 'is_in_remote_control', self._remote, callback_group=group)
        self.create_service(Trigger, names.IO + 'resend_robot_program', self._resend, callback_group=group)
        self.create_service(SetIO, names.IO + 'set_io', self._set_io)

    # In the background loop's thread.

    def _connected(self) -> None:
        if self._p.headless_mode and not self._started:
            self._started = True
            self._background.submit(self._link.send_program())

    def _cycle(self, values: Values) -> tuple[int, tuple[float, ...]]:
        self._values = values
        return self._follower.cycle(values)

    def _lost(self, why: str) -> None:
        if self._values is not None:
            self.get_logger().warning(f'connection to the robot lost: {why}')
        self._values = None
        self._follower.lost()

    # In the executor's thread.

    def _publish(self) -> None:
        values: Any = self._values
        self._tell('program', Bool(data=self._follower.running))
        if values is None:
            return
        self._tell('robot_mode', RobotMode(mode=values['robot_mode']))
        self._tell('safety_mode', SafetyMode(mode=values['safety_mode']))
        order = [JOINTS.index(name) for name in names.JOINT_ORDER]
        message = JointState(
            name=list(names.JOINT_ORDER),
            position=[values['actual_q'][index] for index in order],
            velocity=[values['actual_qd'][index] for index in order],
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._joints.publish(message)
        self._scaling.publish(Float64(data=100.0 * values['speed_scaling']))

    def _tell(self, name: str, message: Any) -> None:
        """Publish what is latched, when it has changed."""
        if self._told.get(name) != message:
            self._told[name] = message
            self._latched[name].publish(message)

    def _publish_io(self) -> None:
        values: Any = self._values
        if values is not None:
            inputs, outputs = values['actual_digital_input_bits'], values['actual_digital_output_bits']
            self._io.publish(IOStates(digital_in_states=_pins(inputs), digital_out_states=_pins(outputs)))

    def _accept(self, goal: Any) -> GoalResponse:
        """Accept as the controller does: while its program runs, and only whole and sensible trajectories."""
        try:
            if not self._follower.running:
                raise TrajectoryError('the external control program does not run on the robot')
            self._trajectory(goal.trajectory)
        except TrajectoryError as problem:
            self.get_logger().error(f'goal rejected: {problem}')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _trajectory(self, message: Any) -> Trajectory:
        order = joint_order(message.joint_names, JOINTS)
        points = [
            Point(
                point.time_from_start.sec + point.time_from_start.nanosec * 1e-9,
                _ordered(point.positions, order),
                _ordered(point.velocities, order),
            )
            for point in message.points
        ]
        return Trajectory(self._follower.joints or (0.0,) * len(JOINTS), points)

    def _cancel(self, _goal: Any) -> CancelResponse:
        self._background.loop.call_soon_threadsafe(self._follower.end, INVALID_GOAL, 'cancelled')
        return CancelResponse.ACCEPT

    async def _follow(self, goal: Any) -> FollowJointTrajectory.Result:
        ended: RosFuture = RosFuture(executor=self.executor)
        trajectory = self._trajectory(goal.request.trajectory)
        self._background.loop.call_soon_threadsafe(
            self._follower.begin, trajectory, lambda *result: self._inbox.put(lambda: ended.set_result(result))
        )
        code, text = await ended
        if code == SUCCESSFUL:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return FollowJointTrajectory.Result(error_code=code, error_string=text)

    def _dashboard(self, command: str) -> Any:
        async def serve(_request: Any, response: Any) -> Any:
            response.success, response.message = await self._ask(command)
            return response

        return serve

    async def _remote(self, _request: Any, response: Any) -> Any:
        response.success, response.answer = await self._ask('is in remote control')
        response.remote_control = response.answer == 'true'
        return response

    async def _ask(self, command: str) -> tuple[bool, str]:
        async def ask() -> str:
            async with connected(self._p.robot_ip) as dashboard:
                return await dashboard.ask(command)

        try:
            answer = await self._here(self._background.submit(ask()))
        except DashboardError as problem:
            return False, str(problem)
        return not answer.startswith('Failed'), answer

    async def _resend(self, _request: Any, response: Any) -> Any:
        try:
            await self._here(self._background.submit(self._link.send_program()))
            response.success = True
        except (OSError, TimeoutError) as problem:
            response.message = f'the program was not sent: {problem}'
        return response

    def _set_io(self, request: Any, response: Any) -> Any:
        if request.fun == SetIO.Request.FUN_SET_DIGITAL_OUT:
            self._background.loop.call_soon_threadsafe(self._link.set_output, request.pin, request.state > 0.0)
            response.success = self._values is not None and 0 <= request.pin < PINS
        return response

    async def _here(self, future: Future[Any]) -> Any:
        waiting: RosFuture = RosFuture(executor=self.executor)
        future.add_done_callback(lambda _: self._inbox.put(lambda: waiting.set_result(None)))
        await waiting
        return future.result()


def _pins(bits: Any) -> list[Digital]:
    return [Digital(pin=pin, state=bool(bits >> pin & 1)) for pin in range(PINS)]


def _ordered(values: Any, order: list[int]) -> tuple[float, ...]:
    if len(values) == 0:
        return ()
    if len(values) != len(order):
        raise TrajectoryError('a point has the wrong number of values')
    return tuple(values[index] for index in order)


main = node_main(UrDriverNode)
