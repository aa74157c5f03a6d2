"""Logins, refused ones and logouts in the audit of the cell's commands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from cell_common.command_store import Command, CommandStore
from cell_common.database import StorageFailedError, migrate, open_database
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.request_limits import LONGEST_ID, storable

from cell_web.login.events import LoginEvent

__all__ = ['LoginAudit']

MOST_WAITING = 1000
"""Events that wait for a locked database; further ones are in the log only."""


class LoginAudit:
    """Writes events of the login into the table of commands, in a thread of its own. `add` may be called from any thread."""

    def __init__(self, database_url: str, node: str, now_ns: Callable[[], int], on_error: Callable[[str], None]) -> None:
        """Bring the tables up to date.

        Args:
            database_url: SQLAlchemy URL.
            node: Name of the node, for the audit.
            now_ns: ROS time in nanoseconds.
            on_error: Called with the reason when an event could not be stored.

        Raises:
            DatabaseError: The database cannot be used.
        """
        self._engine = open_database(database_url)
        migrate(self._engine, 'cell_common')
        self._store = CommandStore(self._engine)
        self._node, self._now_ns, self._on_error = node, now_ns, on_error
        self._thread = ThreadPoolExecutor(1, 'login audit')
        self._free = threading.Semaphore(MOST_WAITING)

    def add(self, event: LoginEvent) -> None:
        """Store an event; returns at once."""
        if not self._free.acquire(blocking=False):
            self._on_error('a login is missing in the audit: the database does not keep up')
            return
        code = ErrorCode.INVALID_ARGUMENT if event.refusal else ErrorCode.OK
        done = self._thread.submit(self._store.add, self._entry(event), int(code), event.refusal)
        done.add_done_callback(self._finished)

    def close(self) -> None:
        """Store what waits, and close the database."""
        self._thread.shutdown()
        self._engine.dispose()

    def _finished(self, done: Future[None]) -> None:
        self._free.release()
        if isinstance(error := done.exception(), StorageFailedError):
            self._on_error(f'a login is missing in the audit: {error}')
        elif error is not None:
            self._on_error(f'a login is missing in the audit: {error!r}')

    def _entry(self, event: LoginEvent) -> Command:
        now_ns = self._now_ns()
        return Command(
            node=self._node,
            command=event.name,
            request_id=new_id(),
            operator_id=storable(event.user, LONGEST_ID),
            role=event.role,
            origin=storable(event.address, LONGEST_ID),
            received_ns=now_ns,
            issued_ns=now_ns,
            expires_ns=0,
            arguments='{}',
            fingerprint='',
        )
