"""Node `alarms`: collects what the nodes raise and clear, and keeps what people acknowledged and shelved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cell_common.alarms import LATCHED_DEPTH
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.ids import new_id
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import latched
from cell_common.runner import StartError, node_main
from cell_common.time import to_ns
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_coordinator.alarms.book import AlarmBook, AlarmError, AlarmRecord, Raised
from cell_coordinator.alarms.store import AlarmStore
from cell_coordinator.job.conversions import time_message
from cell_coordinator.job.store import StorageFailedError
from cell_interfaces.msg import Alarm, AlarmEvent, AlarmList, ResultCode
from cell_interfaces.srv import HandleAlarm

EXPIRE_EVERY_S = 1.0


@dataclass(frozen=True)
class AlarmsParameters:
    """Parameters of node `alarms`."""

    database_url: str = parameter('sqlite:///cell.db', 'Where alarms are kept, as an SQLAlchemy URL.')


class AlarmsNode(Node):
    """Publishes alarms; the states are in `alarm_book`."""

    def __init__(self, **options: Any) -> None:
        """Take up the open alarms of the database.

        Raises:
            StartError: The database cannot be used.
        """
        super().__init__('alarms', **options)
        settings = declare_parameters(self, AlarmsParameters)
        try:
            engine = open_database(settings.database_url)
            migrate(engine, 'cell_coordinator')
            self._store = AlarmStore(engine)
            self._book = AlarmBook(self._store.open_alarms(), self._store.last_heard())
        except (DatabaseError, StorageFailedError) as problem:
            raise StartError(str(problem)) from problem
        self._trouble = ''
        self._publisher = self.create_publisher(AlarmList, 'alarms', latched())
        self.create_subscription(AlarmEvent, 'alarms/events', self._on_event, latched(LATCHED_DEPTH))
        self.create_service(HandleAlarm, 'alarms/acknowledge', self._on_acknowledge)
        self.create_service(HandleAlarm, 'alarms/shelve', self._on_shelve)
        create_steady_timer(self, EXPIRE_EVERY_S, lambda: self._keep(self._book.expire(self._now())))
        Diagnostics(self).add('alarms', self._health)
        self._publish()

    def _on_event(self, event: AlarmEvent) -> None:
        if event.kind == AlarmEvent.CLEARED:
            self._keep(self._book.clear(event.source, event.key, to_ns(event.stamp)))
            return
        raised = Raised(event.source, event.key, event.priority, event.text, event.consequence, event.action)
        self._keep(self._book.raise_alarm(raised, new_id(), to_ns(event.stamp)))

    def _on_acknowledge(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        return self._handle(
            request,
            response,
            'acknowledged',
            lambda: self._book.acknowledge(request.alarm_id, request.command.operator_id, self._now()),
        )

    def _on_shelve(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        return self._handle(
            request,
            response,
            'shelved',
            lambda: self._book.shelve(request.alarm_id, to_ns(request.shelve_for), self._now()),
        )

    def _handle(
        self, request: HandleAlarm.Request, response: HandleAlarm.Response, done: str, work: Callable[[], list[AlarmRecord]]
    ) -> HandleAlarm.Response:
        late = expiry_error(request.command, self._now())
        if late:
            response.code, response.message = ResultCode.EXPIRED, late
            return response
        try:
            changed = work()
        except AlarmError as refusal:
            response.code, response.message = refusal.code, str(refusal)
            return response
        self._keep(changed)
        who = request.command.operator_id or 'unknown'
        for record in changed:
            self.get_logger().info(f'{record.source}/{record.key} {done} by {who}')
        response.message = f'{len(changed)} {done}'
        return response

    def _keep(self, changed: list[AlarmRecord]) -> None:
        """Store and publish. A database that refuses does not hide an alarm: it is shown all the same."""
        if not changed:
            return
        try:
            self._store.save(changed)
            self._trouble = ''
        except StorageFailedError as problem:
            if not self._trouble:
                self.get_logger().error(str(problem))
            self._trouble = str(problem)
        self._publish()

    def _publish(self) -> None:
        self._publisher.publish(
            AlarmList(stamp=self.get_clock().now().to_msg(), alarms=[_message(record) for record in self._book.shown()])
        )

    def _health(self) -> Health:
        return Health(2, self._trouble) if self._trouble else Health(0, '', {'open': str(len(self._book.shown()))})

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def _message(record: AlarmRecord) -> Alarm:
    return Alarm(
        alarm_id=record.alarm_id,
        source=record.source,
        key=record.key,
        priority=record.priority,
        state=int(record.state),
        text=record.text,
        consequence=record.consequence,
        action=record.action,
        raised_at=time_message(record.raised_ns),
        count=record.count,
        acknowledged_by=record.acknowledged_by,
        acknowledged_at=time_message(record.acknowledged_ns),
        shelved_until=time_message(record.shelved_until_ns),
    )


main = node_main(AlarmsNode)
