"""Verb `ros2 param describe`."""

from __future__ import annotations

import argparse

from rcl_interfaces.msg import ParameterDescriptor
from ros2cli.node.strategy import NodeStrategy, add_arguments
from ros2node.api import get_absolute_node_name, wait_for_node

from ros2param.api import add_node_arguments, add_timeout_argument, call_describe_parameters, get_parameter_type_string

from . import VerbExtension


class DescribeVerb(VerbExtension):
    """Show descriptive information about declared parameters."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        add = parser.add_argument
        add_node_arguments(parser)
        add('parameter_names', nargs='+', help='Names of the parameters')
        add_timeout_argument(parser)

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print type, description and constraints; return an error if the node is not on the graph."""
        name = get_absolute_node_name(args.node_name) or ''
        with NodeStrategy(args) as node:
            if not wait_for_node(node, name, args.include_hidden_nodes, args.timeout):
                return 'Node not found'
            response = call_describe_parameters(node=node, node_name=name, parameter_names=args.parameter_names)
        for descriptor in response.descriptors:
            _print_descriptor(descriptor)
        return None


def _print_descriptor(descriptor: ParameterDescriptor) -> None:
    print('Parameter name:', descriptor.name)
    print('  Type:', get_parameter_type_string(descriptor.type))
    if descriptor.description:
        print('  Description:', descriptor.description)
    print('  Constraints:')
    if descriptor.read_only:
        print('    Read only: true')
    for limits in [*descriptor.floating_point_range, *descriptor.integer_range][:1]:
        print('    Min value:', limits.from_value)
        print('    Max value:', limits.to_value)
        if limits.step:
            print('    Step:', limits.step)
    if descriptor.additional_constraints:
        print('    Additional constraints:', descriptor.additional_constraints)
