"""Verb `ros2 service list`."""

from __future__ import annotations

import argparse

from ros2cli.node.strategy import NodeStrategy, add_arguments

from ros2service.api import get_service_names_and_types

from . import VerbExtension


class ListVerb(VerbExtension):
    """Output a list of available services."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        add_arguments(parser)
        add = parser.add_argument
        add('-t', '--show-types', action='store_true', help='Additionally show the service type')
        add('-c', '--count-services', action='store_true', help='Only display the number of services discovered')
        add('--include-hidden-services', action='store_true', help='Consider hidden services as well')

    def main(self, *, args: argparse.Namespace) -> None:
        """Print one service a line."""
        with NodeStrategy(args) as node:
            services = get_service_names_and_types(node=node, include_hidden_services=args.include_hidden_services)
        if args.count_services:
            print(len(services))
            return
        for name, types in services:
            print(f'{name} [{", ".join(types)}]' if args.show_types else name)
