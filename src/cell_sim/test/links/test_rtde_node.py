"""Robot node with backend rtde, tested through its topics, services and actions."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.qos import latched
from cell_common.runner import StartError
from cell_common.testing import NodeGraph, wait_until
from cell_robot.node import RobotNode
from cell_sim.ur_controller.ports.controller import ControllerServer
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action.client import ActionClient
from sensor_msgs.msg import JointState

from cell_interfaces.action import RecoverRobot, TriggerRobot
from cell_interfaces.msg import AlarmEvent, CommandInfo, ResultCode, RobotState
from cell_interfaces.srv import RobotCommand, RobotPreflight

RECIPE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'


class Cell:
    """A robot node and its controller."""

    def __init__(self, graph: NodeGraph) -> None:
        self.graph = graph
        self._world = AsyncioThread('ur')
        self.address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        self.server = ControllerServer(address=self.address)
        self._world.run(self.server.start(), 30.0)
        self.states = graph.collect(RobotState, 'robot/state', latched())
        self.joints = graph.collect(JointState, 'joint_states')
        self.health = graph.collect(DiagnosticArray, '/diagnostics')
        self.alarms = graph.collect(AlarmEvent, 'alarms/events', latched(50))
        self.triggers = ActionClient(graph.node, TriggerRobot, 'robot/trigger')
        self.recovery = ActionClient(graph.node, RecoverRobot, 'robot/recover')
        self.steps: list[Any] = []
        self.node = graph.add(
            RobotNode(
                **graph.options(
                    backend='rtde',
                    recipe_file=str(RECIPE),
                    robot_address=self.address,
                    allow_moves=True,
                    watchdog_frequency=1.0,
                )
            )
        )
        wait_until(lambda: self.states and self.states[-1].connected, what='robot connected')

    def close(self) -> None:
        self.graph.remove(self.node)
        self._world.run(self.server.stop(), 30.0)
        self._world.close()

    def inject(self, fault: str, value: float = 0.0) -> None:
        async def work() -> str:
            return self.server.inject(fault, value)

        self._world.run(work(), 30.0)

    def begin(self, event: str) -> Any:
        return self._send(self.triggers, TriggerRobot.Goal(trigger_id=f't-{time.monotonic_ns()}', event=event))

    def recover(self) -> Any:
        return self.result(self._send(self.recovery, RecoverRobot.Goal(area_is_clear=True, command=CommandInfo())))

    def preflight(self) -> Any:
        return self.graph.call(RobotPreflight, 'robot/preflight', RobotPreflight.Request())

    def result(self, future: Any) -> Any:
        wait_until(future.done, 30.0, 'result')
        return future.result().result

    def _send(self, client: Any, goal: Any) -> Any:
        wait_until(client.server_is_ready)
        sending = self.graph.request(lambda: client.send_goal_async(goal, lambda message: self.steps.append(message.feedback)))
        wait_until(sending.done)
        return self.graph.request(sending.result().get_result_async)


@pytest.fixture
def cell(graph: NodeGraph) -> Iterator[Cell]:
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    made = Cell(graph)
    yield made
    made.close()


def test_state_and_joints_are_complete_and_a_named_pose_is_reached(cell: Cell) -> None:
    state = cell.states[-1]
    assert (state.backend, state.peer, state.robot_mode, state.safety_mode) == ('rtde', cell.address, 7, 1)
    result = cell.result(cell.begin('MOVE_camera'))
    assert result.outcome == TriggerRobot.Result.SUCCEEDED, result.message
    wait_until(lambda: cell.states[-1].last_trigger_state == RobotState.TRIGGER_DONE)
    state = cell.states[-1]
    assert (state.last_trigger_event, state.program_state, state.message) == ('MOVE_camera', RobotState.PROGRAM_PLAYING, '')
    assert state.speed_scaling == 1.0
    wait_until(lambda: cell.states[-1].data_age < 1.0)
    wait_until(lambda: abs(cell.joints[-1].position[0] + 0.5236) < 1e-3)
    assert cell.joints[-1].name[0] == 'shoulder_pan_joint' and len(cell.joints[-1].velocity) == 6
    assert cell.preflight().code == ResultCode.OK


def test_a_stop_is_reported_on_every_topic_and_recovered_step_by_step(cell: Cell) -> None:
    future = cell.begin('MOVE_above_place')
    wait_until(lambda: any(map(abs, cell.server.controller.motion.speeds)), what='moving')
    stop = cell.graph.call(RobotCommand, 'robot/stop', RobotCommand.Request(command=CommandInfo()))
    assert stop.code == ResultCode.OK
    result = cell.result(future)
    assert (result.outcome, result.code) == (TriggerRobot.Result.UNKNOWN, ResultCode.ROBOT_STOPPED)
    wait_until(lambda: cell.health and cell.health[-1].status[0].level == b'\x02', what='the node says that it is not ready')
    assert 'Recover the robot' in cell.health[-1].status[0].message
    wait_until(lambda: any(alarm.key == 'outcome_unknown' for alarm in cell.alarms))
    answer = cell.preflight()
    assert answer.code == ResultCode.PREFLIGHT_FAILED and answer.message.startswith('robot stop: ')
    cell.steps.clear()
    assert cell.recover().code == ResultCode.OK
    # Feedback is a topic of its own: it may arrive after the result.
    wait_until(lambda: cell.steps and cell.steps[-1].number == cell.steps[-1].count, what='the last step')
    count = len(cell.steps)
    assert [(step.number, step.count) for step in cell.steps] == [(number, count) for number in range(1, count + 1)]
    wait_until(lambda: cell.states[-1].recoveries == 1 and cell.states[-1].message == '')
    assert cell.preflight().code == ResultCode.OK


def test_a_lost_robot_is_reported(cell: Cell) -> None:
    cell.inject('disconnect', 1.0)
    wait_until(lambda: any(not state.connected and 'check the network cable' in state.message for state in cell.states))
    wait_until(lambda: cell.states[-1].connected, what='connected again')


@pytest.mark.parametrize(('recipe', 'said'), [('', 'set parameter recipe_file'), ('/nowhere.yaml', 'there is no recipe')])
def test_without_a_recipe_the_node_does_not_start(graph: NodeGraph, recipe: str, said: str) -> None:
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    with pytest.raises(StartError, match=said):
        RobotNode(**graph.options(backend='rtde', recipe_file=recipe))
