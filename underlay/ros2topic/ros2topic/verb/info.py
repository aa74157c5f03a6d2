"""Verb `ros2 topic info`."""

from __future__ import annotations

import argparse

from ros2cli.node.strategy import NodeStrategy, add_arguments

from ros2topic.api import get_topic_names_and_types

from . import VerbExtension


class InfoVerb(VerbExtension):
    """Print information about a topic."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        parser.add_argument('topic_name', help="Name of the ROS topic to get info (e.g. '/chatter')")
        parser.add_argument(
            '--verbose',
            '-v',
            action='store_true',
            help='Prints detailed information like the node name, node namespace, topic type, topic type hash, GUID, '
            'and QoS Profile of the publishers and subscribers to this topic',
        )

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print type and counts; return an error if the topic does not exist."""
        with NodeStrategy(args) as node:
            types = dict(get_topic_names_and_types(node=node, include_hidden_topics=True)).get(args.topic_name)
            if types is None:
                return f"Unknown topic '{args.topic_name}'"
            end = '\n\n' if args.verbose else '\n'
            print(f'Type: {types[0] if len(types) == 1 else types}', end=end)
            print(f'Publisher count: {node.count_publishers(args.topic_name)}', end=end)
            if args.verbose:
                for endpoint in node.get_publishers_info_by_topic(args.topic_name):
                    print(endpoint, end=end)
            print(f'Subscription count: {node.count_subscribers(args.topic_name)}', end=end)
            if args.verbose:
                for endpoint in node.get_subscriptions_info_by_topic(args.topic_name):
                    print(endpoint, end=end)
        return None
