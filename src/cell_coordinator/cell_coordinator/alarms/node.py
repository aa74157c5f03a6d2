"""Node `alarms`: collects the alarms of all nodes and the operator's acknowledgements. The states are in `alarms.book`.

A process of its own: it must report a coordinator that has crashed. All callbacks run in one thread, so the book needs no
lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass
from typing import Any

from cell_common.alarm_texts import ALARM_TEXTS
from cell_common.alarms import LATCHED_DEPTH
from cell_common.command_log import open_command_log
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, StorageFailedError, migrate, open_database
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Diagnostics, Health
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import latched
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.services import create_service
from cell_common.storage_health import StorageHealth
from cell_common.time import SettableClock, now_ns, to_ns
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_coordinator.alarms.book import AlarmBook, AlarmError, AlarmRaise, AlarmRecord
from cell_coordinator.alarms.event_filter import EventFilter, EventOrder, SessionKey
from cell_coordinator.alarms.flood import FloodDetector
from cell_coordinator.alarms.folding import FoldedAlarm, fold
from cell_coordinator.alarms.store import AlarmStore
from cell_interfaces.msg import Alarm, AlarmEvent, AlarmList
from cell_interfaces.srv import HandleAlarm

EXPIRE_PERIOD_S = 1.0
# Alarms of one cause arrive within this time and are published as one list.
FLUSH_PERIOD_S = 0.05
REPLAY_S = 5.0
"""Time after a start in which latched events of a sender without sessions arrive again."""


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
            engine = self._engine = open_database(settings.database_url)
            migrate(engine, 'cell_coordinator')
            self._worker = DatabaseWorker(self)
            self._commands = open_command_log(self, engine, self._worker)
            self._storage = StorageHealth(self, engine, self._worker)
            self._store = AlarmStore(engine)
            self._book = AlarmBook(self._store.open_alarms())
            times = self._store.last_event_times()
            now = now_ns(self)
            past = {
                key: stamp for key, stamp in times.items() if stamp <= now
            }  # others were stamped before the clock was set back
            self._filter = EventFilter(self._store.sessions(), past)
        except (DatabaseError, StorageFailedError) as error:
            raise StartError(str(error)) from error
        self._started_s = self._flushed_s = time.monotonic()
        self._clock_watch = SettableClock(now_ns(self), time.monotonic_ns())
        self._floods = FloodDetector()
        self._pending_events: list[AlarmEvent] = []
        self._publisher = self.create_publisher(AlarmList, 'alarms', latched())
        self.create_subscription(AlarmEvent, 'alarms/events', self._on_event, latched(LATCHED_DEPTH))
        create_service(self, HandleAlarm, 'alarms/acknowledge', self._on_acknowledge, None, self._commands)
        create_service(self, HandleAlarm, 'alarms/shelve', self._on_shelve, None, self._commands)
        create_steady_timer(self, EXPIRE_PERIOD_S, self._on_tick)
        self._flush_timer = create_steady_timer(self, FLUSH_PERIOD_S, self._flush)
        self._flush_timer.cancel()
        Diagnostics(self).add('alarms', self._health)
        self._publish()

    def destroy_node(self) -> None:
        """Store what is not stored yet, then destroy the node."""
        self._flush()
        self._worker.close(finish_queue=True)
        self._engine.dispose()
        super().destroy_node()

    def _on_event(self, event: AlarmEvent) -> None:
        """Collect events that arrive together: a flood is stored and published in a few steps, not one by one."""
        self._pending_events.append(event)
        if time.monotonic() - self._flushed_s >= FLUSH_PERIOD_S:
            self._flush()
        elif self._flush_timer.is_canceled():
            self._flush_timer.reset()

    def _flush(self) -> None:
        """Apply the collected events, then store and publish all changes together."""
        self._flush_timer.cancel()
        self._flushed_s = time.monotonic()
        events, self._pending_events = self._pending_events, []
        replaying = self._flushed_s - self._started_s < REPLAY_S
        changed: dict[str, AlarmRecord] = {}
        sessions: dict[SessionKey, int] = {}
        for event in events:
            order = EventOrder(event.source, event.key, event.session, event.sequence, to_ns(event.stamp), event.kind)
            if not self._filter.accepts(order, replaying=replaying):
                continue
            if event.session:
                sessions[event.source, event.session] = event.sequence
            changed.update((record.alarm_id, record) for record in self._apply(event))
        opened = sum(record.count == 1 and record.active for record in changed.values())
        self._store_and_publish([*changed.values(), *self._flood(opened)], sessions)

    def _apply(self, event: AlarmEvent) -> list[AlarmRecord]:
        if event.kind == AlarmEvent.CLEARED and not event.key:
            return self._book.clear_source(event.source, to_ns(event.stamp))
        if event.kind == AlarmEvent.CLEARED:
            return self._book.clear(event.source, event.key, to_ns(event.stamp))
        raised = AlarmRaise(event.source, event.key, event.priority, event.text, event.consequence, event.action)
        return self._book.raise_alarm(raised, new_id(), to_ns(event.stamp))

    def _flood(self, opened: int) -> list[AlarmRecord]:
        """Raise or clear the alarm that says that there is a flood; return its record if it has changed."""
        source, key = self.get_name(), 'flood'
        count = self._floods.update(opened, time.monotonic_ns())
        if not count:
            return self._book.clear(source, key, now_ns(self))
        text = ALARM_TEXTS[f'{source}/{key}']
        title, consequence, action = text.render(count=count)
        if any(record.key == key and record.source == source and record.text == title for record in self._book.active()):
            return []
        raised = AlarmRaise(source, key, text.priority, title, consequence, action)
        return self._book.raise_alarm(raised, new_id(), now_ns(self))

    def _on_tick(self) -> None:
        """End shelving that is over, also after the clock was set."""
        now = now_ns(self)
        jump_ns = self._clock_watch.update(now, time.monotonic_ns())
        moved = self._book.shift_shelving(jump_ns, now) if not self.get_parameter('use_sim_time').value else []
        self._store_and_publish([*moved, *self._book.expire(now), *self._flood(0)])

    def _on_acknowledge(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        """Acknowledge an alarm together with the alarms folded under it, which the operator sees as one."""

        def acknowledge() -> list[AlarmRecord]:
            operator, now = request.command.operator_id, now_ns(self)
            folded = next((item for item in fold(self._book.active()) if item.first.alarm_id == request.alarm_id), None)
            # Without an id the book acknowledges all, the folded ones among them.
            others = folded.others if folded and request.alarm_id else ()
            changed = self._book.acknowledge(request.alarm_id, operator, now)
            return [*changed, *(record for other in others for record in self._book.acknowledge(other.alarm_id, operator, now))]

        return self._run_command(request, response, 'acknowledged', acknowledge)

    def _on_shelve(self, request: HandleAlarm.Request, response: HandleAlarm.Response) -> HandleAlarm.Response:
        def shelve() -> list[AlarmRecord]:
            return self._book.shelve(request.alarm_id, to_ns(request.shelve_for), now_ns(self))

        done = 'shelved' if to_ns(request.shelve_for) else 'shown again'
        return self._run_command(request, response, done, shelve)

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

    def _store_and_publish(self, changed: list[AlarmRecord], sessions: Mapping[SessionKey, int] | None = None) -> None:
        """Publish changed alarms and store them; a slow or failing database delays no alarm."""
        if not changed:
            return
        self._publish()
        self._worker.submit(lambda: self._store.save(changed, sessions), self._on_stored)

    def _on_stored(self, stored: ThreadFuture[None]) -> None:
        """Note the result of a save; the first failure in a row is logged."""
        error = stored.exception()
        if error is None:
            self._storage.succeeded()
        else:
            self._storage.failed(str(error))

    def _publish(self) -> None:
        alarms = [_to_msg(item) for item in fold(self._book.active())]
        self._publisher.publish(AlarmList(stamp=self.get_clock().now().to_msg(), alarms=alarms))

    def _health(self) -> Health:
        if self._storage.error:
            return Health(2, self._storage.error)
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
