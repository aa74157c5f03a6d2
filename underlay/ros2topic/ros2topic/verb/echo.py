"""Verb `ros2 topic echo`."""

from __future__ import annotations

import argparse
import functools
from typing import Any

import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.task import Future
from ros2cli.helpers import unsigned_int
from ros2cli.node.strategy import NodeStrategy, add_arguments
from rosidl_runtime_py import message_to_csv, message_to_yaml
from rosidl_runtime_py.utilities import get_message

from ros2topic.api import add_qos_arguments, get_msg_class, positive_float, qos_profile_from_short_keys

from . import VerbExtension

DEFAULT_TRUNCATE_LENGTH = 128
MIXED = (
    'Some, but not all, publishers are offering QoS{kind}Policy.{wanted}. Falling back to '
    'QoS{kind}Policy.{other} as it will connect to all publishers'
)


class EchoVerb(VerbExtension):
    """Output messages from a topic."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        add = parser.add_argument
        add('topic_name', help="Name of the ROS topic to listen to (e.g. '/chatter')")
        add('message_type', nargs='?', help="Type of the ROS message (e.g. 'std_msgs/msg/String')")
        add_qos_arguments(parser, 'subscribe', 'sensor_data')
        add('--csv', action='store_true', help='Output all recursive fields separated by commas (e.g. for plotting)')
        add('--field', help="Echo a selected field of a message. Use '.' to select sub-fields")
        add('--full-length', '-f', action='store_true', help='Output all elements of arrays, bytes and strings')
        add(
            '--truncate-length',
            '-l',
            type=unsigned_int,
            default=DEFAULT_TRUNCATE_LENGTH,
            help='The length to truncate arrays, bytes, and string to (default: %(default)d)',
        )
        add('--no-arr', action='store_true', help="Don't print array fields of messages")
        add('--no-str', action='store_true', help="Don't print string fields of messages")
        add('--flow-style', action='store_true', help='Print collections in the block style (not available with csv format)')
        add('--no-lost-messages', action='store_true', help="Don't report when a message is lost")
        add('--once', action='store_true', help='Print the first message received and then exit.')
        add('--timeout', metavar='N', type=positive_float, help='Set a timeout in seconds for waiting')

    def main(self, *, args: argparse.Namespace) -> None:
        """Print messages until interrupted, or until `--once` or `--timeout` ends the command.

        Raises:
            RuntimeError: The type is unknown, or a message lacks the field.
        """
        fields = [name for name in (args.field or '').split('.') if name]
        if args.field is not None and not fields:
            raise RuntimeError(f"Invalid field value '{args.field}'")
        with NodeStrategy(args) as node:
            kind = _message_class(node, args)
            qos = _choose_qos(node, args)
            finished: Future = Future()
            if args.timeout is not None:
                node.create_timer(args.timeout, lambda: finished.set_result(True))
            show = functools.partial(_show, args=args, fields=fields, finished=finished)
            callbacks = None if args.no_lost_messages else SubscriptionEventCallbacks(message_lost=_report_lost)
            try:
                node.create_subscription(kind, args.topic_name, show, qos, event_callbacks=callbacks)
            except UnsupportedEventTypeError:
                node.create_subscription(kind, args.topic_name, show, qos)
            rclpy.spin_until_future_complete(node.node, finished)


def _message_class(node: NodeStrategy, args: argparse.Namespace) -> type:
    if args.message_type is None:
        found = get_msg_class(node, args.topic_name, include_hidden_topics=True)
        if found is None:
            raise RuntimeError('Could not determine the type for the passed topic')
        return found
    try:
        message: type = get_message(args.message_type)
    except (AttributeError, ModuleNotFoundError, ValueError):
        raise RuntimeError('The passed message type is invalid') from None
    return message


def _choose_qos(node: NodeStrategy, args: argparse.Namespace) -> QoSProfile:
    """Return the policies of the options; without options, policies that connect to every publisher."""
    chosen = (args.qos_reliability, args.qos_durability, args.qos_depth, args.qos_history)
    profile = qos_profile_from_short_keys(args.qos_profile, *chosen)
    publishers = node.get_publishers_info_by_topic(args.topic_name)
    if any(value is not None for value in chosen) or not publishers:
        return profile
    reliable = [info.qos_profile.reliability == QoSReliabilityPolicy.RELIABLE for info in publishers]
    if any(reliable) and not all(reliable):
        print(MIXED.format(kind='Reliability', wanted='RELIABLE', other='BEST_EFFORT'))
    profile.reliability = QoSReliabilityPolicy.RELIABLE if all(reliable) else QoSReliabilityPolicy.BEST_EFFORT
    latched = [info.qos_profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for info in publishers]
    if any(latched) and not all(latched):
        print(MIXED.format(kind='Durability', wanted='TRANSIENT_LOCAL', other='VOLATILE'))
    profile.durability = QoSDurabilityPolicy.TRANSIENT_LOCAL if all(latched) else QoSDurabilityPolicy.VOLATILE
    return profile


def _show(message: Any, *, args: argparse.Namespace, fields: list[str], finished: Future) -> None:
    part = message
    for name in fields:
        try:
            part = getattr(part, name)
        except AttributeError as error:
            raise RuntimeError(f"Invalid field '{'.'.join(fields)}': {error}") from error
    if args.once and finished.done():
        return
    length = None if args.full_length else args.truncate_length
    if not hasattr(part, '__slots__'):
        print(part, end='\n---\n')
    elif args.csv:
        print(message_to_csv(part, truncate_length=length, no_arr=args.no_arr, no_str=args.no_str))
    else:
        text = message_to_yaml(part, truncate_length=length, no_arr=args.no_arr, no_str=args.no_str, flow_style=args.flow_style)
        print(text, end='---\n')
    if args.once:
        finished.set_result(True)


def _report_lost(status: Any) -> None:
    print(
        f'A message was lost!!!\n\ttotal count change:{status.total_count_change}\n\ttotal count: {status.total_count}',
        end='---\n',
    )
