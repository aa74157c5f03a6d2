"""ros2 param."""

import pytest
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor

RATE = ParameterDescriptor(
    description='Messages per second.',
    floating_point_range=[FloatingPointRange(from_value=0.0, to_value=10.0, step=0.5)],
    additional_constraints='not 5',
)


@pytest.fixture
def talker(graph):
    """A node with one parameter of every type."""
    graph.node.declare_parameter('rate', 2.5, RATE)
    graph.node.declare_parameter('count', 3, ParameterDescriptor(read_only=True))
    for name, value in (
        ('name', 'x'),
        ('on', True),
        ('flags', [True, False]),
        ('counts', [1, 2]),
        ('rates', [1.0, 2.5]),
        ('names', ['a']),
        ('raw', [b'\x01']),
    ):
        graph.node.declare_parameter(name, value)
    graph.node.declare_parameter('unset', None, ParameterDescriptor(dynamic_typing=True))
    return graph.node


def test_parameters_are_listed(talker, ros2):
    ros2.until('/cell/talker', 'node', 'list')
    assert '  rate\n  rates\n' in ros2.until('rate', 'param', 'list', '/cell/talker')
    assert '/cell/talker:\n  count\n' in ros2.until('rate', 'param', 'list')
    assert ros2.until('rate', 'param', 'list', 'cell/talker', '--filter', 'rate', '--param-type') == (
        '  rate (type: double)\n  rates (type: double array)\n'
    )


@pytest.mark.parametrize(
    ('name', 'printed'),
    [
        ('rate', 'Double value is: 2.5'),
        ('count', 'Integer value is: 3'),
        ('name', 'String value is: x'),
        ('on', 'Boolean value is: True'),
        ('flags', 'Boolean values are: [True, False]'),
        ('counts', 'Integer values are: [1, 2]'),
        ('rates', 'Double values are: [1.0, 2.5]'),
        ('names', "String values are: ['a']"),
        ('raw', "Byte values are: [b'\\x01']"),
        ('unset', 'Parameter not set.'),
    ],
)
def test_a_value_is_printed_with_its_type(talker, ros2, name, printed):
    assert ros2('param', 'get', '--timeout', '20', '/cell/talker', name) == (None, printed + '\n')


def test_a_value_is_printed_without_its_type_on_request(talker, ros2):
    assert ros2('param', 'get', '--timeout', '20', '--hide-type', '/cell/talker', 'counts') == (None, '[1, 2]\n')


def test_get_refuses_an_unknown_parameter(talker, ros2):
    assert ros2('param', 'get', '--timeout', '20', '/cell/talker', 'nothing')[0] == 'Parameter not set'


def test_a_parameter_is_described_with_its_constraints(talker, ros2):
    _, out = ros2('param', 'describe', '--timeout', '20', '/cell/talker', 'rate', 'count')
    assert out == (
        'Parameter name: rate\n  Type: double\n  Description: Messages per second.\n  Constraints:\n'
        '    Min value: 0.0\n    Max value: 10.0\n    Step: 0.5\n    Additional constraints: not 5\n'
        'Parameter name: count\n  Type: integer\n  Constraints:\n    Read only: true\n'
    )


@pytest.mark.parametrize('argv', [['list', '/cell/x'], ['get', '/cell/x', 'rate'], ['describe', '/cell/x', 'rate']])
def test_an_unknown_node_is_refused(graph, ros2, argv):
    assert ros2('param', *argv)[0] == 'Node not found'
