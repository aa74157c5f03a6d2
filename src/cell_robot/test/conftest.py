"""Fixtures: a robot node on a port of its own, and its clients."""

from __future__ import annotations

from typing import Any

import pytest
from cell_common.testing import domain, free_port, graph, node_switch_interval, wait_until
from rclpy.action import ActionClient

from cell_interfaces.action import RecoverRobot, TriggerRobot
from cell_interfaces.msg import RobotState

CATALOGUE = """
parts:
  - {part_number: EM1-2U1, letter: A, trays: &trays [{count: 1, capacity: 9, low: 0}, {count: 1, capacity: 9, low: 0},
                                                     {count: 1, capacity: 9, low: 0}, {count: 1, capacity: 9, low: 0}]}
  - {part_number: G8NB-17SR, letter: F, trays: *trays}
"""
SHORT = {'ack_timeout': 0.3, 'done_timeout': 0.5, 'heartbeat_timeout': 1.0, 'alarm_delay': 0.5, 'reconnect_timeout': 2.0}


class Cell:
    """A robot node and what a test asks of it."""

    def __init__(self, graph: Any, catalogue: str) -> None:
        self.graph = graph
        self.catalogue_file = catalogue
        self.port = free_port()
        from cell_common.qos import latched

        self.states = graph.collect(RobotState, 'robot/state', latched())
        self.triggers = ActionClient(graph.node, TriggerRobot, 'robot/trigger')
        self.recovery = ActionClient(graph.node, RecoverRobot, 'robot/recover')
        self.feedback: list[Any] = []

    def start(self, **parameters: Any) -> Any:
        from cell_robot.node import RobotNode

        options = {'catalogue_file': self.catalogue_file, 'port': self.port, **SHORT, **parameters}
        self.robot = self.graph.add(RobotNode(**self.graph.options(**options)))
        return self.robot

    @property
    def state(self) -> RobotState:
        return wait_until(lambda: self.states, what='robot/state')[-1]

    def connected(self) -> None:
        wait_until(lambda: self.state.connected, what='robot connected')

    def missing(self) -> None:
        wait_until(lambda: not self.state.connected, what='robot lost')

    def begin(self, trigger_id: str, event: str = 'HOME', tray: int = 0) -> Any:
        """Send a trigger and return the future of its result."""
        return self._send(self.triggers, TriggerRobot.Goal(trigger_id=trigger_id, event=event, tray=tray))

    def trigger(self, trigger_id: str, event: str = 'HOME', tray: int = 0) -> Any:
        return self.result(self.begin(trigger_id, event, tray))

    def recover(self, **request: Any) -> Any:
        return self.result(self.begin_recovery(**request))

    def begin_recovery(self, **request: Any) -> Any:
        return self._send(self.recovery, RecoverRobot.Goal(**request))

    def result(self, future: Any) -> Any:
        wait_until(future.done, what='result')
        return future.result().result

    def _send(self, client: Any, goal: Any) -> Any:
        wait_until(client.server_is_ready, what='the action')
        sending = self.graph.request(
            lambda: client.send_goal_async(goal, lambda message: self.feedback.append(message.feedback))
        )
        wait_until(sending.done, what='goal accepted')
        return self.graph.request(sending.result().get_result_async)


@pytest.fixture
def cell(graph: Any, tmp_path: Any) -> Cell:
    catalogue = tmp_path / 'parts.yaml'
    catalogue.write_text(CATALOGUE)
    return Cell(graph, str(catalogue))
