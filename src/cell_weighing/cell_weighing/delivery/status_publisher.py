"""Publishes the state of the delivery as topic, diagnostics and alarms."""

from __future__ import annotations

from concurrent.futures import Future as ThreadFuture

from cell_common.alarms import AlarmReporter
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Health
from cell_common.qos import latched
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_interfaces.msg import DeliveryState
from cell_weighing.delivery.outbox import DeadLetter, OutboxCounts
from cell_weighing.delivery.service import DeliveryService, pluralize
from cell_weighing.station.conversions import delivery_message

POLL_PERIOD_S = 1.0
"""The topic changes at most this often, at any rate of delivery."""
EMPTY = OutboxCounts(0, 0, 0)
OutboxState = tuple[OutboxCounts, list[DeadLetter]]


class DeliveryStatusPublisher:
    """Polls the outbox every second and publishes changes."""

    def __init__(self, node: Node, delivery: DeliveryService, worker: DatabaseWorker, alarms: AlarmReporter) -> None:
        """Create the topic and start to poll.

        Args:
            node: Owner of topic and timer.
            delivery: The delivery.
            worker: Thread that reads the database.
            alarms: Where delivery alarms are raised.
        """
        self._node = node
        self._delivery = delivery
        self._worker = worker
        self._alarms = alarms
        self._counts = EMPTY
        self._published: DeliveryState | None = None
        self._polling = False
        self._logged, self._logged_dead = '', 0
        self._topic = node.create_publisher(DeliveryState, 'weighing/delivery', latched())
        if delivery.enabled:
            create_steady_timer(node, POLL_PERIOD_S, self._poll)
        else:
            self._publish(EMPTY, [])

    def health(self) -> Health:
        """Return the diagnostic state of the delivery."""
        return self._delivery.health(self._counts)

    def _poll(self) -> None:
        if not self._polling:
            self._polling = True
            self._worker.submit(self._read, self._on_polled)

    def _read(self) -> OutboxState:
        counts = self._delivery.outbox.counts()
        return counts, self._delivery.outbox.dead_letters() if counts.dead else []

    def _on_polled(self, done: ThreadFuture[OutboxState]) -> None:
        self._polling = False
        if done.exception() is None:
            self._counts, dead_letters = done.result()
            self._publish(self._counts, dead_letters)
        self._delivery.update_alarms(self._alarms, self._counts)

    def _publish(self, counts: OutboxCounts, dead_letters: list[DeadLetter]) -> None:
        state, text = self._delivery.state()
        self._log(text, counts.dead)
        message = delivery_message(int(state), text, counts, dead_letters)
        if message != self._published:
            self._published = message
            # A second message: the compared one has no stamp, or every poll would differ.
            stamped = delivery_message(int(state), text, counts, dead_letters)
            stamped.stamp = self._node.get_clock().now().to_msg()
            self._topic.publish(stamped)

    def _log(self, text: str, dead: int) -> None:
        """Log a new reason why bags wait, its end, and rejected bags: the log is where a site looks first."""
        if text != self._logged:
            log = self._node.get_logger()
            if text:
                log.warning(text)
            else:
                log.info('delivery to the web application works')
            self._logged = text
        if dead > self._logged_dead:
            self._node.get_logger().warning(f'{pluralize(dead, "bag")} rejected by the web application: the page shows why')
        self._logged_dead = dead
