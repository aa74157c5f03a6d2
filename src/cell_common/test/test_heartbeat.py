from __future__ import annotations

from cell_common.diagnostics import Diagnostics
from cell_common.testing import NodeGraph, wait_until
from rclpy.node import Node
from std_msgs.msg import String


def test_a_node_with_diagnostics_publishes_its_name_several_times_a_second(graph: NodeGraph) -> None:
    beats = graph.collect(String, 'heartbeat', 10)
    node = graph.add(Node('inventory', **graph.options()))
    Diagnostics(node)
    wait_until(lambda: len(beats) >= 4, 3)
    assert {beat.data for beat in beats} == {'inventory'}


def test_a_removed_node_has_no_heartbeat(graph: NodeGraph) -> None:
    beats = graph.collect(String, 'heartbeat', 10)
    first, second = (graph.add(Node(name, **graph.options())) for name in ('first', 'second'))
    Diagnostics(first)
    Diagnostics(second)
    wait_until(lambda: {beat.data for beat in beats} == {'first', 'second'})
    graph.remove(first)
    beats.clear()
    wait_until(lambda: len(beats) >= 4)
    assert {beat.data for beat in beats} == {'second'}
