"""Verb `ros2 topic list`."""

from __future__ import annotations

import argparse

from ros2cli.node.strategy import NodeStrategy, add_arguments

from ros2topic.api import get_topic_names_and_types

from . import VerbExtension


class ListVerb(VerbExtension):
    """Output a list of available topics."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        add_arguments(parser)
        add = parser.add_argument
        add('-t', '--show-types', action='store_true', help='Additionally show the topic type')
        add('-c', '--count-topics', action='store_true', help='Only display the number of topics discovered')
        add('--include-hidden-topics', action='store_true', help='Consider hidden topics as well')
        add('-v', '--verbose', action='store_true', help='List full details about each topic')

    def main(self, *, args: argparse.Namespace) -> None:
        """Print one topic a line, or publishers and subscribers of each."""
        with NodeStrategy(args) as node:
            topics = get_topic_names_and_types(node=node, include_hidden_topics=args.include_hidden_topics)
            if args.count_topics:
                print(len(topics))
            elif args.verbose and topics:
                print(_describe('Published', 'publisher', [(*topic, node.count_publishers(topic[0])) for topic in topics]))
                print(_describe('Subscribed', 'subscriber', [(*topic, node.count_subscribers(topic[0])) for topic in topics]))
            else:
                for name, types in topics:
                    print(f'{name} [{", ".join(types)}]' if args.show_types else name)


def _describe(title: str, noun: str, topics: list[tuple[str, list[str], int]]) -> str:
    lines = [
        f' * {name} [{", ".join(types)}] {count} {noun}{"s" if count > 1 else ""}\n' for name, types, count in topics if count
    ]
    return f'{title} topics:\n{"".join(lines)}'
