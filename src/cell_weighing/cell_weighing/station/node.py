"""weigh_station: weigh jobs, and the bags that are weighed for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from typing import Any

from cell_common.alarms import HIGH, AlarmReporter
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.timers import create_steady_timer
from rclpy.node import Node
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces.msg import BagList, BagRecord, ScaleReading, WeighJobList
from cell_weighing.delivery.service import Dispatch
from cell_weighing.delivery.status_publisher import DeliveryTopic
from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.reading import Reading
from cell_weighing.station.alarms import BagAlarms
from cell_weighing.station.bag_log import StationLog
from cell_weighing.station.conversions import bag_message, job_message, reading_of
from cell_weighing.station.database_worker import Worker
from cell_weighing.station.parameters import WeighStationParameters, settings_of, share_of, stations_of
from cell_weighing.station.retention import JournalPruner
from cell_weighing.station.services import Commands, Snapshot, snapshot
from cell_weighing.station.store import WeighStore

CATCH_UP_PERIOD_S = 2.0
PRUNE_PERIOD_S = 10.0
READINGS_DEPTH = 2000


class WeighStationNode(Node):
    """Wires the store to topics and services."""

    def __init__(self, **options: Any) -> None:
        """Open the database and work through what came in while the node was down.

        Raises:
            StartError: The database cannot be used.
            ParameterError: A parameter cannot be used.
        """
        super().__init__('weigh_station', **options)
        self.parameters = declare_parameters(self, WeighStationParameters)
        settings = settings_of(self.parameters)
        self._stations = stations_of(self.parameters, settings)
        tolerance = share_of('default_tolerance', self.parameters.default_tolerance)
        warn_share = share_of('warn_share', self.parameters.warn_share, whole=True)
        self._log = StationLog(self, self.parameters.log_folder, self.parameters.log_days)
        try:
            engine = open_database(self.parameters.database_url)
            migrate(engine, 'cell_weighing')
            self._store = WeighStore(engine, self._stations, time.time_ns, warn_share=warn_share, deliver=bool(settings.url))
            self._dispatch = Dispatch(engine, settings, self.parameters.key_file, self._complain)
        except (DatabaseError, SQLAlchemyError) as problem:
            raise StartError(str(problem)) from problem
        self._engine = engine
        self._pruner = JournalPruner(engine, self.parameters.journal_days)
        self._problem = 'starting'
        self._waiting: list[Reading] = []
        self._busy = False
        self._worker = Worker(self)
        self._alarms = AlarmReporter(self)
        self._bag_alarms = BagAlarms(self._alarms)
        self._bag_alarms.remember(self._store.bags_of_active_jobs())
        for key in ('database', 'delivery', 'dead_letters'):
            self._alarms.clear_alarm(key, force=True)
        self._jobs_topic = self.create_publisher(WeighJobList, 'weighing/job', latched())
        self._bag_topic = self.create_publisher(BagRecord, 'weighing/bag', events())
        self._bags_topic = self.create_publisher(BagList, 'weighing/bags', latched())
        Commands(self, self._store, self._dispatch, self._worker, self._stations, tolerance, self._show).offer()
        self.create_subscription(ScaleReading, 'weighing/weight', self._on_reading, events(READINGS_DEPTH))
        diagnostics = Diagnostics(self)
        diagnostics.add('bags', self._health)
        diagnostics.add('delivery', DeliveryTopic(self, self._dispatch, self._worker, self._alarms).health)
        create_steady_timer(self, CATCH_UP_PERIOD_S, self._catch_up)
        create_steady_timer(self, PRUNE_PERIOD_S, self._prune)
        self._work(self._store.catch_up, always=True)

    def destroy_node(self) -> None:
        """Finish the work under way and close the database."""
        for part in ('_dispatch', '_worker', '_log'):
            if hasattr(self, part):
                getattr(self, part).close()
        if hasattr(self, '_engine'):
            self._engine.dispose()
        super().destroy_node()

    def _on_reading(self, message: ScaleReading) -> None:
        self._waiting.append(reading_of(message))
        self._process()

    def _process(self) -> None:
        if self._busy or not self._waiting:
            return
        readings, self._waiting = self._waiting, []
        self._work(lambda: self._store.process(readings))

    def _catch_up(self) -> None:
        """Look for readings whose message never came; the journal is the truth, the topic only makes it quick."""
        if not self._busy:
            self._work(self._store.catch_up, always=bool(self._problem))

    def _prune(self) -> None:
        if not self._busy:
            self._worker.submit(lambda: self._pruner.prune(time.time_ns()), self._pruned)

    def _pruned(self, done: ThreadFuture[int]) -> None:
        if problem := done.exception():
            self.get_logger().warning(f'cannot remove old lines from the journal: {problem}', throttle_duration_sec=3600)

    def _complain(self, reason: str) -> None:
        """Log from a courier's thread that the database refuses."""
        self.get_logger().error(f'cannot enter a delivery: {reason}', throttle_duration_sec=60)

    def _work(self, work: Callable[[], list[Bag]], *, always: bool = False) -> None:
        self._busy = True

        def do() -> Snapshot | None:
            bags = work()
            return snapshot(self._store, bags) if bags or always else None

        self._worker.submit(do, self._worked)

    def _worked(self, done: ThreadFuture[Snapshot | None]) -> None:
        self._busy = False
        try:
            changed = done.result()
        except SQLAlchemyError as problem:
            return self._note_problem(str(problem.__cause__ or problem))
        self._note_problem('')
        if changed:
            self._show(changed)
        return self._process()

    def _show(self, changed: Snapshot) -> None:
        now = self.get_clock().now().to_msg()
        self._dispatch.ring(bag.station for bag in changed.bags)
        for bag in changed.bags:
            self._bag_topic.publish(bag_message(bag))
            self._log.bag(bag)
        self._bag_alarms.look(changed.bags, changed.jobs)
        self._jobs_topic.publish(WeighJobList(stamp=now, jobs=[job_message(job) for job in changed.jobs]))
        self._bags_topic.publish(BagList(stamp=now, bags=[bag_message(bag) for bag in changed.latest]))

    def _note_problem(self, reason: str) -> None:
        if reason and reason != self._problem:
            self.get_logger().error(f'cannot store bags: {reason}')
            self._alarms.raise_alarm(
                'database',
                HIGH,
                f'Bags cannot be stored: {reason}',
                consequence='Bags wait in the journal and are not judged.',
                action='Check free disk space and the database, then wait: nothing is lost.',
            )
        elif self._problem and not reason:
            self._alarms.clear_alarm('database')
        self._problem = reason

    def _health(self) -> Health:
        if self._problem:
            return Health(2, f'bags cannot be stored: {self._problem}; check disk space and database')
        return Health(0, '', {'scales': ', '.join(f'{scale}={station}' for scale, station in self._stations.by_scale.items())})


main = node_main(WeighStationNode)
