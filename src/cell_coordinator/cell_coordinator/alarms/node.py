"""Node `alarms`: collects the alarms of all nodes and the operator's acknowledgements. The states are in `alarms.book`.

A process of its own: it must report a coordinator that has crashed. All callbacks run in one thread, so the book needs no
lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cell_common.alarms import LATCHED_DEPTH
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, StorageFailedError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import latched
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.time import now_ns, to_ns
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_coordinator.alarms.book import AlarmBook, AlarmError, AlarmRaise, AlarmRecord
from cell_coordinator.alarms.folding import FoldedAlarm, fold
from cell_coordinator.alarms.store import AlarmStore
from cell_interfaces.msg import Alarm, AlarmEvent, AlarmList
from cell_interfaces.srv import HandleAlarm

EXPIRE_PERIOD_S = 1.0


@dataclass(frozen=True)
class AlarmsParameters:
    """Parameters of node `alarms`."""

    database_url: str = parameter('sqlite:///cell.db', 'Database of the alarms, as an SQLAlchemy URL.')


class AlarmsNode(Node):
    """Publishes alarms; serves alarms/acknowledge and alarms/shelve.

    A failing database is reported by the node's health and does not stop alarms: they are shown from memory, and lost at the
    next restart.
    """

    def __init__(self, **options: Any) -> None:
        """Restore the open alarms of the database.

        Args:
            options: Arguments of rclpy's Node.

        Raises:
            StartError: The database cannot be used.
        """
        super().__init__('alarms', **options)
        settings = declare_parameters(self, AlarmsParameters)
        try:
            engine = open_database(settings.database_url)
            migrate(engine, 'cell_coordinator')
            self._store = AlarmStore(engine)
            self._book = AlarmBook(self._store.open_alarms(), self._store.last_event_times())
        except (DatabaseError, StorageFailedError) as error:
            raise StartError(str(error)) from error
        self._storage_error = ''
        self._publisher = self.create_publisher(AlarmList, 'alarms', latched())
        self.create_subscription(AlarmEvent, 'alarms/events', self._on_event, latched(LATCHED_DEPTH))
        self.create_service(HandleAlarm, 'alarms/acknowledge', self._on_acknowledge)
        self.create_service(HandleAlarm, 'alarms/shelve', self._on_shelve)
        create_steady_timer(self, EXPIRE_PERIOD_S, lambda: self._store_and_publish(self._book.expire(now_ns(self))))
        Diagnostics(self).add('alarms', self._health)
        self._publish()

    def _on_event(self, event: AlarmEvent) -> None:
        if event.kind == AlarmEvent.CLEARED:
            self._store_and_publish(self._book.clear(event.source, event.key, to_ns(event.stamp)))
            return
        raised = AlarmRaise(event.source, event.key, event.priority, event.text, event.consequence, event.action)
        self._store_and_publish(self._book.raise_alarm(raised, new_id(), to_ns(event.stamp)))

    def _on_acknowledge(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        """Acknowledge an alarm together with the alarms folded under it, which the operator sees as one."""

        def acknowledge() -> list[AlarmRecord]:
            operator, now = request.command.operator_id, now_ns(self)
            folded = next((item for item in fold(self._book.active()) if item.first.alarm_id == request.alarm_id), None)
            others = folded.others if folded and request.alarm_id else ()
            changed = self._book.acknowledge(request.alarm_id, operator, now)
            return [*changed, *(record for other in others for record in self._book.acknowledge(other.alarm_id, operator, now))]

        return self._run_command(request, response, 'acknowledged', acknowledge)

    def _on_shelve(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        def shelve() -> list[AlarmRecord]:
            return self._book.shelve(request.alarm_id, to_ns(request.shelve_for), now_ns(self))

        return self._run_command(request, response, 'shelved', shelve)

    def _run_command(
        self, request: HandleAlarm.Request, response: HandleAlarm.Response, done: str, run: Callable[[], list[AlarmRecord]]
    ) -> HandleAlarm.Response:
        """Run a command of the operator and fill in its response.

        Args:
            request: Its `command` must not be expired.
            response: Gets code and message.
            done: Past participle for message and log, e.g. "acknowledged".
            run: Changes the book; may raise AlarmError.
        """
        error = expiry_error(request.command, now_ns(self))
        if error:
            response.code, response.message = ErrorCode.EXPIRED, error
            return response
        try:
            changed = run()
        except AlarmError as alarm_error:
            response.code, response.message = alarm_error.code, str(alarm_error)
            return response
        self._store_and_publish(changed)
        operator = request.command.operator_id or 'unknown'
        for record in changed:
            self.get_logger().info(f'{record.source}/{record.key} {done} by {operator}')
        response.message = f'{len(changed)} {done}'
        return response

    def _store_and_publish(self, changed: list[AlarmRecord]) -> None:
        """Store and publish changed alarms; they are published even if the database fails."""
        if not changed:
            return
        try:
            self._store.save(changed)
            self._storage_error = ''
        except StorageFailedError as error:
            if not self._storage_error:
                self.get_logger().error(str(error))
            self._storage_error = str(error)
        self._publish()

    def _publish(self) -> None:
        alarms = [_to_msg(item) for item in fold(self._book.active())]
        self._publisher.publish(AlarmList(stamp=self.get_clock().now().to_msg(), alarms=alarms))

    def _health(self) -> Health:
        if self._storage_error:
            return Health(2, self._storage_error)
        return Health(0, '', {'open': str(len(self._book.active()))})


def _to_msg(item: FoldedAlarm) -> Alarm:
    """Return an alarm; the titles of the alarms that follow from it stand behind its consequence.

    The message has the highest priority among them: a folded CRITICAL alarm must not look like a LOW one.
    """
    record = item.first
    records = (record, *item.others)
    return Alarm(
        alarm_id=record.alarm_id,
        source=record.source,
        key=record.key,
        priority=max(each.priority for each in records),
        state=int(record.state),
        text=record.text,
        consequence=' '.join([record.consequence, *(f'Follows: {other.text}.' for other in item.others)]),
        action=record.action,
        raised_at=to_msg(record.raised_ns),
        count=record.count,
        acknowledged_by=record.acknowledged_by,
        acknowledged_at=to_msg(record.acknowledged_ns),
        shelved_until=to_msg(record.shelved_until_ns),
    )


main = node_main(AlarmsNode)
