"""Pieces in the trays, as the ledger publishes them."""

from __future__ import annotations

from collections.abc import Mapping

from cell_common.qos import latched
from rclpy.node import Node

from cell_interfaces.msg import Inventory


class TrayStock:
    """Keeps the newest inventory; may be asked from any thread."""

    def __init__(self, node: Node) -> None:
        """Subscribe to `inventory`."""
        self.sequence = 0
        """Number of the last ledger entry known; 0 = none yet."""
        self._counts: Mapping[tuple[str, int], int] = {}
        node.create_subscription(Inventory, 'inventory', self._take, latched())

    @property
    def counts(self) -> Mapping[tuple[str, int], int]:
        """(part number, tray) -> pieces."""
        return self._counts

    def _take(self, message: Inventory) -> None:
        self._counts = {(part.part_number, tray.tray): int(tray.count) for part in message.parts for tray in part.trays}
        self.sequence = int(message.sequence)
