"""web_gateway: HTTP server for operators, the only network port of the cell that browsers reach.

The node has two threads. The HTTP server runs on an asyncio loop of its own; subscriptions run in
the executor. Frames go to the loop with `call_soon_threadsafe`. Requests to subscribe go the other
way through an ExecutorQueue, because rclpy entities may only be created and destroyed in the
executor's thread.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cell_common.background import AsyncioThread
from cell_common.diagnostics import Diagnostics, Health
from cell_common.inbox import ExecutorQueue
from cell_common.log_limit import RepeatLimit
from cell_common.parameters import declare_parameters
from cell_common.qos import sensor_stream
from cell_common.runner import node_main
from cell_common.time import now_ns, to_ns
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage

from cell_web.bridge_check import BridgeCheck, CheckSettings
from cell_web.connections import ConnectionLimits
from cell_web.gateway_login import open_login
from cell_web.last_values import LastValues
from cell_web.metrics import CellCollector, MetricsRoutes, WebFigures
from cell_web.mjpeg_hub import FrameHub, MjpegFrame
from cell_web.pages import find_page_folder
from cell_web.parameters import GatewayParameters
from cell_web.request_session import FixedRoleSessions
from cell_web.roles import ROLES
from cell_web.routes import bag_api_routes, report_routes
from cell_web.server import Routes, Server, ServerSettings, bridge_headers
from cell_web.server_doctor import DoctorRoutes
from cell_web.server_health import ReadyRoutes
from cell_web.server_proxy import ProxyLimits

TOPICS = {'camera': 'camera/image_raw/compressed', 'overlay': 'ocr/overlay/compressed'}
LOGGERS = ('cell_web', 'aiohttp.server', 'asyncio')
"""Their lines go to the node's log, each kind a few times a minute: a client can cause as many as it likes."""
SECRET_VARIABLE = 'ROSBRIDGE_SECRET'
"""Environment variable that the launch file sets for rosbridge and the gateway."""
OK, WARN, ERROR = 0, 1, 2
"""Levels of diagnostic_msgs/DiagnosticStatus."""


class RosLogHandler(logging.Handler):
    """Forwards the log of the server modules to the log of the node.

    The server modules use `logging`, so that they can be tested without a node.
    """

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record."""
        if record.levelno >= logging.ERROR:  # rclpy requires a separate call site per severity
            self._logger.error(self.format(record))
        elif record.levelno >= logging.WARNING:
            self._logger.warning(self.format(record))
        else:
            self._logger.info(self.format(record))


class GatewayNode(Node):
    """Connects ROS topics and parameters to the HTTP server.

    A camera topic is subscribed only while a browser watches it: images are most of the cell's
    traffic.

    Attributes:
        parameters: Parameters of the node.
        server: HTTP server; its counters may be read from any thread.
        login: Who is logged in; None = there is no login.
    """

    def __init__(self, **options: Any) -> None:
        """Start the HTTP server in a thread of its own; a port in use is tried again and shown in the diagnostics.

        Args:
            options: Passed to `rclpy.node.Node`, e.g. `parameter_overrides` in tests.

        Raises:
            ParameterError: A parameter is out of range.
            StartError: A file of users or tokens, or the database of the reports cannot be used.
        """
        super().__init__('web_gateway', **options)
        self.parameters = declare_parameters(self, GatewayParameters)
        self.last_values = LastValues(self)
        # First: an invalid parameter raises before any thread runs.
        self.login = open_login(self, self.parameters)
        self._bridge_check = BridgeCheck(self._check_settings()) if self.parameters.bridge_check_period else None
        routes = [*self._routes(), self.last_values]
        if self._bridge_check is not None:
            routes.append(ReadyRoutes(self._bridge_check.health))
        routes.append(DoctorRoutes(self.get_namespace()))
        routes.append(MetricsRoutes(CellCollector(self, self.last_values, self._web_figures)))
        self._log = RosLogHandler(self)
        self._log.addFilter(RepeatLimit())
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self._log)
        logging.getLogger('cell_web').setLevel(logging.INFO)
        self._folders = _page_folders(self.parameters.hmi_folder)
        self._streams: dict[str, Subscription] = {}
        self._requests: ExecutorQueue[tuple[str, bool]] = ExecutorQueue(self, self._on_subscription_request)
        self._background = AsyncioThread('web_gateway')
        # Overlays come with a reading only, so a new viewer gets the last one; a live camera image
        # must not be an old one.
        self._hubs = {name: FrameHub(self._subscription_request(name), keep=name == 'overlay') for name in TOPICS}
        sessions = self.login.routes if self.login else FixedRoleSessions(ROLES[self.parameters.role])
        self.server = Server(self._settings(), sessions, self._hubs, partial(now_ns, self), routes)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('page', self._page_health)
        self._diagnostics.add('rosbridge', self._rosbridge_health)
        self._running = self._background.submit(self.server.run())
        if self._bridge_check is not None:
            self._background.submit(self._bridge_check.run())

    def destroy_node(self) -> None:
        """Close all connections and the server thread, then the node."""
        self._background.close()
        if self.login:
            self.login.close()
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._log)
        super().destroy_node()

    def _settings(self) -> ServerSettings:
        """Return the server's settings: names of this machine are allowed as Host in addition to `host_names`."""
        p = self.parameters
        own = (socket.gethostname(), socket.getfqdn())
        return ServerSettings(
            p.listen_address,
            p.port,
            self.get_namespace(),
            p.rosbridge_address,
            p.rosbridge_port,
            self._folders,
            host_names=[name for name in (*own, *p.host_names) if name],
            origins=p.origins,
            viewers=p.max_viewers,
            viewers_per_address=p.max_viewers_per_address,
            connections=ConnectionLimits(total=p.max_connections, per_address=p.max_connections_per_address),
            limits=ProxyLimits(p.max_message, clients=p.max_clients, clients_per_address=p.max_clients_per_address),
            bridge_secret=os.environ.get(SECRET_VARIABLE, ''),
        )

    def _check_settings(self) -> CheckSettings:
        """Return the settings of the end-to-end check: this node and another one are asked through rosbridge."""
        p = self.parameters
        names = dict.fromkeys((self.get_name(), p.bridge_check_node or self.get_name()))
        nodes = [f'{self.get_namespace().rstrip("/")}/{name}' for name in names]
        url = f'ws://{p.rosbridge_address}:{p.rosbridge_port}'
        return CheckSettings(url, bridge_headers(os.environ.get(SECRET_VARIABLE, '')), nodes, p.bridge_check_period)

    def _web_figures(self) -> WebFigures:
        """Return the gateway's own figures for /metrics."""
        server, check = self.server, self._bridge_check
        return WebFigures(
            pages=server.proxy.clients,
            viewers=server.viewers,
            connections=server.guard.connections,
            refused=server.proxy.rejected,
            closed_by_limits=server.guard.refused + server.guard.timed_out,
            frames_dropped=sum(hub.dropped for hub in self._hubs.values()),
            bridge=None if check is None else check.health(),
        )

    def _routes(self) -> list[Routes]:
        p = self.parameters
        login = [self.login.routes] if self.login else []
        return [*login, *report_routes(p), *(bag_api_routes(self, p.api_tokens_file) if p.api_enabled else ())]

    def _subscription_request(self, name: str) -> Callable[[bool], None]:
        return lambda wanted: self._requests.put((name, wanted))

    def _on_subscription_request(self, request: tuple[str, bool]) -> None:
        """Create or destroy the subscription of a stream; repeated requests have no effect."""
        name, wanted = request
        if wanted and name not in self._streams:
            self._streams[name] = self.create_subscription(
                CompressedImage, TOPICS[name], partial(self._publish_frame, name), sensor_stream()
            )
        elif not wanted and name in self._streams:
            self.destroy_subscription(self._streams.pop(name))

    def _publish_frame(self, name: str, image: CompressedImage) -> None:
        frame = MjpegFrame(bytes(image.data), to_ns(image.header.stamp))
        self._background.loop.call_soon_threadsafe(self._hubs[name].publish, frame)

    def _page_health(self) -> Health:
        """Return the page's line of /diagnostics: ERROR when the server stopped or has no port, WARN without a built page."""
        state = self.server.state
        values = {
            'port': str(state.port),
            'pages': str(self.server.proxy.clients),
            'viewers': str(self.server.viewers),
            'connections': str(self.server.guard.connections),
            'connections_closed_by_limits': str(self.server.guard.refused + self.server.guard.timed_out),
            'refused': str(self.server.proxy.rejected),
            'frames_dropped': str(sum(hub.dropped for hub in self._hubs.values())),
        }
        if self._running.done():
            return Health(ERROR, f'HTTP server stopped: {self._running.exception()}. Restart web_gateway.', values)
        if state.message:
            return Health(ERROR, state.message, values)
        if find_page_folder(self._folders) is None:
            return Health(WARN, 'operator page not built: run make setup', values)
        return Health(OK, '', values)

    def _rosbridge_health(self) -> Health:
        if self.server.proxy.refusal:
            return Health(ERROR, self.server.proxy.refusal)
        if self._bridge_check is not None:
            health = self._bridge_check.health()
            values = {f'round trip to {node}': f'{seconds:.3f} s' for node, seconds in health.round_trip_s.items()}
            if health.ok or health.starting:
                return Health(OK, '', values)
            return Health(ERROR, health.message, values)
        if self.server.state.rosbridge:
            return Health()
        where = f'{self.parameters.rosbridge_address}:{self.parameters.rosbridge_port}'
        return Health(ERROR, f'rosbridge not reachable at {where}: is rosbridge_websocket running?')


def _page_folders(parameter: str) -> list[Path]:
    """Return the candidate folders of the built page: the parameter, else the source folder and the installed one."""
    if parameter:
        return [Path(parameter)]
    folders = [Path(__file__).resolve().parents[1] / 'hmi' / 'dist']
    with contextlib.suppress(PackageNotFoundError):
        folders.append(Path(get_package_share_directory('cell_web')) / 'hmi')
    return folders


main = node_main(GatewayNode)
