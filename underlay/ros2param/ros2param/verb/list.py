"""Verb `ros2 param list`."""

from __future__ import annotations

import argparse
import re
import sys

from ros2cli.node.direct import DirectNode
from ros2cli.node.strategy import NodeStrategy, add_arguments
from ros2node.api import get_absolute_node_name, get_node_names

from ros2param.api import call_describe_parameters, call_list_parameters, get_parameter_type_string

from . import VerbExtension


class ListVerb(VerbExtension):
    """Output a list of available parameters."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        add = parser.add_argument
        add('node_name', nargs='?', help='Name of the ROS node')
        add('--filter', type=re.compile, help='Only parameters matching the regex expression will be showed.')
        add('--include-hidden-nodes', action='store_true', help='Consider hidden nodes as well')
        add('--param-prefixes', nargs='+', default=[], help='Only list parameters with the provided prefixes')
        add('--param-type', action='store_true', help='Print parameter types with parameter names')

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print the parameters of one node, or of each; return an error if the node is not on the graph."""
        wanted = get_absolute_node_name(args.node_name)
        with NodeStrategy(args) as node:
            names = sorted(name.full_name for name in get_node_names(node=node, include_hidden_nodes=args.include_hidden_nodes))
            if wanted and wanted not in names:
                return 'Node not found'
            for name in [wanted] if wanted else names:
                try:
                    lines = _lines(node, name, args)
                except RuntimeError as error:
                    print(error, file=sys.stderr)
                    continue
                if lines is None:
                    print(f'Wait for service timed out waiting for parameter services for node {name}')
                    continue
                if not wanted and lines:
                    print(f'{name}:')
                for line in lines:
                    print(line)
        return None


def _lines(node: DirectNode, node_name: str, args: argparse.Namespace) -> list[str] | None:
    response = call_list_parameters(node=node, node_name=node_name, prefixes=args.param_prefixes)
    if response is None:
        return None
    names = [name for name in sorted(response.result.names) if args.filter is None or args.filter.match(name)]
    if not args.param_type or not names:
        return [f'  {name}' for name in names]
    described = call_describe_parameters(node=node, node_name=node_name, parameter_names=names)
    return [f'  {item.name} (type: {get_parameter_type_string(item.type)})' for item in described.descriptors]
