"""Gathers the facts that `doctor` judges from the running cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from cell_common.parameters import schema_of
from cell_common.qos import latched
from cell_web.parameters import GatewayParameters
from cell_weighing.configuration import ScaleBridgeParameters, WeighStationParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient

from cell_bringup.client import CellClient, CellError
from cell_bringup.doctor_facts import Facts, Scale
from cell_interfaces.msg import ScaleList, ScaleState, WeighJob

TOPIC_S = 3.0
T = TypeVar('T')


def gather(client: CellClient) -> Facts:
    """Return what the nodes report within a few seconds.

    Parameters are read from the nodes, not from a file: the file that a cell was started with may be another one.

    Args:
        client: Client of the cell.
    """
    received: list[ScaleList] = []
    client.node.create_subscription(ScaleList, 'weighing/scales', received.append, latched())
    # All clients at once, so that the discovery of the three nodes overlaps.
    asked = {name: AsyncParameterClient(client.node, name) for name in ('scale_bridge', 'weigh_station', 'web_gateway')}
    bridge = _parameters(client, asked['scale_bridge'], ScaleBridgeParameters)
    station = _parameters(client, asked['weigh_station'], WeighStationParameters)
    gateway = _parameters(client, asked['web_gateway'], GatewayParameters)
    if bridge:
        _wait(client, lambda: received)
    if station:
        _wait(client, lambda: client.weigh_jobs)
    jobs = client.weigh_jobs.jobs if client.weigh_jobs else ()
    now = client.node.get_clock().now().nanoseconds / 1e9
    scales = [_scale(state, now) for state in (received[-1].scales if received else ())]
    return Facts(
        bridge,
        station,
        gateway,
        scales,
        {job.station: job.state == WeighJob.ACTIVE for job in jobs},
        int(received[-1].port) if received else 0,
        dict(os.environ),
        {job.station: job.unit for job in jobs if job.state == WeighJob.ACTIVE},
        [f'{namespace.rstrip("/")}/{name}' for name, namespace in client.node.get_node_names_and_namespaces()],
    )


def _scale(state: ScaleState, now: float) -> Scale:
    """Return what the checks need of a scale; its age is in seconds, None before its first line."""
    received = state.last_heard.sec + state.last_heard.nanosec / 1e9
    return Scale(
        state.scale_id,
        state.connected,
        state.peer,
        max(0.0, now - received) if received else None,
        state.readings,
        state.malformed,
        state.format,
        state.needs_silence,
        state.last_unit,
    )


def _parameters(client: CellClient, asked: AsyncParameterClient, kind: type[T]) -> T | None:
    """Return the parameters of a node, None if it does not answer."""
    names = list(schema_of(kind))
    if not _wait(client, asked.services_are_ready):
        return None
    future = asked.get_parameters(names)
    if not _wait(client, future.done):
        return None
    values: Mapping[str, object] = {name: _plain(value) for name, value in zip(names, future.result().values, strict=False)}
    return parameters_of(kind, values)


def _plain(value: object) -> object:
    converted = parameter_value_to_python(value)
    return converted if converted is None or isinstance(converted, (bool, int, float, str)) else list(converted)


def _wait(client: CellClient, condition: Callable[[], object]) -> bool:
    try:
        client.wait_for(condition, TOPIC_S, 'answer')
    except CellError:
        return False
    return True


def parameters_of(kind: Callable[..., T], values: Mapping[str, object]) -> T:
    """Return a parameter class with the values of a running node.

    Args:
        kind: Dataclass of the node's parameters.
        values: Name -> value; one that is None keeps its default, as of a node of another release.
    """
    return kind(**{name: value for name, value in values.items() if value is not None})
