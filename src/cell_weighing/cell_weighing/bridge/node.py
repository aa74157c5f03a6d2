"""scale_bridge: indicators connect to it; their lines go into the journal and then onto weighing/weight."""

from __future__ import annotations

import queue
import threading
from collections import deque
from concurrent.futures import Future
from typing import Any

from cell_common.alarms import HIGH, MEDIUM, AlarmReporter
from cell_common.background import AsyncioThread
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.ids import new_id
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.timers import create_steady_timer
from rclpy.node import Node

from cell_interfaces.msg import ScaleList, ScaleReading
from cell_weighing.bridge.cdr import encode_reading, encode_scale_list
from cell_weighing.bridge.journal_writer import JournalStatus, JournalWriter
from cell_weighing.bridge.parameters import ScaleBridgeParameters, server_settings, site_config
from cell_weighing.bridge.scale_registry import ScaleRegistry
from cell_weighing.bridge.tcp_server import (
    ConnectionReplaced,
    IdentityMismatch,
    IndicatorConnected,
    IndicatorDisconnected,
    IndicatorServer,
    ListeningState,
    ServerEvent,
)
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.storage.disk_space import DatabaseDisk

LIST_PERIOD_S = 0.5
GATHER_S = 0.005
"""How long lines of several indicators may gather before they are read."""
MALFORMED_ALARM = 3
"""Malformed lines in a row after which people are called."""
READINGS_DEPTH = 2000
CALM_NS = 60_000_000_000


class ScaleBridgeNode(Node):
    """Wires the indicator server, the journal and the topics."""

    def __init__(self, **options: Any) -> None:
        """Open the journal and begin to listen.

        Raises:
            StartError: The database cannot be used.
            ParameterError: A parameter cannot be used.
        """
        super().__init__('scale_bridge', **options)
        self.parameters = declare_parameters(self, ScaleBridgeParameters)
        self._site = site_config(self.parameters, new_id, {})
        self._settings = server_settings(self.parameters)
        self._inbox: ExecutorQueue[ServerEvent | JournalStatus] = ExecutorQueue(self, self._handle)
        self._closing = False
        self.listening = ListeningState(self._settings.port, 'starting')
        self._journal_error = ''
        self._disk = DatabaseDisk(self.parameters.database_url, self.parameters.free_space)
        self._dirty = True
        self._published: deque[list[WeightReading]] = deque()
        """What the journal's thread has published and the book has not taken in."""
        self._calm: dict[str, int] = {}
        """When an alarm of a passing event is withdrawn if it does not happen again, nanoseconds."""
        self._weight = self.create_publisher(ScaleReading, 'weighing/weight', events(READINGS_DEPTH))
        self._scales = self.create_publisher(ScaleList, 'weighing/scales', latched())
        self._alarms = AlarmReporter(self)
        for key in ('port', 'journal', 'held_back'):
            self._alarms.clear_alarm(key, force=True)
        try:
            self._engine = open_database(self.parameters.database_url)
            migrate(self._engine, 'cell_weighing')
        except DatabaseError as error:
            raise StartError(str(error)) from error
        turn = threading.Lock()
        self._journal = JournalWriter(self._engine, self._publish, lambda reason: self._tell(JournalStatus(reason)), turn)
        self._registry = ScaleRegistry.restore({scale: record.valid for scale, record in self._journal.initial_state.items()})
        self._site.taken = {scale: record.taken for scale, record in self._journal.initial_state.items()}
        self._start_diagnostics()
        create_steady_timer(self, LIST_PERIOD_S, self._publish_scales)
        self._loop = AsyncioThread('indicators', GATHER_S, turn)
        self._server = IndicatorServer(self._settings, self._site, self._journal, self._tell)
        self._serving: Future[None] = self._loop.submit(self._server.serve())

    def destroy_node(self) -> None:
        """Stop listening, write what has arrived, close the database."""
        if hasattr(self, '_loop'):
            self._loop.close()
        self._closing = True
        if hasattr(self, '_journal') and (lost := self._journal.close()):
            self.get_logger().error(f'{lost} readings could not be written: {self._journal_error or "too slow"}')
        if hasattr(self, '_engine'):
            self._engine.dispose()
        super().destroy_node()

    def _tell(self, news: ServerEvent | JournalStatus) -> None:
        while not self._closing:
            try:
                self._inbox.put(news, timeout=1.0)
            except queue.Full:
                continue
            break

    def _handle(self, news: ServerEvent | JournalStatus) -> None:
        self._dirty = True
        match news:
            case ListeningState():
                self._note_listening(news)
            case IndicatorConnected():
                self._registry.connect(news.peer)
            case IndicatorDisconnected():
                self._registry.disconnect(news.peer)
                who = ', '.join(news.scale_ids) or 'nameless'
                self.get_logger().info(f'indicator {who} at {news.peer} has gone: {news.reason}')
            case ConnectionReplaced():
                self._call_for_a_while(
                    f'duplicate_{news.scale_id}',
                    f'scale {news.scale_id} connected from {news.new_peer} while it was connected from {news.old_peer}',
                    consequence='The newest connection is used. If two indicators send the same id, their bags are mixed up.',
                    action='If the indicator was switched off and on, acknowledge. Otherwise give each an id of its own.',
                )
            case IdentityMismatch():
                self._call_for_a_while(
                    f'identity_{news.peer.rpartition(":")[0]}',
                    f'{news.peer} sends as scale {news.scale_id}, which is not the scale of that address',
                    consequence='Its lines are recorded and count as no weight.',
                    action='Correct the id in the indicator, or the address in parameter peers.',
                )
            case JournalStatus():
                self._note_journal(news.reason)

    def _call_for_a_while(self, key: str, text: str, *, consequence: str, action: str) -> None:
        self._alarms.raise_alarm(key, MEDIUM, text, consequence=consequence, action=action)
        self._calm[key] = self.get_clock().now().nanoseconds + CALM_NS

    def _publish(self, readings: list[WeightReading]) -> None:
        """Tell what is durable now, in the journal's thread (rcl_publish is thread-safe).

        Handed to the node's thread first, each message would wait for the interpreter between the threads of the indicators
        and of the journal: at some thousand lines a second they share it three ways, and the node falls behind.
        """
        for reading in readings:
            try:
                self._weight.publish(encode_reading(reading))
            except Exception as error:  # the journal goes on: a station finds there what it was not told
                if not self.context.ok():
                    break
                self.get_logger().error(
                    f'reading {reading.reading_id} is stored and could not be published: {error!r}', throttle_duration_sec=60
                )
        self._published.append(readings)

    def _note(self) -> None:
        """Take in what was published since; at each batch it would compete with those who read and write the next."""
        while self._published:
            self._dirty = True
            self._note_readings(self._published.popleft())

    def _note_readings(self, readings: list[WeightReading]) -> None:
        for reading in readings:
            entry = self._registry.update(reading)
            if reading.status is ReadingStatus.MALFORMED:
                self._note_malformed(reading, entry.malformed_in_a_row)
            elif entry.malformed:
                self._alarms.clear_alarm(f'malformed_{reading.scale_id}')

    def _note_malformed(self, reading: WeightReading, in_a_row: int) -> None:
        who = f'scale {reading.scale_id}' if reading.scale_id else reading.peer
        if in_a_row == 1:
            self.get_logger().warning(f'{who} sent a line that is no weight: {reading.message}')
        if in_a_row >= MALFORMED_ALARM:
            self._alarms.raise_alarm(
                f'malformed_{reading.scale_id}',
                MEDIUM,
                f'{who} sends lines that are no weights: {reading.message}',
                consequence='Its bags are not counted.',
                action="Check the indicator's print format and the parameter codec.",
            )

    def _note_listening(self, listening: ListeningState) -> None:
        self.listening = listening
        if not listening.error:
            self.get_logger().info(f'indicators may connect to port {listening.port}')
            self._alarms.clear_alarm('port')
            return
        self.get_logger().error(self._port_text())
        self._alarms.raise_alarm(
            'port',
            HIGH,
            self._port_text(),
            consequence='No indicator can connect, no bag is counted.',
            action=f'Stop the program that uses port {listening.port}, or set parameter port.',
        )

    def _port_text(self) -> str:
        port = self.listening.port
        return (
            f'cannot listen on {self._settings.address}:{port}: {self.listening.error}. Stop the program that '
            f'uses the port (find it with "ss -ltnp sport = :{port}") or set parameter port; trying again every 2 s'
        )

    def _note_journal(self, reason: str) -> None:
        self._journal_error = reason = self._disk.describe_error(reason)
        if not reason:
            self.get_logger().info('the journal works again')
            self._alarms.clear_alarm('journal')
            return
        self.get_logger().error(f'cannot write the journal: {reason}', throttle_duration_sec=60)
        self._alarms.raise_alarm(
            'journal',
            HIGH,
            f'Readings cannot be stored: {reason}',
            consequence='Readings wait in memory and are not counted; a restart would lose them.',
            action='Make room on the disk or check the database, then wait: nothing is weighed again.',
        )

    def _note_held_back(self) -> None:
        if self._server.paused and self._journal_error:
            self._alarms.raise_alarm(
                'held_back',
                HIGH,
                f'{self._journal.pending} lines wait for the journal: no more are read from the indicators',
                consequence='Indicators hold what they print as long as their buffers last; a bag weighed after that is lost.',
                action='Weigh no more bags until there is room on the disk and the database works again; do not restart.',
            )
        elif not self._server.paused:
            self._alarms.clear_alarm('held_back')

    def _publish_scales(self) -> None:
        self._note()
        self._note_held_back()
        now_ns = self.get_clock().now().nanoseconds
        for key in [key for key, until in self._calm.items() if until <= now_ns]:
            del self._calm[key]
            self._alarms.clear_alarm(key)
        for scale_id, (received_ns, peer, update_sample) in list(self._site.samples.items()):
            self._dirty |= self._registry.update_sample(scale_id, peer, received_ns, update_sample)
        if not self._dirty:
            return
        self._dirty = False
        self._scales.publish(encode_scale_list(now_ns, self.listening.port, self._registry.entries()))

    def _start_diagnostics(self) -> None:
        diagnostics = Diagnostics(self)
        diagnostics.add(
            'listening',
            lambda: Health(2, self._port_text()) if self.listening.error else Health(0, f'port {self.listening.port}'),
        )
        diagnostics.add('indicators', self._indicator_health)
        diagnostics.add('journal', self._journal_health)

    def _indicator_health(self) -> Health:
        wrong = [entry.scale_id or entry.peer for entry in self._registry.entries() if entry.malformed_in_a_row]
        values = {
            'connected': str(self._registry.connected),
            'malformed': str(sum(e.malformed for e in self._registry.entries())),
        }
        if wrong:
            return Health(1, f'{", ".join(wrong)}: the last line was no weight; check the print format', values)
        if not self._registry.connected:
            return Health(1, f'no indicator is connected; let one connect to port {self.listening.port}', values)
        return Health(0, f'{self._registry.connected} connected', values)

    def _journal_health(self) -> Health:
        values = {'committed': str(self._journal.committed), 'waiting': str(self._journal.pending)}
        if self._journal_error:
            held = '; as many lines wait as may, indicators are not read' if self._server.paused else ''
            return Health(2, f'readings cannot be stored: {self._journal_error}; check disk space and database{held}', values)
        return self._disk.health() or Health(0, '', values)


main = node_main(ScaleBridgeNode)
