"""Interface classes as clients name them, and the types the graph knows."""

from __future__ import annotations

from typing import Any

from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_topic_name import validate_topic_name
from rosidl_runtime_py.utilities import get_action, get_message, get_service

from rosbridge_server.message_conversion import type_name
from rosbridge_server.protocol import ProtocolError


def message_class(name: str) -> Any:
    """Return a message class by `package/msg/Name` or `package/Name`.

    roslib clients of ROS 1 leave the middle part out.

    Raises:
        ProtocolError: There is no such type here.
    """
    return _load(get_message, name, 'msg')


def service_class(name: str) -> Any:
    """Return a service class by `package/srv/Name` or `package/Name`; raises as `message_class`."""
    return _load(get_service, name, 'srv')


def action_class(name: str) -> Any:
    """Return an action class by `package/action/Name` or `package/Name`; raises as `message_class`."""
    return _load(get_action, name, 'action')


def established_type(node: Node, topic: str) -> str | None:
    """Return the type that the graph knows of a topic, None if the graph does not know the topic.

    Raises:
        ProtocolError: The name is not valid.
    """
    check_name(topic)
    return _first(node.get_topic_names_and_types(), node.resolve_topic_name(topic))


def topic_type(node: Node, topic: str, wanted_type: str | None) -> Any:
    """Return the message class of a topic for a client that publishes or subscribes.

    Args:
        node: Knows the graph.
        topic: Name, as the client gives it.
        wanted_type: Type that the client gives, e.g. `std_msgs/String`; None = that of the graph.

    Raises:
        ProtocolError: The name or the type is unknown, or the topic has another type.
    """
    established = established_type(node, topic)
    if established is None and wanted_type is None:
        raise ProtocolError(f'Cannot infer topic type for topic {topic} as it is not yet advertised')
    kind = message_class(wanted_type or str(established))
    if established is not None and type_name(kind) != established:
        raise ProtocolError(
            f'Tried to register topic {topic} with type {type_name(kind)} but it is already established with type {established}'
        )
    return kind


def established_service_type(node: Node, service: str) -> str | None:
    """Return the type that the graph knows of a service, None if the graph does not know the service.

    Raises:
        ProtocolError: The name is not valid.
    """
    check_name(service)
    return _first(node.get_service_names_and_types(), node.resolve_service_name(service))


def check_name(name: str) -> None:
    """Check that a text can be the name of a topic, a service or an action.

    rcl raises errors of several types for invalid names, some only when the entity is created.

    Raises:
        ProtocolError: The name is not valid.
    """
    try:
        validate_topic_name(name)
        validate_full_topic_name('/' + name.lstrip('~/') if name[:1] != '/' else name)
    except (NameValidationException, rclpy_implementation.RCLError) as problem:
        raise ProtocolError(f"Invalid name '{name}': {str(problem).splitlines()[0]}") from None


def _first(names_and_types: list[tuple[str, list[str]]], wanted: str) -> str | None:
    return next((types[0] for name, types in names_and_types if name == wanted and types), None)


def _load(loader: Any, name: str, group: str) -> Any:
    parts = name.split('/')
    full = f'{parts[0]}/{group}/{parts[1]}' if len(parts) == 2 else name
    try:
        return loader(full)
    except (ValueError, ImportError, AttributeError) as problem:
        raise ProtocolError(f"Unable to load the type '{name}': {problem}") from None
