from __future__ import annotations

import gc

from cell_common.testing import NodeGraph, dds_thread_count
from rclpy.action.client import ActionClient

from cell_interfaces.action import TriggerRobot


def test_a_closed_graph_destroys_the_participants_of_its_action_clients(domain: int) -> None:
    gc.disable()
    try:
        NodeGraph(domain).close()
        before = dds_thread_count()
        graph = NodeGraph(domain)
        client = ActionClient(graph.node, TriggerRobot, 'do')
        assert dds_thread_count() > before
        graph.close()
        assert dds_thread_count() == before
        assert client not in list(graph.node.waitables)
    finally:
        gc.enable()
