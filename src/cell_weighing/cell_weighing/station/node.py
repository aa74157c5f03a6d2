"""weigh_station node: weigh jobs, and the bags that are weighed for them.

The journal is the source of all readings; messages of weighing/weight only save the time until the
next look at it. At the start, every 2 s and before each command the node processes journal pages
until none is left. Thus a lost message, a crash or a late start changes nothing but the time at
which a bag is judged.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from typing import Any

from cell_common.alarms import AlarmReporter
from cell_common.command_log import open_command_log
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.database_claim import claim_database
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.timers import create_steady_timer
from rclpy.node import Node
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces import msg
from cell_weighing.delivery.service import DeliveryService
from cell_weighing.delivery.settings import WebAppSettings
from cell_weighing.delivery.status_publisher import DeliveryStatusPublisher
from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.reading import WeightReading
from cell_weighing.station.alarms import BagAlarms
from cell_weighing.station.bag_log import BagLog
from cell_weighing.station.conversions import bag_message, job_message, reading_of
from cell_weighing.station.parameters import (
    WeighStationParameters,
    http_route,
    log_folder,
    parse_share,
    station_map,
    web_app_settings,
)
from cell_weighing.station.retention import JournalPruner
from cell_weighing.station.services import WeighingServices, WeighJobRules
from cell_weighing.station.store import StationSnapshot, WeighStore

# Topics can lose readings, the journal cannot: what a full queue dropped is found here.
CATCH_UP_PERIOD_S = 2.0
# One page each time, so that pruning years of lines disturbs nobody.
PRUNE_PERIOD_S = 10.0
READINGS_DEPTH = 2000


class WeighStationNode(Node):
    """Connects the store to topics and services.

    The node's thread publishes and answers; the database thread works. `_busy` is true while
    readings are being processed; messages that arrive meanwhile wait in `_waiting`.

    Attributes:
        parameters: Parameters of the node.
    """

    def __init__(self, **options: Any) -> None:
        """Open the database and process the readings that were stored while the node was down.

        Args:
            options: Passed on to `Node`.

        Raises:
            StartError: The database cannot be used.
            ParameterError: A parameter cannot be used.
        """
        super().__init__('weigh_station', **options)
        self._resources = contextlib.ExitStack()
        self.parameters = declare_parameters(self, WeighStationParameters)
        settings = web_app_settings(self.parameters)
        self._stations = station_map(self.parameters, settings)
        rules = WeighJobRules(self._stations.names, parse_share('default_tolerance', self.parameters.default_tolerance))
        self._log = BagLog(self, log_folder(self.parameters), self.parameters.log_days)
        self._resources.callback(self._log.close)
        engine = self._open_store(settings)
        self._pruner = JournalPruner(engine, self.parameters.journal_days)
        self._error = 'starting'
        self._waiting: list[WeightReading] = []
        self._busy = False
        self._worker = DatabaseWorker(self)
        self._resources.callback(self._worker.close)
        self._log.start(self._store.latest_bag_id(), self._store.bags_after)
        self._delivery = self._start_delivery(engine, settings)
        self._alarms = AlarmReporter(self)
        self._bag_alarms = BagAlarms(self._alarms)
        self._bag_alarms.restore(self._store.bags_of_active_jobs())
        self._jobs_topic = self.create_publisher(msg.WeighJobList, 'weighing/job', latched())
        self._bag_topic = self.create_publisher(msg.BagRecord, 'weighing/bag', events())
        self._bags_topic = self.create_publisher(msg.BagList, 'weighing/bags', latched())
        try:
            commands = open_command_log(self, engine, self._worker)
        except DatabaseError as error:
            raise StartError(str(error)) from error
        WeighingServices(
            self, self._store, self._delivery, self._worker, rules, self._publish, commands=commands
        ).create_services()
        self.create_subscription(msg.ScaleReading, 'weighing/weight', self._on_reading, events(READINGS_DEPTH))
        status = DeliveryStatusPublisher(self, self._delivery, self._worker, self._alarms)
        diagnostics = Diagnostics(self)
        diagnostics.add('bags', self._health)
        diagnostics.add('delivery', status.health)
        create_steady_timer(self, CATCH_UP_PERIOD_S, self._catch_up)
        create_steady_timer(self, PRUNE_PERIOD_S, self._prune)
        self._catching_up = True
        """Readings of the topic wait, because older ones of the journal come first."""
        self._submit(self._store.catch_up_page, always=True)

    def _open_store(self, settings: WebAppSettings) -> Engine:
        warn_share = parse_share('warn_share', self.parameters.warn_share, whole=True)
        try:
            engine = open_database(self.parameters.database_url)
            self._resources.callback(engine.dispose)
            migrate(engine, 'cell_weighing')
            claim_database(engine, self.get_namespace())
            self._store = WeighStore(engine, self._stations, time.time_ns, warn_share=warn_share, deliver=bool(settings.url))
        except (DatabaseError, SQLAlchemyError) as error:
            raise StartError(str(error)) from error
        return engine

    def _start_delivery(self, engine: Engine, settings: WebAppSettings) -> DeliveryService:
        try:
            route = http_route(self.parameters, os.environ)
            delivery = DeliveryService(engine, settings, self.parameters.key_file, self._on_delivery_error, route)
        except SQLAlchemyError as error:
            raise StartError(str(error)) from error
        self._resources.callback(delivery.close)
        if settings.url:
            self.get_logger().info(f'bags are posted to {settings.url}')
        return delivery

    def destroy_node(self) -> None:
        """Finish the delivery and the database work in progress, then close the database and the log."""
        self._resources.close()
        super().destroy_node()

    def _on_reading(self, message: msg.ScaleReading) -> None:
        if not self._catching_up:  # else the journal supplies it
            self._waiting.append(reading_of(message))
        self._process()

    def _process(self) -> None:
        if self._busy or self._catching_up or not self._waiting:
            return
        readings, self._waiting = self._waiting, []
        self._submit(lambda: self._store.process_readings(readings))

    def _catch_up(self) -> None:
        """Process readings whose message was lost: the journal decides, the topic only saves time."""
        if not self._busy:
            self._catching_up = True
            # After an error the snapshot is published even without new bags: it shows that the
            # database works again.
            self._submit(self._store.catch_up_page, always=bool(self._error))

    def _prune(self) -> None:
        if not self._busy:
            self._worker.submit(lambda: self._pruner.prune(time.time_ns()), self._on_pruned)

    def _on_pruned(self, done: ThreadFuture[int]) -> None:
        if error := done.exception():
            self.get_logger().warning(f'cannot remove old lines from the journal: {error}', throttle_duration_sec=3600)

    def _on_delivery_error(self, message: str) -> None:
        """Log a database error of a delivery thread."""
        self.get_logger().error(f'cannot record a delivery: {message}', throttle_duration_sec=60)

    def _submit(self, work: Callable[[], list[Bag] | None], *, always: bool = False) -> None:
        """Run `work` in the database thread and publish its bags.

        Args:
            work: Returns the new bags; a page of the journal returns None when there was nothing to process.
            always: Publish without new bags, too.
        """
        self._busy = True

        def run() -> tuple[StationSnapshot | None, bool]:
            adopted = self._store.adopt_jobs(time.time_ns())
            bags = work()
            return self._store.snapshot(bags or []) if bags or always or adopted else None, bags is not None

        self._worker.submit(run, self._on_processed)

    def _on_processed(self, done: ThreadFuture[tuple[StationSnapshot | None, bool]]) -> None:
        """Publish the bags of one piece of work, then go on with the journal or the waiting messages."""
        self._busy = False
        try:
            changed, more = done.result()
        except SQLAlchemyError as error:
            return self._set_error(str(error.__cause__ or error))
        self._set_error('')
        if changed:
            self._publish(changed)
        if self._catching_up and more:
            return self._submit(self._store.catch_up_page)
        self._catching_up = False
        return self._process()

    def _publish(self, changed: StationSnapshot) -> None:
        now = self.get_clock().now().to_msg()
        # After the commit: the sender reads the outbox from the database.
        self._delivery.wake(bag.station for bag in changed.bags)
        for bag in changed.bags:
            self._bag_topic.publish(bag_message(bag))
            self._log.bag(bag)
        self._bag_alarms.update(changed.bags, changed.jobs)
        self._jobs_topic.publish(
            msg.WeighJobList(
                stamp=now,
                jobs=[job_message(job) for job in changed.jobs],
                stations=self._stations.names,
                companies=changed.companies,
                default_tolerance=self.parameters.default_tolerance,
            )
        )
        self._bags_topic.publish(msg.BagList(stamp=now, bags=[bag_message(bag) for bag in changed.latest]))

    def _set_error(self, message: str) -> None:
        """Report a database error once, and clear its alarm when the database works again."""
        if message and message != self._error:
            self.get_logger().error(f'cannot store bags: {message}')
            self._alarms.raise_known('database', error=message)
        elif self._error and not message:
            self._alarms.clear_alarm('database')
        self._error = message

    def _health(self) -> Health:
        if self._error:
            return Health(2, f'bags cannot be stored: {self._error}; check disk space and database')
        if self._store.conflicts:
            return Health(1, '; '.join(self._store.conflicts))
        return Health(0, '', {'scales': ', '.join(f'{scale}={station}' for scale, station in self._stations.by_scale.items())})


main = node_main(WeighStationNode)
