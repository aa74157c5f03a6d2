"""Verb `ros2 param get`."""

from __future__ import annotations

import argparse

from rcl_interfaces.msg import ParameterType
from ros2cli.node.strategy import NodeStrategy, add_arguments
from ros2node.api import get_absolute_node_name, wait_for_node

from ros2param.api import add_node_arguments, add_timeout_argument, call_get_parameters

from . import VerbExtension

# Label and field of rcl_interfaces/msg/ParameterValue by type.
VALUES = {
    ParameterType.PARAMETER_BOOL: ('Boolean value is:', 'bool_value'),
    ParameterType.PARAMETER_INTEGER: ('Integer value is:', 'integer_value'),
    ParameterType.PARAMETER_DOUBLE: ('Double value is:', 'double_value'),
    ParameterType.PARAMETER_STRING: ('String value is:', 'string_value'),
    ParameterType.PARAMETER_BYTE_ARRAY: ('Byte values are:', 'byte_array_value'),
    ParameterType.PARAMETER_BOOL_ARRAY: ('Boolean values are:', 'bool_array_value'),
    ParameterType.PARAMETER_INTEGER_ARRAY: ('Integer values are:', 'integer_array_value'),
    ParameterType.PARAMETER_DOUBLE_ARRAY: ('Double values are:', 'double_array_value'),
    ParameterType.PARAMETER_STRING_ARRAY: ('String values are:', 'string_array_value'),
}
NUMBER_ARRAYS = {ParameterType.PARAMETER_INTEGER_ARRAY, ParameterType.PARAMETER_DOUBLE_ARRAY}


class GetVerb(VerbExtension):
    """Get parameter."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add_arguments(parser)
        add = parser.add_argument
        add_node_arguments(parser)
        add('parameter_name', help='Name of the parameter')
        add('--hide-type', action='store_true', help='Hide the type information')
        add_timeout_argument(parser)

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print the value; return an error if node or parameter do not exist."""
        name = get_absolute_node_name(args.node_name) or ''
        with NodeStrategy(args) as node:
            if not wait_for_node(node, name, args.include_hidden_nodes, args.timeout):
                return 'Node not found'
            response = call_get_parameters(node=node, node_name=name, parameter_names=[args.parameter_name])
        if not response.values:
            return 'Parameter not set'
        value = response.values[0]
        if value.type == ParameterType.PARAMETER_NOT_SET:
            print(None if args.hide_type else 'Parameter not set.')
            return None
        if value.type not in VALUES:
            return f"Unknown parameter type '{value.type}'"
        label, field = VALUES[value.type]
        content = getattr(value, field)
        content = content.tolist() if value.type in NUMBER_ARRAYS else content
        print(*([] if args.hide_type else [label]), content)
        return None
