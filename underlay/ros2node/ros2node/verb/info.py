"""Verb `ros2 node info`."""

from __future__ import annotations

import argparse
import sys

from ros2cli.node.strategy import NodeStrategy, add_arguments

from ros2node.api import INFO_NONUNIQUE_WARNING_TEMPLATE, get_interface_info, get_node_names

from . import VerbExtension


class InfoVerb(VerbExtension):
    """Output information about a node."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        parser.add_argument('node_name', help='Fully qualified node name to request information')
        parser.add_argument(
            '--include-hidden', action='store_true', help='Display hidden topics, services, and actions as well'
        )

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print the interfaces of the node; return an error if it is not on the graph."""
        with NodeStrategy(args) as node:
            names = [name.full_name for name in get_node_names(node=node, include_hidden_nodes=args.include_hidden)]
            count = names.count(args.node_name)
            if count == 0:
                return f"Unable to find node '{args.node_name}'"
            if count > 1:
                print(INFO_NONUNIQUE_WARNING_TEMPLATE.format(num_nodes=count, node_name=args.node_name), file=sys.stderr)
            print(args.node_name)
            for title, query in (
                ('Subscribers', node.get_subscriber_names_and_types_by_node),
                ('Publishers', node.get_publisher_names_and_types_by_node),
                ('Service Servers', node.get_service_names_and_types_by_node),
                ('Service Clients', node.get_client_names_and_types_by_node),
                ('Action Servers', node.get_action_server_names_and_types_by_node),
                ('Action Clients', node.get_action_client_names_and_types_by_node),
            ):
                print(f'  {title}:')
                found = get_interface_info(args.node_name, query, include_hidden=args.include_hidden)
                print(*(f'    {info.name}: {", ".join(info.types)}' for info in found), sep='\n')
        return None
