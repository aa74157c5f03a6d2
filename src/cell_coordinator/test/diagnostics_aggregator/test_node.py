import pytest
import rclpy
from cell_common.diagnostics import Diagnostics, Health
from cell_common.runner import StartError
from cell_common.testing import wait_until
from cell_coordinator.diagnostics_aggregator.node import AggregatorNode
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

ERROR = b'\x02'
GROUPS = """
path: Cell
analyzers:
  test: {type: diagnostic_aggregator/GenericAnalyzer, path: Test, startswith: ['test_device: ']}
"""


def test_the_tree_and_the_state_of_its_root_are_published_in_the_namespace(graph, tmp_path):
    file = tmp_path / 'groups.yaml'
    file.write_text(GROUPS)
    trees = graph.collect(DiagnosticArray, 'diagnostics_agg', 10)
    tops = graph.collect(DiagnosticStatus, 'diagnostics_toplevel_state', 10)
    node = graph.add(AggregatorNode(**graph.options(analyzers_file=str(file))))
    device = rclpy.create_node('test_device', context=graph.context, namespace='cell')
    Diagnostics(device).add('arm', lambda: Health(2, 'stands', {'port': '7'}))
    graph.add(device)

    def found():
        return [status for tree in trees for status in tree.status if status.name == '/Cell/Test/test_device: arm']

    status = wait_until(found)[-1]
    assert (status.level, status.message, status.values[0].value) == (ERROR, 'stands', '7')
    wait_until(lambda: tops and tops[-1].level == ERROR)
    assert node.get_namespace() == graph.node.get_namespace()


def test_without_its_file_the_node_does_not_start(graph, tmp_path):
    with pytest.raises(StartError, match='cannot be read'):
        AggregatorNode(**graph.options(analyzers_file=str(tmp_path / 'none.yaml')))
