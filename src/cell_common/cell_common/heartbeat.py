"""Heartbeat of a node on topic `heartbeat`: a page that hears it may show the node's latched values as current."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import String

from cell_common.timers import create_steady_timer

__all__ = ['PERIOD_S', 'HeartbeatPublisher']

# The page covers the values of a node 1.4 s after its last heartbeat: three of them may be late or lost.
PERIOD_S = 0.3
DEPTH = 20


class HeartbeatPublisher:
    """Publishes the node's name every 0.3 s in the node's executor; a stopped process or a blocked executor is silent."""

    def __init__(self, node: Node) -> None:
        """Advertise `heartbeat` in the namespace of the node and start the timer."""
        self._message = String(data=node.get_name())
        self._publisher = node.create_publisher(String, 'heartbeat', QoSProfile(depth=DEPTH))
        create_steady_timer(node, PERIOD_S, self._publish)

    def _publish(self) -> None:
        self._publisher.publish(self._message)
