"""Raise and clear alarms from any node.

A node reports events only. Node `alarms` of cell_coordinator owns the state of each alarm: acknowledgement, shelving, count.
Topic `alarms/events` is transient local, so the alarms node may start after the node that reports.
"""

from __future__ import annotations

from rclpy.node import Node

from cell_common.alarm_texts import ALARM_TEXTS
from cell_common.ids import new_id
from cell_common.qos import latched
from cell_common.ros_time import to_msg
from cell_common.time import now_ns
from cell_interfaces.msg import Alarm, AlarmEvent

__all__ = ['CRITICAL', 'HIGH', 'LATCHED_DEPTH', 'LOW', 'MEDIUM', 'AlarmReporter']

LOW, MEDIUM, HIGH, CRITICAL = Alarm.LOW, Alarm.MEDIUM, Alarm.HIGH, Alarm.CRITICAL
LATCHED_DEPTH = 5000
"""Events that the alarms node receives when it starts later than the reporting node, and that wait while it is busy."""


class AlarmReporter:
    """Publishes the alarms of a node on `alarms/events`; repeated raises and clears are filtered.

    Conditions are polled by most nodes, so `raise_alarm` and `clear_alarm` may be called in each cycle: an event is published
    on a change only. Use it in the executor's thread.
    """

    def __init__(self, node: Node) -> None:
        """Advertise `alarms/events` on a node, and report its start.

        With the start event the alarms node clears what an earlier process of this node has raised and, because it crashed or
        was killed, never cleared. A condition that holds is raised again by this process.

        Args:
            node: Its name becomes the `source` of each alarm.
        """
        self._node = node
        self._active: dict[str, tuple[str, str, str]] = {}
        self._session = new_id()
        self._sequence = 0
        self._publisher = node.create_publisher(AlarmEvent, 'alarms/events', latched(LATCHED_DEPTH))
        self._publish(AlarmEvent(kind=AlarmEvent.CLEARED, key=''))

    def raise_alarm(self, key: str, priority: int, text: str, *, consequence: str, action: str) -> None:
        """Raise an alarm; no-op while an alarm with the same key and texts is active.

        Different texts under the same key replace the old ones and count as a repeated raise.

        Args:
            key: Identifies the condition within this node.
            priority: LOW, MEDIUM, HIGH or CRITICAL.
            text: What happened.
            consequence: Effect on the cell.
            action: What the operator should do.
        """
        # Compared with the texts, not the key alone: the values in them may have changed.
        texts = (text, consequence, action)
        if self._active.get(key) == texts:
            return
        self._active[key] = texts
        self._publish(
            AlarmEvent(kind=AlarmEvent.RAISED, key=key, priority=priority, text=text, consequence=consequence, action=action)
        )

    def raise_known(self, key: str, *, instance: str = '', **values: object) -> None:
        """Raise an alarm whose text is in `alarm_texts.ALARM_TEXTS` under "<node>/<key>".

        Args:
            key: Key of its text, without the source.
            instance: Added to the key, so that several alarms with the same text are open at a time.
            values: A value for each `{name}` of the text.

        Raises:
            KeyError: There is no such text, or a value is missing.
        """
        text = ALARM_TEXTS[f'{self._node.get_name()}/{key}']
        title, consequence, action = text.render(**values)
        full_key = f'{key}/{instance}' if instance else key
        self.raise_alarm(full_key, text.priority, title, consequence=consequence, action=action)

    def clear_alarm(self, key: str) -> None:
        """Clear an alarm; no-op if it is not active.

        Args:
            key: Identifies the condition within this node.
        """
        if self._active.pop(key, None) is not None:
            self._publish(AlarmEvent(kind=AlarmEvent.CLEARED, key=key))

    def _publish(self, event: AlarmEvent) -> None:
        self._sequence += 1
        event.session, event.sequence = self._session, self._sequence
        event.stamp = to_msg(now_ns(self._node))
        event.source = self._node.get_name()
        self._publisher.publish(event)
