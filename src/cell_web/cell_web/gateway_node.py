"""web_gateway: the only port of the cell that faces people."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cell_common.background import AsyncioThread
from cell_common.diagnostics import Diagnostics, Health
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import sensor_stream
from cell_common.runner import node_main
from cell_common.time import to_ns
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage

from cell_web.mjpeg_hub import Frame, FrameHub
from cell_web.pages import folder_of
from cell_web.roles import ROLES
from cell_web.routes import bag_api_routes, report_routes
from cell_web.server import OneRole, Part, Server, ServerSettings
from cell_web.server_proxy import ProxyLimits

TOPICS = {'camera': 'camera/image_raw/compressed', 'overlay': 'ocr/overlay/compressed'}
OK, WARN, ERROR = 0, 1, 2


@dataclass(frozen=True)
class GatewayParameters:
    """Parameters of `web_gateway`."""

    listen_address: str = parameter('127.0.0.1', 'Address to listen on; 0.0.0.0 = every network of this machine.')
    port: int = parameter(8080, 'TCP port of the page; 0 = one that is free.', minimum=0, maximum=65535)
    rosbridge_address: str = parameter('127.0.0.1', 'Address of rosbridge.')
    rosbridge_port: int = parameter(9090, 'TCP port of rosbridge.', minimum=1, maximum=65535)
    role: str = parameter('operator', 'Role of everybody who opens the page.', choices=tuple(ROLES))
    host_names: list[str] = parameter([''], 'Names by which this machine is reached, besides its own host name and addresses.')
    origins: list[str] = parameter([''], 'Other pages that may connect, e.g. "https://plant.example".')
    max_clients: int = parameter(32, 'Pages that may be connected at the same time.', minimum=1, maximum=1000)
    max_viewers: int = parameter(8, 'Camera streams that may be watched at the same time.', minimum=1, maximum=100)
    max_message: int = parameter(262144, 'Largest message taken from a page.', unit='byte', minimum=1024, maximum=16777216)
    database_url: str = parameter('', 'Database of weigh jobs, as an SQLAlchemy URL, for their reports; "" = none are served.')
    api_enabled: bool = parameter(False, 'Serve POST /api/prepuff/scan_bag, so that other sites and programs post bags here.')
    api_tokens_file: str = parameter('', 'File of the tokens that may post bags, made by "cell token new"; holds hashes only.')
    hmi_folder: str = parameter('', 'Folder of the built page; "" = the installed one.')


class LogToRos(logging.Handler):
    """Writes what the server's modules log to the node's log."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if record.levelno >= logging.ERROR:  # rclpy wants a line of its own for each severity
            self._logger.error(self.format(record))
        elif record.levelno >= logging.WARNING:
            self._logger.warning(self.format(record))
        else:
            self._logger.info(self.format(record))


class GatewayNode(Node):
    """Wires ROS topics and parameters to the HTTP server."""

    def __init__(self, **options: Any) -> None:
        super().__init__('web_gateway', **options)
        self.parameters = declare_parameters(self, GatewayParameters)
        parts = self._parts()  # before anything runs that would have to be ended when a parameter is wrong
        self._log = LogToRos(self)
        logging.getLogger('cell_web').addHandler(self._log)
        logging.getLogger('cell_web').setLevel(logging.INFO)
        self._folders = _folders(self.parameters.hmi_folder)
        self._watching: dict[str, Subscription] = {}
        self._wishes: ExecutorQueue[tuple[str, bool]] = ExecutorQueue(self, self._wish)
        self._background = AsyncioThread('web_gateway')
        self._hubs = {name: FrameHub(self._asker(name), keep=name == 'overlay') for name in TOPICS}
        self.server = Server(self._settings(), OneRole(ROLES[self.parameters.role]), self._hubs, self._now_ns, parts)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('page', self._page_health)
        self._diagnostics.add('rosbridge', self._rosbridge_health)
        self._running = self._background.submit(self.server.run())

    def destroy_node(self) -> None:
        """Close every connection, then the node."""
        self._background.close()
        logging.getLogger('cell_web').removeHandler(self._log)
        super().destroy_node()

    def _settings(self) -> ServerSettings:
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
            limits=ProxyLimits(from_browser=p.max_message, clients=p.max_clients),
        )

    def _parts(self) -> list[Part]:
        p = self.parameters
        return [*report_routes(p.database_url), *(bag_api_routes(self, p.api_tokens_file) if p.api_enabled else ())]

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _asker(self, name: str) -> Callable[[bool], None]:
        return lambda wanted: self._wishes.put((name, wanted))

    def _wish(self, wish: tuple[str, bool]) -> None:
        name, wanted = wish
        if wanted and name not in self._watching:
            self._watching[name] = self.create_subscription(
                CompressedImage, TOPICS[name], lambda image: self._frame(name, image), sensor_stream()
            )
        elif not wanted and name in self._watching:
            self.destroy_subscription(self._watching.pop(name))

    def _frame(self, name: str, image: CompressedImage) -> None:
        frame = Frame(bytes(image.data), to_ns(image.header.stamp))
        self._background.loop.call_soon_threadsafe(self._hubs[name].publish, frame)

    def _page_health(self) -> Health:
        state = self.server.state
        values = {
            'port': str(state.port),
            'pages': str(self.server.proxy.clients),
            'viewers': str(self.server.viewers),
            'refused': str(self.server.proxy.refused),
            'frames_dropped': str(sum(hub.dropped for hub in self._hubs.values())),
        }
        if self._running.done():
            return Health(ERROR, f"the page's server ended: {self._running.exception()}. Restart web_gateway.", values)
        if state.problem:
            return Health(ERROR, state.problem, values)
        if folder_of(self._folders) is None:
            return Health(WARN, "the operators' page is not built: run make setup", values)
        return Health(OK, '', values)

    def _rosbridge_health(self) -> Health:
        if self.server.state.rosbridge:
            return Health()
        where = f'{self.parameters.rosbridge_address}:{self.parameters.rosbridge_port}'
        return Health(ERROR, f'rosbridge is not reachable at {where}: is rosbridge_websocket running?')


def _folders(chosen: str) -> list[Path]:
    """Return where the built page may lie: as chosen, beside the sources in a linked workspace, as installed."""
    if chosen:
        return [Path(chosen)]
    folders = [Path(__file__).resolve().parents[1] / 'hmi' / 'dist']
    with contextlib.suppress(PackageNotFoundError):
        folders.append(Path(get_package_share_directory('cell_web')) / 'hmi')
    return folders


main = node_main(GatewayNode)
