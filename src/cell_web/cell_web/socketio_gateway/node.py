"""Node `socketio_gateway`: the old event names, for pages and backends that exist already.

The Socket.IO servers share one asyncio loop in a background thread; `RosLink` connects them to the
executor's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from cell_common.background import AsyncioThread
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.runner import StartError, node_main
from rclpy.node import Node

from cell_web.gateway_node import RosLogHandler
from cell_web.roles import ROLES
from cell_web.socketio_gateway.cell_link import CaptureEvent, CellEvents, JobRefusal
from cell_web.socketio_gateway.hub_server import HubServer
from cell_web.socketio_gateway.page_server import PageServer
from cell_web.socketio_gateway.parameters import SocketIoGatewayParameters
from cell_web.socketio_gateway.port_server import PortServer
from cell_web.socketio_gateway.ros_link import RosLink
from cell_web.socketio_gateway.server import SocketIoServer, SocketIoSettings

__all__ = ['SocketIoGatewayNode', 'main']

OK, ERROR = 0, 2
NEEDED_SERVICE = 'set_job'
"""A role that may call it may give the commands of the old page."""


class SocketIoGatewayNode(Node):
    """Wires the page server and the hub server to the cell.

    Attributes:
        parameters: Parameters of the node.
        page: Server of port 5001, None if switched off.
        hub: Server of port 5002, None if switched off.
    """

    def __init__(self, **options: Any) -> None:
        """Start the servers.

        Raises:
            StartError: The catalogue cannot be read.
        """
        super().__init__('socketio_gateway', **options)
        parameters = self.parameters = declare_parameters(self, SocketIoGatewayParameters)
        letters = _letters(parameters.catalogue_file)
        self._log = RosLogHandler(self)
        logging.getLogger('cell_web').addHandler(self._log)
        logging.getLogger('cell_web').setLevel(logging.INFO)
        self._background = AsyncioThread('socketio_gateway')
        self._link = RosLink(self, self._background.loop, parameters.command_timeout, parameters.motion_timeout)
        self.page = PageServer(self._settings(parameters.page_port), self._link) if parameters.page_enabled else None
        self.hub = HubServer(self._settings(parameters.hub_port), self._link, letters) if parameters.hub_enabled else None
        self._ports: list[PortServer] = [port for port in (self.page, self.hub) if port is not None]
        self._link.listen(self._events())
        self._running = [self._background.submit(port.server.run()) for port in self._ports]
        diagnostics = Diagnostics(self)
        for port in self._ports:
            diagnostics.add(f'{port.server.name} port', _health_of(port.server))

    def destroy_node(self) -> None:
        """Close every connection, then the node."""
        self._background.close()
        logging.getLogger('cell_web').removeHandler(self._log)
        super().destroy_node()

    def _settings(self, port: int) -> SocketIoSettings:
        p = self.parameters
        may_command = NEEDED_SERVICE in ROLES[p.role].services
        return SocketIoSettings(
            p.listen_address,
            port,
            origins=[origin for origin in p.origins if origin],
            max_clients=p.max_clients,
            replay_s=p.replay_window,
            may_command=lambda _request: may_command,
        )

    def _events(self) -> CellEvents:
        """Return callbacks that pass each event to the servers that know it; called on the servers' loop."""
        page, ports, loop = self.page, self._ports, self._background.loop
        tasks = set()

        def start(work: Coroutine[object, object, None]) -> None:
            task = loop.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def on_stock(stock: Mapping[str, Mapping[int, int]]) -> None:
            for port in ports:
                start(port.on_stock(stock))

        def on_job_refused(refusal: JobRefusal) -> None:
            for port in ports:
                start(port.on_job_refused(refusal))

        def on_reload(part_number: str) -> None:
            for port in ports:
                start(port.on_reload(part_number))

        def on_frame(jpeg: bytes) -> None:
            if page is not None:
                start(page.on_frame(jpeg))

        def on_capture(capture: CaptureEvent) -> None:
            if page is not None:
                start(page.on_capture(capture))

        def on_benchmark(part_number: str, texts: tuple[str, ...], image: bytes) -> None:
            if page is not None:
                start(page.on_benchmark(part_number, texts, image))

        return CellEvents(on_stock, on_frame, on_capture, on_benchmark, on_job_refused, on_reload)


def _letters(catalogue_file: str) -> dict[str, str]:
    """Return part number -> letter of the catalogue; {} without a file.

    Raises:
        StartError: The catalogue has errors; names all of them.
    """
    if not catalogue_file:
        return {}
    try:
        return {part.part_number: part.letter for part in load_catalogue(catalogue_file).parts.values()}
    except CatalogueError as error:
        raise StartError(str(error)) from error


def _health_of(server: SocketIoServer) -> Callable[[], Health]:
    def health() -> Health:
        values = {'port': str(server.port), 'clients': str(len(server.clients))}
        return Health(ERROR, server.error, values) if server.error else Health(OK, '', values)

    return health


main = node_main(SocketIoGatewayNode)
