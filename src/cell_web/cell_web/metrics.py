"""Figures of the cell for Prometheus at `/metrics`.

Names follow the conventions of Prometheus: prefix `cell_`, base units, `_total` for what only grows. Every sample has label
`cell`, the namespace, so that one server watches several cells. Values are collected when they are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from aiohttp import web
from cell_common.qos import latched
from diagnostic_msgs.msg import DiagnosticArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from cell_interfaces.msg import Alarm, AlarmList, CellStatus, DeliveryState, Inventory, JobState, RobotState, ScaleList
from cell_web.bridge_check import BridgeHealth
from cell_web.piece_counter import PieceCounter
from cell_web.request_session import Session

if TYPE_CHECKING:
    from rclpy.node import Node

    from cell_web.last_values import LastValues

__all__ = ['CellCollector', 'MetricsRoutes', 'WebFigures']

JOB_STATES = {
    JobState.NONE: 'none',
    JobState.READY: 'ready',
    JobState.RUNNING: 'running',
    JobState.PAUSED: 'paused',
    JobState.WAITING_RELOAD: 'waiting_reload',
    JobState.DONE: 'done',
    JobState.CANCELLED: 'canceled',
    JobState.FAILED: 'failed',
}
DELIVERY_STATES = {
    DeliveryState.OFF: 'off',
    DeliveryState.UP: 'up',
    DeliveryState.RETRYING: 'retrying',
    DeliveryState.PAUSED: 'paused',
}
PRIORITIES = {Alarm.LOW: 'low', Alarm.MEDIUM: 'medium', Alarm.HIGH: 'high', Alarm.CRITICAL: 'critical'}
Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True)
class WebFigures:
    """Figures of the gateway itself.

    Attributes:
        pages: Connected pages.
        viewers: Open camera streams.
        connections: Open TCP connections.
        refused: Messages of pages that were refused since the start.
        closed_by_limits: Connections that limits have closed since the start.
        frames_dropped: Camera frames that were dropped for slow viewers since the start.
        bridge: End-to-end state of rosbridge; None = not checked.
    """

    pages: int
    viewers: int
    connections: int
    refused: int
    closed_by_limits: int
    frames_dropped: int
    bridge: BridgeHealth | None


class CellCollector(Collector):
    """Makes samples of the newest messages; `collect` may run in any thread."""

    def __init__(self, node: Node, values: LastValues, web_figures: Callable[[], WebFigures]) -> None:
        """Subscribe to what `values` does not keep: the diagnostics tree, and every change of the job.

        Args:
            node: Node of the subscriptions; its namespace is the label.
            values: Newest latched messages, and heartbeats.
            web_figures: Returns the gateway's own figures; called while collecting.
        """
        self._cell = node.get_namespace().strip('/')
        self._values = values
        self._web_figures = web_figures
        self._tree: DiagnosticArray | None = None
        self._pieces = PieceCounter()
        node.create_subscription(DiagnosticArray, 'diagnostics_agg', self._on_tree, 5)
        node.create_subscription(JobState, 'job', self._on_job, latched())

    def _on_tree(self, message: DiagnosticArray) -> None:
        self._tree = message

    def _on_job(self, message: JobState) -> None:
        stamp = message.last_match.header.stamp
        match = (stamp.sec, stamp.nanosec) if stamp.sec else None
        self._pieces.update(message.job_id, message.placed, message.rejected, match, message.last_read_time)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        messages = self._values.messages()
        yield self._gauge('build_info', 'Version of the software; always 1.', ('version',), [((_version(),), 1.0)])
        ages = self._values.heartbeat_ages()
        yield self._gauge(
            'node_heartbeat_age_seconds', 'Time since the last heartbeat of a node.', ('node',), _named(ages.items())
        )
        yield from self._health()
        makers: dict[str, Callable[..., Iterator[Metric]]] = {
            'status': self._status,
            'job': self._job,
            'inventory': self._inventory,
            'robot/state': self._robot,
            'alarms': self._alarms,
            'weighing/scales': self._scales,
            'weighing/delivery': self._delivery,
        }
        for topic, maker in makers.items():
            if topic in messages:
                yield from maker(messages[topic])
        yield from self._work()
        yield from self._web()

    def _gauge(self, name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
        family = GaugeMetricFamily(f'cell_{name}', text, labels=('cell', *labels))
        for values, number in samples:
            family.add_metric((self._cell, *values), number)
        return family

    def _counter(self, name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
        family = CounterMetricFamily(f'cell_{name}', text, labels=('cell', *labels))
        for values, number in samples:
            family.add_metric((self._cell, *values), number)
        return family

    def _one(self, name: str, text: str, number: float) -> Metric:
        return self._gauge(name, text, (), [((), number)])

    def _health(self) -> Iterator[Metric]:
        tree = self._tree
        if tree is not None:
            text = 'Health in the diagnostics tree: 0 OK, 1 warning, 2 error, 3 stale.'
            samples = [((status.name,), float(status.level[0])) for status in tree.status]
            yield self._gauge('diagnostic_level', text, ('path',), samples)

    def _status(self, message: CellStatus) -> Iterator[Metric]:
        yield self._one('ready', 'Whether the cell is ready for a job.', float(message.ready))

    def _job(self, message: JobState) -> Iterator[Metric]:
        states = [((name,), float(message.state == state)) for state, name in JOB_STATES.items()]
        yield self._gauge('job_state', 'State of the pick job: 1 for the present one.', ('state',), states)
        pieces = {'ordered': message.quantity, 'placed': message.placed, 'rejected': message.rejected}
        yield self._gauge('job_pieces', 'Pieces of the present pick job.', ('what',), _named(pieces.items()))

    def _inventory(self, message: Inventory) -> Iterator[Metric]:
        trays = [((part.part_number, str(tray.tray)), tray) for part in message.parts for tray in part.trays]
        labels = ('part', 'tray')
        counts = [(names, float(tray.count)) for names, tray in trays]
        yield self._gauge('tray_pieces', 'Pieces in a tray by the ledger.', labels, counts)
        capacity = [(names, float(tray.capacity)) for names, tray in trays]
        yield self._gauge('tray_capacity_pieces', 'Pieces that a tray can hold.', labels, capacity)

    def _robot(self, message: RobotState) -> Iterator[Metric]:
        yield self._one('robot_connected', 'Whether the robot is connected.', float(message.connected))
        yield self._one('robot_mode', 'Robot mode as the controller numbers it; -2 = unknown.', float(message.robot_mode))
        yield self._one(
            'robot_safety_mode', 'Safety mode as the controller numbers it; 0 = unknown.', float(message.safety_mode)
        )
        yield self._one('robot_data_age_seconds', 'Age of the newest data of the robot.', float(message.data_age))
        yield self._counter('robot_recoveries', 'Recoveries since the robot node started.', (), [((), message.recoveries)])

    def _alarms(self, message: AlarmList) -> Iterator[Metric]:
        counts = dict.fromkeys(PRIORITIES.values(), 0)
        for alarm in message.alarms:
            if alarm.state in (Alarm.UNACKNOWLEDGED, Alarm.ACKNOWLEDGED):
                counts[PRIORITIES.get(alarm.priority, 'critical')] += 1
        yield self._gauge('alarms', 'Active alarms.', ('priority',), _named(counts.items()))

    def _scales(self, message: ScaleList) -> Iterator[Metric]:
        scales = [scale for scale in message.scales if scale.scale_id]
        for name, text in (('connected', 'Whether a scale is connected.'),):
            yield self._gauge(f'scale_{name}', text, ('scale',), [((s.scale_id,), float(s.connected)) for s in scales])
        readings = [((scale.scale_id,), float(scale.readings)) for scale in scales]
        yield self._counter('scale_readings', 'Valid readings of a scale since the installation.', ('scale',), readings)
        malformed = [((scale.scale_id,), float(scale.malformed)) for scale in scales]
        yield self._counter('scale_malformed_lines', 'Malformed lines since scale_bridge started.', ('scale',), malformed)

    def _delivery(self, message: DeliveryState) -> Iterator[Metric]:
        states = [((name,), float(message.state == state)) for state, name in DELIVERY_STATES.items()]
        yield self._gauge('delivery_state', 'Delivery of bags: 1 for the present state.', ('state',), states)
        yield self._one('bags_waiting', 'Bags that wait for delivery.', float(message.waiting))
        yield self._one('bags_dead', 'Bags that the web application rejected for good.', float(message.dead))
        yield self._counter('bags_delivered', 'Bags that the web application accepted.', (), [((), float(message.delivered))])

    def _work(self) -> Iterator[Metric]:
        counted = {'placed': self._pieces.placed, 'rejected': self._pieces.rejected}
        yield self._counter('pieces', 'Pieces since the gateway started.', ('outcome',), _named(counted.items()))
        yield self._pieces.histogram(self._cell)

    def _web(self) -> Iterator[Metric]:
        figures = self._web_figures()
        yield self._one('web_pages', 'Connected operator pages.', figures.pages)
        yield self._one('web_camera_streams', 'Open camera streams.', figures.viewers)
        yield self._one('web_connections', 'Open TCP connections.', figures.connections)
        yield self._counter('web_messages_refused', 'Messages of pages that were refused.', (), [((), figures.refused)])
        closed = [((), float(figures.closed_by_limits))]
        yield self._counter('web_connections_closed', 'Connections that limits have closed.', (), closed)
        yield self._counter('web_frames_dropped', 'Frames dropped for slow viewers.', (), [((), figures.frames_dropped)])
        if (bridge := figures.bridge) is not None:
            yield self._one('bridge_up', 'Whether requests pass through rosbridge to nodes and back.', float(bridge.ok))
            trips = [((node.rsplit('/', 1)[-1],), seconds) for node, seconds in bridge.round_trip_s.items()]
            yield self._gauge('bridge_round_trip_seconds', 'Last round trip through rosbridge to a node.', ('node',), trips)


class MetricsRoutes:
    """Serves `/metrics`, open like `/healthz`: a scraper has no session."""

    def __init__(self, collector: Collector) -> None:
        """Register the collector in a registry of its own.

        Args:
            collector: The cell's.
        """
        self._require_session: Callable[[web.Request], Session]
        self._registry = CollectorRegistry()
        self._registry.register(_Lazy(collector))

    def add_routes(self, router: web.UrlDispatcher, require_session: Callable[[web.Request], Session]) -> None:
        """Add the route.

        Args:
            router: Router of the application.
            require_session: Checks the session of each request.
        """
        self._require_session = require_session
        router.add_get('/metrics', self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        self._require_session(request)
        encode, content_type = choose_encoder(request.headers.get('Accept', ''))
        # In a thread: messages are deserialized, and the page's connections must not wait.
        body = await asyncio.to_thread(encode, self._registry)
        return web.Response(body=body, headers={'Content-Type': content_type})


class _Lazy(Collector):
    """Keeps the registry from collecting while it registers: the server of the figures does not exist yet."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        return self._collector.collect()


def _named(pairs: Iterable[tuple[str, float]]) -> list[Sample]:
    return [((name,), float(number)) for name, number in pairs]


def _version() -> str:
    try:
        return version('cell_web')
    except PackageNotFoundError:
        return 'unknown'
