"""The simulated driver as the official one is documented: what it takes, when time stands still, what is latched."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.qos import events, latched
from cell_common.testing import NodeGraph, wait_until
from cell_robot.motion import JOINTS
from cell_sim.ur_controller.external_control import FOLLOW, HOLD
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_driver import names
from cell_sim.ur_driver.follower import GOAL_VIOLATED, INVALID_GOAL, SUCCESSFUL, DriverData, TrajectoryFollower
from cell_sim.ur_driver.node import UrDriverNode
from cell_sim.ur_driver.trajectory import Trajectory, TrajectoryError, TrajectoryPoint, joint_order
from control_msgs.action import FollowJointTrajectory
from rclpy.action.client import ActionClient
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from ur_dashboard_msgs.msg import RobotMode, SafetyMode
from ur_dashboard_msgs.srv import IsInRemoteControl
from ur_msgs.msg import IOStates
from ur_msgs.srv import SetIO

ZERO = (0.0,) * 6
ENDS = Trajectory(ZERO, [TrajectoryPoint(1.0, (1.0, *ZERO[1:]))])


def test_places_and_speeds_are_met_and_cubic_in_between() -> None:
    path = Trajectory(ZERO, [TrajectoryPoint(1.0, (1.0,) * 6, (1.0,) * 6), TrajectoryPoint(3.0, (2.0,) * 6, ZERO)])
    assert path.at(0.0) == ZERO and path.at(1.0) == pytest.approx((1.0,) * 6) and path.at(9.0) == (2.0,) * 6
    assert (path.at(1.001)[0] - path.at(0.999)[0]) / 0.002 == pytest.approx(1.0, abs=0.01)
    assert ENDS.at(0.25)[0] == pytest.approx(0.25), 'linear without speeds'


@pytest.mark.parametrize(
    ('points', 'why'),
    [
        ([], '0 points'),
        ([TrajectoryPoint(1.0, (0.0,) * 5)], 'number of values'),
        ([TrajectoryPoint(1.0, (float('nan'), *ZERO[1:]))], 'not a finite number'),
        ([TrajectoryPoint(1.0, ZERO), TrajectoryPoint(1.0, ZERO)], 'time of point 1'),
        ([TrajectoryPoint(1.0, ZERO, (0.1,) * 6)], 'at rest'),
    ],
)
def test_what_is_no_trajectory_is_not_taken(points: list[TrajectoryPoint], why: str) -> None:
    with pytest.raises(TrajectoryError, match=why):
        Trajectory(ZERO, points)


def test_joints_are_mapped_by_name() -> None:
    assert [names.JOINT_ORDER[index] for index in joint_order(names.JOINT_ORDER, JOINTS)] == list(JOINTS)
    for wrong in (JOINTS[:5], (*JOINTS[:5], 'finger'), (*JOINTS, JOINTS[0])):
        with pytest.raises(TrajectoryError):
            joint_order(wrong, JOINTS)


class Feed:
    """Data packages, one after the other."""

    def __init__(self) -> None:
        self.data = DriverData(0.0, ZERO, ZERO, 7, 1, 2, 1.0, 0, 0, 0)
        self.follower, self.ended = TrajectoryFollower(), []

    def step(self, seconds: float = 0.1, follow: bool = True, **changes: Any) -> tuple[int, tuple[float, ...]]:
        data = replace(self.data, **changes)
        echo = data.echo + (data.runtime_state == 2)
        self.data = replace(data, timestamp=data.timestamp + seconds, echo=echo)
        command, targets = self.follower.update(self.data)
        if follow and command == FOLLOW:
            self.data = replace(self.data, joints=targets)
        return command, targets

    def begin(self) -> None:
        self.step()
        self.step()
        assert self.follower.running
        self.follower.start(ENDS, lambda code, text: self.ended.append(code))


def test_time_runs_as_the_speed_scaling_says_and_stands_in_a_pause() -> None:
    feed = Feed()
    feed.begin()
    assert feed.step(0.5)[1][0] == pytest.approx(0.5)
    assert feed.step(0.5, speed_scaling=0.5)[1][0] == pytest.approx(0.75)
    assert feed.step(5.0, runtime_state=4)[1][0] == pytest.approx(0.75) and feed.follower.running
    assert feed.ended == [], 'the goal is still there, and would go on'
    feed.step(0.5, runtime_state=2, speed_scaling=1.0)
    feed.step()
    assert feed.ended == [SUCCESSFUL] and feed.step()[0] == HOLD


def test_a_program_that_ends_or_is_lost_ends_the_goal() -> None:
    feed = Feed()
    feed.begin()
    assert feed.step(0.1, runtime_state=1)[0] == HOLD
    assert feed.ended == [INVALID_GOAL] and not feed.follower.running
    other = Feed()
    other.begin()
    other.follower.disconnected()
    assert other.ended == [INVALID_GOAL]


def test_an_arm_that_does_not_get_there_violates_the_goal() -> None:
    feed = Feed()
    feed.begin()
    for _ in range(40):
        feed.step(0.1, follow=False)
    assert feed.ended == [GOAL_VIOLATED]


def test_another_program_is_not_the_drivers() -> None:
    feed = Feed()
    for _ in range(3):
        feed.data = replace(feed.data, echo=6)
        feed.follower.update(feed.data)
    assert not feed.follower.running


@pytest.fixture
def robot(graph: NodeGraph) -> Iterator[ControllerServer]:
    world = AsyncioThread('ur')
    address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
    server = ControllerServer(address=address)
    world.run(server.start(), 30.0)
    graph.add(UrDriverNode(**graph.options(robot_ip=address)))
    yield server
    world.run(server.stop(), 30.0)
    world.close()


def goal(joints: tuple[float, ...], seconds: int = 1) -> FollowJointTrajectory.Goal:
    point = JointTrajectoryPoint(positions=list(joints))
    point.time_from_start.sec = seconds
    return FollowJointTrajectory.Goal(trajectory=JointTrajectory(joint_names=list(JOINTS), points=[point]))


def test_names_types_and_latching_are_the_official_ones(graph: NodeGraph, robot: ControllerServer) -> None:
    running = graph.collect(Bool, 'io_and_status_controller/robot_program_running', latched())
    joints = graph.collect(JointState, 'joint_states', events())
    wait_until(lambda: running and running[-1].data and joints, 15.0, 'the driver runs its program')
    modes = graph.collect(RobotMode, 'io_and_status_controller/robot_mode', latched())
    safety = graph.collect(SafetyMode, 'io_and_status_controller/safety_mode', latched())
    wait_until(lambda: modes and safety, what='a late subscriber receives the modes')
    assert (modes[0].mode, safety[0].mode) == (RobotMode.RUNNING, SafetyMode.NORMAL)
    assert list(joints[0].name) == sorted(joints[0].name)
    assert dict(zip(joints[0].name, joints[0].position, strict=True)) == pytest.approx(
        dict(zip(JOINTS, robot.controller.motion.joints, strict=True))
    )
    outputs = graph.collect(IOStates, 'io_and_status_controller/io_states', events())
    request = SetIO.Request(fun=SetIO.Request.FUN_SET_DIGITAL_OUT, pin=9, state=1.0)
    assert graph.call(SetIO, 'io_and_status_controller/set_io', request).success
    wait_until(lambda: outputs and outputs[-1].digital_out_states[9].state, what='the output is on')
    assert robot.controller.registers.digital_outputs == 1 << 9
    answer = graph.call(IsInRemoteControl, 'dashboard_client/is_in_remote_control', IsInRemoteControl.Request())
    assert (answer.success, answer.remote_control) == (True, True)


def test_a_goal_moves_the_arm_a_stopped_program_refuses_one_and_is_sent_again(
    graph: NodeGraph, robot: ControllerServer
) -> None:
    running = graph.collect(Bool, 'io_and_status_controller/robot_program_running', latched())
    client = ActionClient(graph.node, FollowJointTrajectory, names.TRAJECTORY)
    wait_until(lambda: running and running[-1].data and client.server_is_ready(), 15.0, 'the driver runs its program')
    end = tuple(angle + 0.2 for angle in robot.controller.motion.joints)
    sent = graph.request(lambda: client.send_goal_async(goal(end)))
    wait_until(sent.done, what='answered')
    result = graph.request(sent.result().get_result_async)
    wait_until(result.done, 10.0, 'arrived')
    assert result.result().result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    assert robot.controller.motion.joints == pytest.approx(end, abs=1e-3)
    assert graph.call(Trigger, 'dashboard_client/stop', Trigger.Request()).success
    wait_until(lambda: not running[-1].data, what='told')
    refused = graph.request(lambda: client.send_goal_async(goal(end)))
    wait_until(refused.done, what='answered')
    assert not refused.result().accepted
    assert not graph.call(Trigger, 'dashboard_client/stop', Trigger.Request()).success, 'nothing runs that could be stopped'
    assert graph.call(Trigger, 'io_and_status_controller/resend_robot_program', Trigger.Request()).success
    wait_until(lambda: running[-1].data, what='it runs again')


def test_a_cancelled_goal_leaves_the_arm_where_it_is(graph: NodeGraph, robot: ControllerServer) -> None:
    running = graph.collect(Bool, 'io_and_status_controller/robot_program_running', latched())
    client = ActionClient(graph.node, FollowJointTrajectory, names.TRAJECTORY)
    wait_until(lambda: running and running[-1].data and client.server_is_ready(), 15.0, 'the driver runs its program')
    begin = robot.controller.motion.joints
    sent = graph.request(lambda: client.send_goal_async(goal(tuple(angle + 0.5 for angle in begin), 10)))
    wait_until(sent.done, what='answered')
    wait_until(lambda: robot.controller.motion.joints != begin, what='moving')
    result = graph.request(sent.result().get_result_async)
    graph.request(sent.result().cancel_goal_async)
    wait_until(result.done, what='cancelled')
    assert result.result().status == 5, 'CANCELED'
    wait_until(lambda: not any(robot.controller.motion.speeds), what='stands')
    assert robot.controller.motion.joints[0] - begin[0] < 0.4
