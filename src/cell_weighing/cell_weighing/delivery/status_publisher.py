"""How far the bags have got on their way to the web application, as topic, health and alarms."""

from __future__ import annotations

from concurrent.futures import Future as ThreadFuture

from cell_common.alarms import AlarmReporter
from cell_common.diagnostics import Health
from cell_common.qos import latched
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_interfaces.msg import DeliveryState
from cell_weighing.delivery.outbox import DeadLetter, OutboxCounts
from cell_weighing.delivery.service import DeliveryService
from cell_weighing.station.conversions import delivery_message
from cell_weighing.station.database_worker import DatabaseWorker

LOOK_S = 1.0
"""The topic changes at most this often, however fast bags are delivered."""
NOTHING = OutboxCounts(0, 0, 0)
Standing = tuple[OutboxCounts, list[DeadLetter]]


class DeliveryStatusPublisher:
    """Looks at the outbox every second and tells what has changed."""

    def __init__(self, node: Node, dispatch: DeliveryService, worker: DatabaseWorker, alarms: AlarmReporter) -> None:
        """Publish what is known and begin to look."""
        self._node = node
        self._dispatch = dispatch
        self._worker = worker
        self._alarms = alarms
        self._counts = NOTHING
        self._shown: DeliveryState | None = None
        self._looking = False
        self._topic = node.create_publisher(DeliveryState, 'weighing/delivery', latched())
        if dispatch.enabled:
            create_steady_timer(node, LOOK_S, self._look)
        else:
            self._show(NOTHING, [])

    def health(self) -> Health:
        """Return the delivery's health."""
        return self._dispatch.health(self._counts)

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self._worker.submit(self._standing, self._looked)

    def _standing(self) -> Standing:
        counts = self._dispatch.outbox.counts()
        return counts, self._dispatch.outbox.dead_letters() if counts.dead else []

    def _looked(self, done: ThreadFuture[Standing]) -> None:
        self._looking = False
        if done.exception() is None:
            self._counts, refused = done.result()
            self._show(self._counts, refused)
        self._dispatch.alarm(self._alarms, self._counts)

    def _show(self, counts: OutboxCounts, refused: list[DeadLetter]) -> None:
        state, text = self._dispatch.state()
        message = delivery_message(int(state), text, counts, refused)
        if message != self._shown:
            self._shown = message
            stamped = delivery_message(int(state), text, counts, refused)
            stamped.stamp = self._node.get_clock().now().to_msg()
            self._topic.publish(stamped)
