"""Raise and clear alarms from any node."""

from __future__ import annotations

from rclpy.node import Node

from cell_common.qos import latched
from cell_interfaces.msg import Alarm, AlarmEvent

__all__ = ['CRITICAL', 'HIGH', 'LATCHED_DEPTH', 'LOW', 'MEDIUM', 'AlarmReporter']

LOW, MEDIUM, HIGH, CRITICAL = Alarm.LOW, Alarm.MEDIUM, Alarm.HIGH, Alarm.CRITICAL
LATCHED_DEPTH = 50


class AlarmReporter:
    """Tells the alarms node what stands and what has gone; says each change once."""

    def __init__(self, node: Node) -> None:
        """Advertise `alarms/events` on a node."""
        self._node = node
        self._standing: dict[str, str] = {}
        self._publisher = node.create_publisher(AlarmEvent, 'alarms/events', latched(LATCHED_DEPTH))

    def raise_alarm(self, key: str, priority: int, text: str, *, consequence: str, action: str) -> None:
        """Raise an alarm; again with the same key and text does nothing while it stands.

        Args:
            key: Names the condition within this node.
            priority: LOW, MEDIUM, HIGH or CRITICAL.
            text: What happened.
            consequence: What it means for the cell.
            action: What the operator should do.
        """
        if self._standing.get(key) == text:
            return
        self._standing[key] = text
        self._publish(
            AlarmEvent(kind=AlarmEvent.RAISED, key=key, priority=priority, text=text, consequence=consequence, action=action)
        )

    def clear_alarm(self, key: str, *, force: bool = False) -> None:
        """Say that a condition has gone; does nothing when it did not stand.

        Args:
            key: Names the condition within this node.
            force: Say it in any case: at a start, for what an earlier life of this node may have raised.
        """
        if self._standing.pop(key, None) is not None or force:
            self._publish(AlarmEvent(kind=AlarmEvent.CLEARED, key=key))

    def _publish(self, event: AlarmEvent) -> None:
        event.stamp = self._node.get_clock().now().to_msg()
        event.source = self._node.get_name()
        self._publisher.publish(event)
