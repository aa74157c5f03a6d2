"""scale_bridge node: stores the lines of indicators in the journal, then publishes them on weighing/weight.

Three threads: the event loop of the TCP server, the journal's writer, and the ROS executor.
Readings pass from the first to the second, which publishes them. Events of both reach the executor
through one queue, so registry and alarms have one owner.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from cell_common.alarms import AlarmReporter
from cell_common.background import AsyncioThread
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.database_claim import claim_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.ids import new_id
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.time import NS_PER_S, now_ns
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_interfaces.msg import ScaleList, ScaleReading
from cell_weighing.bridge.cdr import encode_reading, encode_scale_list
from cell_weighing.bridge.events import (
    ConnectionReplaced,
    DialState,
    IdentityMismatch,
    IndicatorConnected,
    IndicatorDisconnected,
    LineEndMissing,
    ListeningState,
    ServerEvent,
)
from cell_weighing.bridge.journal_writer import JournalStatus, JournalWriter
from cell_weighing.bridge.parameters import ScaleBridgeParameters, server_settings, site_config
from cell_weighing.bridge.scale_registry import ScaleRegistry
from cell_weighing.bridge.tcp_server import IndicatorServer
from cell_weighing.domain.jobs import is_bag
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.storage.disk_space import DatabaseDisk

LIST_PERIOD_S = 0.5
BATCH_WINDOW_S = 0.005
"""Time for which lines of several indicators are collected before they are read, seconds."""
TURN_S = 0.1
"""Longest wait of the node's thread for those of server and journal, seconds; then it tries again at the next list."""
MALFORMED_ALARM = 3
"""Malformed lines in a row that raise an alarm."""
NOT_TAKEN_ALARM = 3
"""Prints in a row that make no bag before an alarm is raised."""
# Some seconds of a full site: a station that stands still for a moment need not read the journal.
READINGS_DEPTH = 2000
# For events without an end, such as a connection that took the place of another one.
TRANSIENT_ALARM_NS = 60 * NS_PER_S


class ScaleBridgeNode(Node):
    """Connects the indicator server, the journal and the topics.

    Attributes:
        parameters: Parameters of the node.
        listening: Whether the server listens, and on which port.
    """

    def __init__(self, **options: Any) -> None:
        """Open the journal and start to listen.

        Args:
            options: Passed on to `Node`.

        Raises:
            StartError: The database cannot be used.
            ParameterError: A parameter cannot be used.
        """
        super().__init__('scale_bridge', **options)
        self._resources = contextlib.ExitStack()
        self.parameters = declare_parameters(self, ScaleBridgeParameters)
        self._settings = server_settings(self.parameters)
        site = site_config(self.parameters, new_id)
        self._events: ExecutorQueue[ServerEvent | JournalStatus] = ExecutorQueue(self, self._on_event)
        self._closing = False
        self.listening = ListeningState(self._settings.port, 'starting')
        self._journal_error = ''
        self._disk = DatabaseDisk(self.parameters.database_url, self.parameters.free_space)
        self._dirty = True
        self._published: deque[list[WeightReading]] = deque()
        """Batches that the journal's thread has published and the registry has not counted."""
        self._transient_until: dict[str, int] = {}
        """When the alarm of a transient event is cleared unless it happens again, nanoseconds."""
        self._weight = self.create_publisher(ScaleReading, 'weighing/weight', events(READINGS_DEPTH))
        self._not_taken_topic = self.create_publisher(ScaleReading, 'weighing/not_taken', events())
        self._not_taken: dict[str, int] = {}
        """By scale: prints in a row that made no bag."""
        self._scales = self.create_publisher(ScaleList, 'weighing/scales', latched())
        self._alarms = AlarmReporter(self)
        # Decision 0012: without it the 99th percentile from socket to topic was 140 to 180 ms
        # instead of 48 ms.
        self._gil_lock = gil_lock = threading.Lock()
        self._journal = self._open_journal(gil_lock)
        progress = self._journal.initial_state
        self._registry = ScaleRegistry.restore({scale: stored.valid for scale, stored in progress.items()})
        # Before the server starts: the first sample of a scale creates its capture from here.
        site.restored = {scale: stored.capture for scale, stored in progress.items()}
        self._site = site
        self._start_diagnostics()
        create_steady_timer(self, LIST_PERIOD_S, self._publish_scales)
        loop = AsyncioThread('indicators', BATCH_WINDOW_S, gil_lock)
        # ExitStack closes in reverse order: the server first, then the journal, which still writes
        # its lines, then the database.
        self._resources.callback(loop.close)
        self._server = IndicatorServer(self._settings, site, self._journal, self._post_event)
        self._serving: Future[None] = loop.submit(self._server.serve())

    def _open_journal(self, gil_lock: threading.Lock) -> JournalWriter:
        """Open the journal, migrate its tables, and claim the database for this cell.

        Raises:
            StartError: The database cannot be used, or belongs to another cell.
        """
        try:
            engine = open_database(self.parameters.database_url)
            self._resources.callback(engine.dispose)
            migrate(engine, 'cell_weighing')
            claim_database(engine, self.get_namespace())
        except DatabaseError as error:
            raise StartError(str(error)) from error
        journal = JournalWriter(engine, self._publish, lambda error: self._post_event(JournalStatus(error)), gil_lock)
        self._resources.callback(self._close_journal, journal)
        return journal

    def _close_journal(self, journal: JournalWriter) -> None:
        self._closing = True
        if lost := journal.close():
            self.get_logger().error(f'{lost} readings could not be written: {self._journal_error or "too slow"}')

    def destroy_node(self) -> None:
        """Stop listening, write the received readings, close the database."""
        self._resources.close()
        super().destroy_node()

    @property
    def pending(self) -> int:
        """Readings received and not published yet."""
        return self._journal.pending

    def _post_event(self, event: ServerEvent | JournalStatus) -> None:
        """Queue an event for the node's thread, from any thread."""
        # The queue is full while the executor is stuck; giving up would lose a disconnect. While
        # closing nobody empties the queue.
        while not self._closing:
            try:
                self._events.put(event, timeout=1.0)
            except queue.Full:
                continue
            break

    def _on_event(self, event: ServerEvent | JournalStatus) -> None:
        """Process an event of the server or the journal, in the node's thread."""
        self._dirty = True
        match event:
            case ListeningState():
                self._on_listening(event)
            case DialState():
                self._on_dial(event)
            case IndicatorConnected():
                self._registry.connect(event.peer, event.format)
            case LineEndMissing():
                self._registry.unterminated.add(event.peer)
                self.get_logger().info(f'indicator at {event.peer} sends no line end: a silence ends its records')
            case IndicatorDisconnected():
                self._registry.disconnect(event.peer)
                name = ', '.join(event.scale_ids) or 'without id'
                self.get_logger().info(f'indicator {name} at {event.peer} disconnected: {event.reason}')
            case ConnectionReplaced():
                peers = {'new': event.new_peer, 'old': event.old_peer}
                self._alarms.raise_known('duplicate', instance=event.scale_id, scale=event.scale_id, **peers)
                self._clear_later(f'duplicate/{event.scale_id}')
            case IdentityMismatch():
                address = event.peer.rpartition(':')[0]
                self._alarms.raise_known('identity', instance=address, peer=event.peer, scale=event.scale_id)
                self._clear_later(f'identity/{address}')
            case JournalStatus():
                self._on_journal(event.error)

    def _clear_later(self, key: str) -> None:
        """Clear the alarm of an event that has no end of its own, after a while."""
        self._transient_until[key] = now_ns(self) + TRANSIENT_ALARM_NS

    def _publish(self, readings: list[WeightReading]) -> None:
        """Publish durable readings in the journal's thread (rcl_publish is thread-safe).

        In the node's thread, each message would wait for the interpreter lock between the threads of server and journal: at a
        thousand lines a second the node would fall behind.
        """
        for reading in readings:
            try:
                self._weight.publish(encode_reading(reading))
            except Exception as error:  # the journal goes on: a station reads the missing reading there
                if not self.context.ok():
                    break
                self.get_logger().error(
                    f'reading {reading.reading_id} is stored and could not be published: {error!r}', throttle_duration_sec=60
                )
        self._published.append(readings)

    def _count_published(self) -> None:
        """Count the published readings, one batch at a time while server and journal wait."""
        while self._published:
            self._dirty = True
            with self._turn() as taken:
                if not taken:
                    return
                for reading in self._published.popleft():
                    self._count(reading)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[bool]:
        """Let the threads of server and journal wait (decision 0012); False = not now.

        The wait has a limit: the server holds the lock while the queue of events is full, and only this thread empties it.
        """
        taken = self._gil_lock.acquire(timeout=TURN_S)
        try:
            yield taken
        finally:
            if taken:
                self._gil_lock.release()

    def _count(self, reading: WeightReading) -> None:
        entry = self._registry.update(reading)
        # Nearly all readings are bags without a message, of scales that have no fault.
        if reading.message or self._not_taken:
            self._report_not_taken(reading)
        if reading.status is ReadingStatus.MALFORMED:
            self._on_malformed(reading, entry.malformed_in_a_row)
        elif entry.malformed:
            self._alarms.clear_alarm(f'malformed/{reading.scale_id}')

    def _report_not_taken(self, reading: WeightReading) -> None:
        """Report a print that made no bag, with the reason; several in a row raise an alarm."""
        if not reading.message or is_bag(reading):
            if self._not_taken.pop(reading.scale_id, 0) >= NOT_TAKEN_ALARM:
                self._alarms.clear_alarm(f'not_taken/{reading.scale_id}')
            return
        self._not_taken_topic.publish(encode_reading(reading))
        if reading.status is ReadingStatus.MALFORMED:
            return
        self._not_taken[reading.scale_id] = count = self._not_taken.get(reading.scale_id, 0) + 1
        self.get_logger().warning(f'scale {reading.scale_id}: print not taken: {reading.message}', throttle_duration_sec=1)
        if count >= NOT_TAKEN_ALARM:
            scale = reading.scale_id
            self._alarms.raise_known('not_taken', instance=scale, scale=scale, reason=reading.message)

    def _on_malformed(self, reading: WeightReading, in_a_row: int) -> None:
        name = f'scale {reading.scale_id}' if reading.scale_id else reading.peer
        if in_a_row == 1:
            self.get_logger().warning(f'{name}: the line is no weight: {reading.message}')
        if in_a_row >= MALFORMED_ALARM:
            title = f'{name[0].upper()}{name[1:]}'
            self._alarms.raise_known('malformed', instance=reading.scale_id, name=title, reason=reading.message)

    def _on_dial(self, dial: DialState) -> None:
        if not dial.error:
            self._alarms.clear_alarm(f'unreachable/{dial.address}')
            return
        self.get_logger().warning(f'indicator at {dial.address} cannot be reached: {dial.error}; retrying')
        self._alarms.raise_known('unreachable', instance=dial.address, address=dial.address, error=dial.error)

    def _on_listening(self, listening: ListeningState) -> None:
        if not listening.main:
            self._on_further_port(listening)
            return
        self.listening = listening
        if not listening.error:
            self.get_logger().info(f'listening for indicators on port {listening.port}')
            self._alarms.clear_alarm('port')
            return
        self.get_logger().error(self._port_message())
        self._alarms.raise_known('port', port=listening.port, error=listening.error)

    def _port_message(self) -> str:
        port = self.listening.port
        return (
            f'cannot listen on {self._settings.address}:{port}: {self.listening.error}. Stop the program that '
            f'uses the port (find it with "ss -ltnp sport = :{port}") or set parameter port; retrying every 2 s'
        )

    def _on_further_port(self, listening: ListeningState) -> None:
        key = f'port/{listening.port}'
        if not listening.error:
            self.get_logger().info(f'listening for indicators on port {listening.port}, too')
            self._alarms.clear_alarm(key)
            return
        text = f'cannot listen on port {listening.port}: {listening.error}. Choose another one in parameter peers'
        self.get_logger().error(text)
        self._alarms.raise_known('port', instance=str(listening.port), port=listening.port, error=listening.error)

    def _on_journal(self, error: str) -> None:
        self._journal_error = message = self._disk.describe_error(error)
        if not message:
            self.get_logger().info('the journal works again')
            self._alarms.clear_alarm('journal')
            return
        self.get_logger().error(f'cannot write the journal: {message}', throttle_duration_sec=60)
        self._alarms.raise_known('journal', error=message)

    def _update_held_back_alarm(self) -> None:
        if self._server.paused and self._journal_error:
            self._alarms.raise_known('held_back')
        elif not self._server.paused:
            self._alarms.clear_alarm('held_back')

    def _publish_scales(self) -> None:
        """Publish the list of scales if it changed, and clear alarms whose time is over."""
        self._count_published()
        self._update_held_back_alarm()
        now = now_ns(self)
        for key in [key for key, until in self._transient_until.items() if until <= now]:
            del self._transient_until[key]
            self._alarms.clear_alarm(key)
        for scale_id, (received_ns, peer, sample) in list(self._site.samples.items()):
            self._dirty |= self._registry.update_sample(scale_id, peer, received_ns, sample)
        if not self._dirty:
            return
        with self._turn() as taken:
            if taken:
                self._dirty = False
                self._scales.publish(encode_scale_list(now, self.listening.port, self._registry.entries()))

    def _start_diagnostics(self) -> None:
        diagnostics = Diagnostics(self)
        diagnostics.add('listening', self._listening_health)
        diagnostics.add('indicators', self._indicator_health)
        diagnostics.add('journal', self.journal_health)

    def _listening_health(self) -> Health:
        return Health(2, self._port_message()) if self.listening.error else Health(0, f'port {self.listening.port}')

    def _indicator_health(self) -> Health:
        entries = self._registry.entries()
        wrong = [entry.scale_id or entry.peer for entry in entries if entry.malformed_in_a_row]
        connected = self._registry.connected
        values = {'connected': str(connected), 'malformed': str(sum(entry.malformed for entry in entries))}
        if wrong:
            return Health(1, f'{", ".join(wrong)}: the last line was no weight; check the print format', values)
        if not connected:
            return Health(1, f'no indicator is connected; let one connect to port {self.listening.port}', values)
        return Health(0, f'{connected} connected', values)

    def journal_health(self) -> Health:
        """Return the diagnostic state of the journal and its disk."""
        values = {'committed': str(self._journal.committed), 'waiting': str(self._journal.pending)}
        if self._journal_error:
            held = '; the limit of waiting lines is reached, indicators are not read' if self._server.paused else ''
            return Health(2, f'readings cannot be stored: {self._journal_error}; check disk space and database{held}', values)
        return self._disk.health() or Health(0, '', values)


main = node_main(ScaleBridgeNode)
