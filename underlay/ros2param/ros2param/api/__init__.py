"""Parameters of other nodes, through their parameter services."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters
from rclpy.parameter_client import AsyncParameterClient
from rclpy.task import Future
from ros2cli.node.direct import DirectNode

__all__ = [
    'add_node_arguments',
    'add_timeout_argument',
    'call_describe_parameters',
    'call_get_parameters',
    'call_list_parameters',
    'get_parameter_type_string',
]

SERVICE_TIMEOUT_S = 5.0
TYPE_NAMES = {
    ParameterType.PARAMETER_BOOL: 'boolean',
    ParameterType.PARAMETER_INTEGER: 'integer',
    ParameterType.PARAMETER_DOUBLE: 'double',
    ParameterType.PARAMETER_STRING: 'string',
    ParameterType.PARAMETER_BYTE_ARRAY: 'byte array',
    ParameterType.PARAMETER_BOOL_ARRAY: 'boolean array',
    ParameterType.PARAMETER_INTEGER_ARRAY: 'integer array',
    ParameterType.PARAMETER_DOUBLE_ARRAY: 'double array',
    ParameterType.PARAMETER_STRING_ARRAY: 'string array',
    ParameterType.PARAMETER_NOT_SET: 'not set',
}


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the name of the node, and the option for hidden ones."""
    parser.add_argument('node_name', help='Name of the ROS node')
    parser.add_argument('--include-hidden-nodes', action='store_true', help='Consider hidden nodes as well')


def add_timeout_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option for the time that a node has to appear on the graph, seconds."""
    parser.add_argument(
        '--timeout',
        metavar='N',
        type=int,
        default=1,
        help='Wait for N seconds until node becomes available (default %(default)s sec)',
    )


def get_parameter_type_string(parameter_type: int) -> str:
    """Return the name of a type of `rcl_interfaces/msg/ParameterType`."""
    return TYPE_NAMES[parameter_type]


def call_list_parameters(
    *, node: DirectNode, node_name: str, prefixes: list[str] | None = None
) -> ListParameters.Response | None:
    """Return the names of a node's parameters; None if the node does not offer the service within 5 s.

    Raises:
        RuntimeError: The call failed.
    """
    client = AsyncParameterClient(node.node, node_name)
    if not client.wait_for_services(timeout_sec=SERVICE_TIMEOUT_S):
        return None
    return _result(node, node_name, client.list_parameters(prefixes=prefixes))


def call_get_parameters(*, node: DirectNode, node_name: str, parameter_names: Sequence[str]) -> GetParameters.Response:
    """Return the values of some parameters of a node.

    Raises:
        RuntimeError: The node does not offer the service within 5 s, or the call failed.
    """
    return _call(node, node_name, lambda client: client.get_parameters(list(parameter_names)))


def call_describe_parameters(
    *, node: DirectNode, node_name: str, parameter_names: Sequence[str]
) -> DescribeParameters.Response:
    """Return the descriptors of some parameters of a node.

    Raises:
        RuntimeError: The node does not offer the service within 5 s, or the call failed.
    """
    return _call(node, node_name, lambda client: client.describe_parameters(list(parameter_names)))


def _call(node: DirectNode, node_name: str, request: Callable[[AsyncParameterClient], Future]) -> Any:
    client = AsyncParameterClient(node.node, node_name)
    if not client.wait_for_services(timeout_sec=SERVICE_TIMEOUT_S):
        raise RuntimeError(f'Wait for service timed out waiting for parameter services for node {node_name}')
    return _result(node, node_name, request(client))


def _result(node: DirectNode, node_name: str, future: Future) -> Any:
    rclpy.spin_until_future_complete(node.node, future)
    response = future.result()
    if response is None:
        raise RuntimeError(f'Exception while calling service of node {node_name}: {future.exception()}')
    return response
