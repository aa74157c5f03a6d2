"""Topics of the graph, their message classes and quality of service."""

from __future__ import annotations

import argparse
import copy

from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSPresetProfiles,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.topic_or_service_is_hidden import topic_or_service_is_hidden
from rclpy.validate_full_topic_name import validate_full_topic_name
from ros2cli.helpers import wait_for
from ros2cli.node.direct import DirectNode
from rosidl_runtime_py.utilities import get_message

__all__ = [
    'add_qos_arguments',
    'get_msg_class',
    'get_topic_names',
    'get_topic_names_and_types',
    'positive_float',
    'positive_int',
    'qos_profile_from_short_keys',
]


def positive_int(text: str) -> int:
    """Parse a whole number above zero.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError('value must be a positive integer')
    return int(text)


def positive_float(text: str) -> float:
    """Parse a number above zero.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError('Expects a floating point number') from None
    if value <= 0.0:
        raise argparse.ArgumentTypeError('Value must be positive')
    return value


def get_topic_names_and_types(*, node: DirectNode, include_hidden_topics: bool = False) -> list[tuple[str, list[str]]]:
    """Return each topic with its types, sorted by name."""
    topics: list[tuple[str, list[str]]] = node.get_topic_names_and_types()
    return [(name, types) for name, types in topics if include_hidden_topics or not topic_or_service_is_hidden(name)]


def get_topic_names(*, node: DirectNode, include_hidden_topics: bool = False) -> list[str]:
    """Return the names of the topics."""
    return [name for name, _ in get_topic_names_and_types(node=node, include_hidden_topics=include_hidden_topics)]


def get_msg_class(node: DirectNode, topic: str, blocking: bool = False, include_hidden_topics: bool = False) -> type | None:
    """Return the message class of a topic.

    Args:
        node: A node on the graph.
        topic: The topic, expanded with the node's namespace.
        blocking: Wait until the topic exists.
        include_hidden_topics: Look among hidden topics, too.

    Returns:
        The class; None if the topic does not exist.

    Raises:
        RuntimeError: The name is invalid, or the topic has several types or one that is not installed.
    """
    found = _find_msg_class(node, topic, include_hidden_topics)
    if found is not None:
        return found
    print(f'WARNING: topic [{topic}] does not appear to be published yet')
    while blocking and found is None and node.context.ok():
        wait_for(lambda: any(name == topic for name, _ in node.get_topic_names_and_types()), 0.1)
        found = _find_msg_class(node, topic, include_hidden_topics)
    return found


def _find_msg_class(node: DirectNode, topic: str, include_hidden_topics: bool) -> type | None:
    try:
        full_name = expand_topic_name(topic, node.get_name(), node.get_namespace())
        validate_full_topic_name(full_name)
    except (ValueError, InvalidTopicNameException) as error:
        raise RuntimeError(error) from error
    topics = dict(get_topic_names_and_types(node=node, include_hidden_topics=include_hidden_topics))
    types = topics.get(full_name)
    if types is None:
        return None
    if len(types) > 1:
        raise RuntimeError(f"Cannot echo topic '{topic}', as it contains more than one type: [{', '.join(types)}]")
    try:
        message: type = get_message(types[0])
    except (AttributeError, ModuleNotFoundError, ValueError):
        raise RuntimeError(f"The message type '{types[0]}' is invalid") from None
    return message


def add_qos_arguments(parser: argparse.ArgumentParser, subscribe_or_publish: str, default_profile: str) -> None:
    """Add the options that choose the quality of service."""
    kind = f'Quality of service %s setting to {subscribe_or_publish} with (overrides %s value of --qos-profile option)'
    parser.add_argument(
        '--qos-profile',
        choices=QoSPresetProfiles.short_keys(),
        default=default_profile,
        help=f'Quality of service preset profile to {subscribe_or_publish} with (default: {default_profile})',
    )
    parser.add_argument('--qos-depth', metavar='N', type=int, help=kind % ('depth', 'depth'))
    for name, policy in (
        ('history', QoSHistoryPolicy),
        ('reliability', QoSReliabilityPolicy),
        ('durability', QoSDurabilityPolicy),
    ):
        parser.add_argument(f'--qos-{name}', choices=policy.short_keys(), help=kind % (name, name))


def qos_profile_from_short_keys(
    preset_profile: str,
    reliability: str | None = None,
    durability: str | None = None,
    depth: int | None = None,
    history: str | None = None,
) -> QoSProfile:
    """Return a preset profile with some of its policies replaced."""
    profile: QoSProfile = copy.copy(QoSPresetProfiles.get_from_short_key(preset_profile))
    if history:
        profile.history = QoSHistoryPolicy.get_from_short_key(history)
    if durability:
        profile.durability = QoSDurabilityPolicy.get_from_short_key(durability)
    if reliability:
        profile.reliability = QoSReliabilityPolicy.get_from_short_key(reliability)
    if depth and depth >= 0:
        profile.depth = depth
    elif profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL and profile.depth == 0:
        profile.depth = 1
    return profile
