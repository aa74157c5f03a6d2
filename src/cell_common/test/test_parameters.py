from dataclasses import dataclass

import pytest
from cell_common.parameters import ParameterError, declare_parameters, parameter, schema_of, unknown_parameters, validate
from cell_common.testing import NodeGraph
from rclpy.node import Node


@dataclass(frozen=True)
class Example:
    rate: float = parameter(10.0, 'Frames per second.', unit='Hz', minimum=0.1, maximum=120.0)
    retries: int = parameter(3, 'Attempts.', minimum=1)
    mode: str = parameter('line', 'Framing.', choices=['line', 'bare'])
    peers: list[str] = parameter([], 'Addresses that may connect.')


def make(graph: NodeGraph, **values):
    return graph.add(Node('example', **graph.options(**values)))


def test_defaults_hold_without_a_value_of_the_deployment(graph):
    assert declare_parameters(make(graph), Example) == Example(10.0, 3, 'line', [])


def test_the_deployment_chooses_within_the_range(graph):
    chosen = declare_parameters(make(graph, rate=25.0, mode='bare', peers=['10.0.0.2']), Example)
    assert chosen == Example(25.0, 3, 'bare', ['10.0.0.2'])


def test_a_whole_number_is_accepted_for_a_float(graph):
    assert declare_parameters(make(graph, rate=25), Example).rate == 25.0


@pytest.mark.parametrize(
    ('name', 'value', 'allowed'),
    [
        ('rate', 0.0, '0.1 to 120 Hz'),
        ('rate', float('nan'), '0.1 to 120 Hz'),
        ('retries', 0, 'at least 1'),
        ('mode', 'smoke', 'one of line, bare'),
    ],
)
def test_a_value_outside_its_range_names_parameter_value_and_range(graph, name, value, allowed):
    with pytest.raises(ParameterError, match=f'"{name}" is {value!r}; allowed: {allowed}'):
        declare_parameters(make(graph, **{name: value}), Example)


@pytest.mark.parametrize(('name', 'value'), [('retries', 'three'), ('rate', 'fast'), ('rate', True), ('mode', 3)])
def test_a_value_of_the_wrong_type_names_the_parameter(graph, name, value):
    with pytest.raises(ParameterError, match=f'"{name}" has the wrong type'):
        declare_parameters(make(graph, **{name: value}), Example)


@pytest.mark.parametrize('value', ['10.0.0.2', [1, 2]])
def test_a_list_of_another_type_is_rejected(graph, value):
    with pytest.raises(ParameterError, match='wanted: a list of str'):
        declare_parameters(make(graph, peers=value), Example)


def test_a_parameter_describes_its_description_unit_and_range(graph):
    node = make(graph)
    declare_parameters(node, Example)
    descriptor = node.describe_parameter('rate')
    assert descriptor.description == 'Frames per second. Unit: Hz.'
    assert descriptor.additional_constraints == '0.1 to 120 Hz'
    assert descriptor.read_only


def test_the_schema_can_be_read_without_a_node():
    assert list(schema_of(Example)) == ['rate', 'retries', 'mode', 'peers']


def test_each_element_of_a_list_is_checked():
    _, _, schema = schema_of(Example)['retries']
    validate('retries', [1, 2], schema)
    with pytest.raises(ParameterError):
        validate('retries', [1, 0], schema)


def test_a_parameter_that_the_node_does_not_have_is_named(graph):
    arguments = ['--ros-args', '-p', 'retires:=5', '-p', 'rate:=20.0', '-p', 'zzz:=1', '-p', 'use_sim_time:=false']
    node = graph.add(Node('example', **graph.options(), cli_args=arguments))
    assert declare_parameters(node, Example).rate == 20.0
    assert unknown_parameters(node) == [
        'parameter "retires" is unknown and has no effect. Did you mean "retries"?',
        'parameter "zzz" is unknown and has no effect. Correct it in the parameter file.',
    ]


def test_a_parameter_file_that_is_right_has_no_unknown_parameter(graph):
    node = make(graph, rate=20.0)
    declare_parameters(node, Example)
    assert unknown_parameters(node) == []
