"""Asks the nodes for the state that no topic carries: parameters and benchmarks; reads catalogue and empty view."""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cell_common.calls import ServiceCallError, call_service, wait_for
from cell_common.services import create_client
from cell_common.time import now_ns
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.task import Future

from cell_history.bags.snapshot import Snapshot, StoredBenchmark
from cell_interfaces.msg import ResultCode
from cell_interfaces.srv import GetBenchmarks

__all__ = ['SnapshotCollector']

NODES = ('alarms', 'camera', 'coordinator', 'inventory', 'ocr', 'part_matcher', 'robot', 'scale_bridge', 'weigh_station')
DECIDING = ('inventory', 'ocr', 'part_matcher', 'weigh_station')
"""Nodes without whose parameters a replay may decide otherwise."""
CALL_S = 10.0
START_S = 30.0
"""How long the first snapshot waits for nodes that are starting."""
LOOK_S = 0.5
"""Period of the check for them."""
PACKAGES = ('cell_history', 'rosbags', 'rapidocr', 'openvino', 'onnxruntime', 'numpy')


class SnapshotCollector:
    """Clients of the nodes' parameters and of the benchmarks."""

    def __init__(self, node: Node, catalogue_file: str, background_file: str) -> None:
        """Store the files; clients are made when they are needed.

        Args:
            node: Node of the clients.
            catalogue_file: Catalogue of the cell; "" = not known.
            background_file: Learned empty view; "" = none.
        """
        self._node = node
        self._catalogue, self._background = catalogue_file, background_file
        self._group = ReentrantCallbackGroup()
        self._clients: dict[str, Client] = {}
        self._waited = False

    async def collect(self) -> Snapshot:
        """Return the state of now; what could not be found out is named in it."""
        missing: list[str] = []
        namespace = self._node.get_namespace().strip('/')
        running = await self._running_nodes()
        parameters = {}
        for name in NODES:
            if name in running:
                try:
                    parameters[name] = await self._parameters(name)
                except ServiceCallError as error:
                    missing.append(str(error))
            if name in DECIDING and name not in parameters:
                missing.append(f'node {name} did not say its parameters: a replay uses the defaults')
        benchmarks: list[StoredBenchmark] = []
        if 'part_matcher' in running:
            try:
                benchmarks = await self._benchmarks()
            except ServiceCallError as error:
                missing.append(str(error))
        return Snapshot(
            now_ns(self._node),
            namespace,
            self._text(missing),
            parameters,
            tuple(benchmarks),
            self._empty_view(missing),
            _versions(),
            tuple(missing),
        )

    async def _running_nodes(self) -> set[str]:
        """Return the nodes of the cell; the first time wait for those that decide, which may be starting."""
        namespace = self._node.get_namespace().strip('/')
        deadline = time.monotonic() + (0.0 if self._waited else START_S)
        self._waited = True
        while True:
            running = {name for name, where in self._node.get_node_names_and_namespaces() if where.strip('/') == namespace}
            if running.issuperset(DECIDING) or time.monotonic() > deadline:
                return running
            await wait_for(self._node, Future(executor=self._node.executor), LOOK_S)

    async def _parameters(self, name: str) -> dict[str, object]:
        """Return the parameters of a node.

        Raises:
            ServiceCallError: It does not answer.
        """
        listing = self._client(ListParameters, f'{name}/list_parameters')
        names = list((await call_service(self._node, listing, ListParameters.Request(), CALL_S)).result.names)
        getting = self._client(GetParameters, f'{name}/get_parameters')
        values = (await call_service(self._node, getting, GetParameters.Request(names=names), CALL_S)).values
        found = {key: parameter_value_to_python(value) for key, value in zip(names, values, strict=True)}
        return {key: _plain(value) for key, value in found.items() if value is not None}

    async def _benchmarks(self) -> list[StoredBenchmark]:
        """Return the latest benchmark of each part.

        Raises:
            ServiceCallError: The matcher does not answer, or has no database.
        """
        client = self._client(GetBenchmarks, 'matching/benchmarks')
        response = await call_service(self._node, client, GetBenchmarks.Request(), CALL_S)
        if response.code != ResultCode.OK:
            raise ServiceCallError(f'benchmarks: {response.message}')
        return [StoredBenchmark(item.part_number, item.version, tuple(item.texts), item.frames) for item in response.benchmarks]

    def _client(self, kind: type, name: str) -> Client:
        if name not in self._clients:
            self._clients[name] = create_client(self._node, kind, name, self._group)
        return self._clients[name]

    def _text(self, missing: list[str]) -> str:
        try:
            return Path(self._catalogue).expanduser().read_text(encoding='utf-8') if self._catalogue else _no_catalogue(missing)
        except (OSError, UnicodeDecodeError) as error:
            missing.append(f'the catalogue cannot be read: {error}')
            return ''

    def _empty_view(self, missing: list[str]) -> bytes:
        file = Path(self._background).expanduser()
        try:
            return file.read_bytes() if self._background and file.is_file() else b''
        except OSError as error:
            missing.append(f'the empty view cannot be read: {error}')
            return b''


def _plain(value: object) -> object:
    """Return a parameter as JSON holds it."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def _no_catalogue(missing: list[str]) -> str:
    missing.append('parameter catalogue_file is empty: the bag cannot be replayed without --catalogue')
    return ''


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found['cell' if name == 'cell_history' else name] = version(name)
        except PackageNotFoundError:
            continue
    return found
