"""Pieces in the trays, as published by the inventory."""

from __future__ import annotations

from collections.abc import Mapping

from cell_common.qos import latched
from rclpy.node import Node

from cell_interfaces.msg import Inventory


class TrayStock:
    """Newest inventory; readable from any thread.

    Each message replaces the counts as a whole, and `sequence` is set last: a reader that sees a sequence also sees its
    counts.
    """

    def __init__(self, node: Node) -> None:
        """Subscribe to `inventory`."""
        self.sequence = 0
        """Number of the last known ledger entry; 0 = none yet."""
        self._counts: Mapping[tuple[str, int], int] = {}
        node.create_subscription(Inventory, 'inventory', self._update, latched())

    @property
    def counts(self) -> Mapping[tuple[str, int], int]:
        """(part number, tray) -> pieces."""
        return self._counts

    def _update(self, message: Inventory) -> None:
        self._counts = {(part.part_number, tray.tray): int(tray.count) for part in message.parts for tray in part.trays}
        self.sequence = int(message.sequence)
