"""Verb `ros2 node list`."""

from __future__ import annotations

import argparse
import sys

from ros2cli.node.strategy import NodeStrategy, add_arguments

from ros2node.api import get_node_names, has_duplicates

from . import VerbExtension


class ListVerb(VerbExtension):
    """Output a list of available nodes."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        add_arguments(parser)
        parser.add_argument('-a', '--all', action='store_true', help='Display all nodes even hidden ones')
        parser.add_argument('-c', '--count-nodes', action='store_true', help='Only display the number of nodes discovered')

    def main(self, *, args: argparse.Namespace) -> None:
        """Print one full name a line, sorted."""
        with NodeStrategy(args) as node:
            names = sorted(name.full_name for name in get_node_names(node=node, include_hidden_nodes=args.all))
        if args.count_nodes:
            print(len(names))
        elif names:
            if has_duplicates(names):
                print(
                    'WARNING: Be aware that there are nodes in the graph that share an exact name, '
                    'which can have unintended side effects.',
                    file=sys.stderr,
                )
            print(*names, sep='\n')
