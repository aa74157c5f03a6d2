"""Node `diagnostics_aggregator`: publishes the reports of all nodes of the cell as one tree, once a second.

`diagnostics_agg` and `diagnostics_toplevel_state` are relative to the cell's namespace, so that two cells on one network do not
overwrite each other's tree; tools that read the absolute name are remapped (`rqt:=true` of cell.launch.py does it).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.runner import StartError, node_main
from cell_common.timers import create_steady_timer
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from cell_coordinator.diagnostics_aggregator.analyzers import STALE, AggregatedStatus, Aggregator, StatusReport
from cell_coordinator.diagnostics_aggregator.analyzers_file import AnalyzersError, read_analyzers

__all__ = ['AggregatorNode', 'AggregatorParameters', 'main']

PERIOD_S = 1.0


@dataclass(frozen=True)
class AggregatorParameters:
    """Parameters of node `diagnostics_aggregator`."""

    analyzers_file: str = parameter(
        'config/diagnostics.yaml', 'Groups of the tree, in the form of diagnostic_aggregator; names relative to the namespace.'
    )


class AggregatorNode(Node):
    """Publishes diagnostics_agg (DiagnosticArray) and diagnostics_toplevel_state (DiagnosticStatus)."""

    def __init__(self, **options: Any) -> None:
        """Read the groups and subscribe to /diagnostics.

        Args:
            options: Arguments of rclpy's Node.

        Raises:
            StartError: The file of the groups cannot be used.
        """
        super().__init__('diagnostics_aggregator', **options)
        settings = declare_parameters(self, AggregatorParameters)
        try:
            top, analyzers = read_analyzers(settings.analyzers_file)
        except AnalyzersError as error:
            raise StartError(str(error)) from error
        self._aggregator = Aggregator(self.get_namespace(), top, analyzers)
        self._groups = len(analyzers)
        self._tree = self.create_publisher(DiagnosticArray, 'diagnostics_agg', 10)
        self._top = self.create_publisher(DiagnosticStatus, 'diagnostics_toplevel_state', 10)
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 100)
        Diagnostics(self).add('tree', lambda: Health(0, '', {'groups': str(self._groups)}))
        create_steady_timer(self, PERIOD_S, self.publish)

    def publish(self) -> None:
        """Publish the tree and the state of its root now."""
        tree = [_to_status(status) for status in self._aggregator.tree(time.monotonic_ns())]
        message = DiagnosticArray(status=tree)
        message.header.stamp = self.get_clock().now().to_msg()
        self._tree.publish(message)
        root = tree[0]
        self._top.publish(DiagnosticStatus(level=root.level, name='toplevel_state', message=root.message))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now_ns = time.monotonic_ns()
        for status in message.status:
            values = tuple((item.key, item.value) for item in status.values)
            level = min(status.level[0], STALE)
            self._aggregator.update(StatusReport(status.name, level, status.message, status.hardware_id, values), now_ns)


def _to_status(status: AggregatedStatus) -> DiagnosticStatus:
    """Return a status as a message; `level` is a byte."""
    return DiagnosticStatus(
        level=bytes([status.level]),
        name=status.path,
        message=status.message,
        hardware_id=status.hardware_id,
        values=[KeyValue(key=key, value=value) for key, value in status.values],
    )


main = node_main(AggregatorNode)
