"""ros2 node."""

import pytest
from rclpy.action import ActionServer
from ros2node.api import parse_node_name
from std_msgs.msg import String
from std_srvs.srv import SetBool
from tf2_msgs.action import LookupTransform


def test_nodes_are_listed_by_full_name(graph, ros2):
    assert ros2.until('/cell/talker', 'node', 'list') == '/cell/talker\n'
    assert ros2.until('1', 'node', 'list', '-c') == '1\n'


def test_hidden_nodes_are_listed_on_request_only(graph, ros2):
    ros2.until('/cell/talker', 'node', 'list')
    assert '/_ros2cli_' in ros2('node', 'list', '-a')[1]
    assert '_ros2cli' not in ros2('node', 'list')[1]


def test_info_lists_the_interfaces_of_a_node(graph, ros2):
    graph.node.create_publisher(String, 'words', 1)
    graph.node.create_publisher(String, '_secret', 1)
    graph.node.create_client(SetBool, 'switch')
    server = ActionServer(graph.node, LookupTransform, 'look', lambda goal: None)
    out = ros2.until('/cell/look', 'node', 'info', '/cell/talker')
    server.destroy()
    head, publishers = out.split('  Publishers:\n')
    assert head == '/cell/talker\n  Subscribers:\n\n'
    assert publishers.index('    /cell/words: std_msgs/msg/String\n') < publishers.index('  Service Servers:\n')
    assert '  Service Clients:\n    /cell/switch: std_srvs/srv/SetBool\n' in out
    assert out.endswith('  Action Servers:\n    /cell/look: tf2_msgs/action/LookupTransform\n  Action Clients:\n\n')
    assert '_secret' not in out


def test_info_refuses_an_unknown_node(graph, ros2):
    assert ros2('node', 'info', '/cell/nobody')[0] == "Unable to find node '/cell/nobody'"


@pytest.mark.parametrize(
    ('name', 'parts'),
    [('talker', ('talker', '/', '/talker')), ('/cell/talker', ('talker', '/cell', '/cell/talker'))],
)
def test_a_name_has_a_namespace_and_a_base(name, parts):
    assert parse_node_name(name) == parts
