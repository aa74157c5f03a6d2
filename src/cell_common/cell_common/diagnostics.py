"""Publish a node's health on /diagnostics, for rqt_robot_monitor and the operator page.

Names follow diagnostic_updater: "<namespace>/<node>: <task>". `cell_coordinator.health` derives from them whether the cell is
ready.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from cell_common.heartbeat import HeartbeatPublisher
from cell_common.timers import create_steady_timer

__all__ = ['Diagnostics', 'Health']

PERIOD_S = 1.0


@dataclass
class Health:
    """Health of one part of a node."""

    level: int = 0
    """0 OK, 1 WARN, 2 ERROR, 3 STALE, as in diagnostic_msgs/DiagnosticStatus."""
    message: str = ''
    """Sentence for the operator; "" = nothing to report."""
    values: dict[str, str] = field(default_factory=dict)


class Diagnostics:
    """Publishes the health of a node once a second, and its heartbeat.

    Also while nothing changes: the coordinator counts a node as STALE whose reports stop. It uses steady time, so reports
    continue while simulated time stands still.
    """

    def __init__(self, node: Node, hardware_id: str = '') -> None:
        """Advertise /diagnostics; the topic is absolute because ROS tools subscribe to it there.

        Args:
            node: The node; its name and namespace become part of each status name.
            hardware_id: Identifies the device, e.g. its address; "" if there is none.
        """
        HeartbeatPublisher(node)
        self._node = node
        self._hardware_id = hardware_id
        self._tasks: dict[str, Callable[[], Health]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        create_steady_timer(node, PERIOD_S, self.publish)

    def add(self, name: str, task: Callable[[], Health]) -> None:
        """Add a status; `task` is called once a second in the executor and must not block.

        Args:
            name: Name of the task, unique within the node.
            task: Returns the current health. An exception ends the node, like one in any callback.
        """
        self._tasks[name] = task

    def publish(self) -> None:
        """Publish the health of all tasks now."""
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        # With the namespace: several cells share one /diagnostics.
        prefix = self._node.get_fully_qualified_name().lstrip('/')
        for name, task in self._tasks.items():
            health = task()
            message.status.append(
                DiagnosticStatus(
                    # DiagnosticStatus declares level as `byte`, which rclpy represents by a bytes object of length 1.
                    level=bytes([health.level]),
                    name=f'{prefix}: {name}',
                    message=health.message,
                    hardware_id=self._hardware_id,
                    values=[KeyValue(key=key, value=value) for key, value in health.values.items()],
                )
            )
        self._publisher.publish(message)
