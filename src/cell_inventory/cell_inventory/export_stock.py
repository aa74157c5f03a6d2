"""Command `export_stock`: write the counts of the running cell as a stock file (see stock_file) to standard output.

ros2 run cell_inventory export_stock --ros-args -r __ns:=/cell > inventory.json
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

import rclpy
from cell_common.qos import latched
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import try_shutdown

from cell_interfaces.msg import Inventory
from cell_inventory.stock_file import write_stock

TIMEOUT_S = 5.0


def export(node: Node, output: TextIO, timeout_s: float = TIMEOUT_S) -> bool:
    """Write the counts of the latched inventory; return False if no inventory is received within `timeout_s`.

    Args:
        node: Its namespace selects the cell.
        output: Gets a stock file of the form "part number -> counts".
        timeout_s: Includes the discovery of the inventory node.
    """
    received: list[Inventory] = []
    node.create_subscription(Inventory, 'inventory', received.append, latched())
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    deadline = time.monotonic() + timeout_s
    while not received and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
    executor.remove_node(node)
    if not received:
        return False
    output.write(write_stock({(part.part_number, tray.tray): tray.count for part in received[0].parts for tray in part.trays}))
    return True


def main() -> None:
    """Run the command; exit code 1 if no inventory is received."""
    rclpy.init()
    node = rclpy.create_node('export_stock')
    try:
        if not export(node, sys.stdout):
            sys.exit(
                f'no inventory received on {node.resolve_topic_name("inventory")}: is the cell running? '
                'Give its namespace with --ros-args -r __ns:=/cell'
            )
    finally:
        node.destroy_node()
        try_shutdown()
