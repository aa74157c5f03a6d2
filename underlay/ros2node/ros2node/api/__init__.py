"""Nodes of the graph and the interfaces of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rclpy.node import HIDDEN_NODE_PREFIX
from ros2cli.helpers import wait_for
from ros2cli.node.direct import DirectNode

__all__ = [
    'INFO_NONUNIQUE_WARNING_TEMPLATE',
    'NodeName',
    'TopicInfo',
    'get_absolute_node_name',
    'get_interface_info',
    'get_node_names',
    'has_duplicates',
    'parse_node_name',
    'wait_for_node',
]

INFO_NONUNIQUE_WARNING_TEMPLATE = (
    'There are {num_nodes} nodes in the graph with the exact name "{node_name}". '
    'You are seeing information about only one of them.'
)


class NodeName(NamedTuple):
    """Name of a node, and its parts."""

    name: str
    namespace: str
    full_name: str


class TopicInfo(NamedTuple):
    """Name of a topic, service or action, and its types."""

    name: str
    types: list[str]


def get_absolute_node_name(node_name: str | None) -> str | None:
    """Return the name with a leading slash; None if there is no name."""
    if not node_name:
        return None
    return node_name if node_name.startswith('/') else f'/{node_name}'


def parse_node_name(node_name: str) -> NodeName:
    """Split a node's name into namespace and base name."""
    full_name = get_absolute_node_name(node_name) or '/'
    namespace, base_name = full_name.rsplit('/', 1)
    return NodeName(base_name, namespace or '/', full_name)


def has_duplicates(values: list[str]) -> bool:
    """Return whether a value stands in the list twice."""
    return len(set(values)) < len(values)


def get_node_names(*, node: DirectNode, include_hidden_nodes: bool = False) -> list[NodeName]:
    """Return the names of the nodes on the graph."""
    return [
        NodeName(name, namespace, f'{namespace.rstrip("/")}/{name}')
        for name, namespace in node.get_node_names_and_namespaces()
        if include_hidden_nodes or (name and not name.startswith(HIDDEN_NODE_PREFIX))
    ]


def wait_for_node(node: DirectNode, node_name: str, include_hidden_nodes: bool = False, timeout: float = 1.0) -> bool:
    """Wait for a node with a timeout in seconds; return whether it is on the graph."""

    def is_available() -> bool:
        names = get_node_names(node=node, include_hidden_nodes=include_hidden_nodes)
        return node_name in {name.full_name for name in names}

    return wait_for(is_available, timeout)


def get_interface_info(
    remote_node_name: str, query: Callable[[str, str], list[tuple[str, list[str]]]], *, include_hidden: bool = False
) -> list[TopicInfo]:
    """Return one kind of interface of a node.

    Args:
        remote_node_name: Full name of the node.
        query: Method of a node that takes name and namespace, such as `get_publisher_names_and_types_by_node`.
        include_hidden: List hidden names, too.
    """
    remote = parse_node_name(remote_node_name)
    return [
        TopicInfo(name, types)
        for name, types in query(remote.name, remote.namespace)
        if include_hidden or not any(part.startswith(HIDDEN_NODE_PREFIX) for part in name.split('/'))
    ]
