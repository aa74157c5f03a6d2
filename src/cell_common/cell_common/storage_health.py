"""Health of a node's database: after a failure the database is tried every second until it works again."""

from __future__ import annotations

from concurrent.futures import Future as ThreadFuture

from rclpy.node import Node
from sqlalchemy import Engine

from cell_common.command_store import CommandStore
from cell_common.database_worker import DatabaseWorker
from cell_common.timers import create_steady_timer

__all__ = ['StorageHealth']

PROBE_PERIOD_S = 1.0


class StorageHealth:
    """Error of the last write, "" when it succeeded; recovers without another write of the node."""

    def __init__(self, node: Node, engine: Engine, worker: DatabaseWorker) -> None:
        """Store the collaborators; the tables of cell_common must be migrated.

        Args:
            node: Its log takes failure and recovery.
            engine: The open database.
            worker: Its thread tries the database.
        """
        self._node = node
        self._store = CommandStore(engine)
        self._worker = worker
        self._probing = False
        self.error = ''
        create_steady_timer(node, PROBE_PERIOD_S, self._probe)

    def failed(self, message: str) -> None:
        """Remember that a write failed; logged once."""
        if not self.error:
            self._node.get_logger().error(message)
        self.error = message

    def succeeded(self) -> None:
        """Remember that a write succeeded."""
        if self.error:
            self._node.get_logger().info('the database works again')
        self.error = ''

    def _probe(self) -> None:
        if self.error and not self._probing:
            self._probing = True
            self._worker.submit(self._store.probe, self._on_probed)

    def _on_probed(self, probed: ThreadFuture[None]) -> None:
        self._probing = False
        if probed.exception() is None:
            self.succeeded()
