"""Executes each command once: a request id is answered with its first answer for a day, and every command is audited.

A command is a request with a `CommandInfo`. It is stored before it is executed, and again with its answer. A request
that is sent again after a crash, a lost answer or an impatient tap changes nothing a second time. A node that ended in
between does not know whether the command was executed: it answers so, and does nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import Future as ThreadFuture
from typing import Protocol, TypeVar, cast

from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.task import Future
from sqlalchemy import Engine

from cell_common.calls import wait_for
from cell_common.command_store import Command, CommandStore, StoredCommand
from cell_common.commands import CommandInfoLike
from cell_common.database import StorageFailedError, migrate, open_database
from cell_common.database_worker import DatabaseWorker
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.latest_entries import LatestEntries
from cell_common.request_limits import LONGEST_ID, MessageLike, storable
from cell_common.time import now_ns, to_ns

__all__ = ['Answer', 'CommandLog', 'CommandMessage', 'arguments_of', 'open_command_log', 'open_own_command_log']

# An audit row must stay readable, and a client must not fill the disk with one command.
LONGEST_ARGUMENTS = 2000
MOST_ELEMENTS = 20
REMEMBERED = 1000
"""Answers in memory, for the time in which the database fails."""
PRUNE_EVERY = 1000
# A locked database must not hold a stop of the robot up.
LONGEST_WAIT_S = 2.0
INTERRUPTED = 'the node ended while it executed this request, so its outcome is unknown: look, then send a new request'
REUSED = 'this request_id belongs to another request: give each request an id of its own'
_NOT_BINDING = (ErrorCode.STORAGE_FAILED,)
"""Answers that promise that nothing was changed, and that the same request may be sent again."""


class CommandMessage(MessageLike, Protocol):
    """A request or goal with a CommandInfo."""

    command: CommandInfoLike


class Answer(Protocol):
    """A response or result."""

    code: int
    message: str


AnswerT = TypeVar('AnswerT', bound=Answer)


class CommandLog:
    """Audit trail and memory of request ids of one node."""

    def __init__(self, node: Node, engine: Engine, worker: DatabaseWorker) -> None:
        """Store the collaborators; the tables of cell_common must be migrated.

        Args:
            node: Node that receives the commands.
            engine: The open database.
            worker: Runs the work of the database, so that the node never waits for it.
        """
        self._node = node
        self._store = CommandStore(engine)
        self._worker = worker
        self._running: dict[str, tuple[str, Future]] = {}
        self._answered = LatestEntries[str, tuple[str, bytes]](REMEMBERED)
        self._received = 0

    def close(self) -> None:
        """Store what is not stored yet, and end the thread of the database."""
        self._worker.close(finish_queue=True)

    async def execute(
        self, name: str, request: CommandMessage, answer_type: type[AnswerT], run: Callable[[], Awaitable[AnswerT]]
    ) -> tuple[AnswerT, bool]:
        """Execute a command, or return the first answer to its request id.

        Args:
            name: Name of the command.
            request: The request or goal.
            answer_type: Type of the response or result.
            run: Executes the command; raises nothing.

        Returns:
            The answer, and whether the command was executed now.
        """
        entry = self._entry(name, request)
        if not request.command.request_id:
            answer = await run()
            code, message = int(answer.code), storable(answer.message)
            await self._store_in_time(lambda: self._store.add(entry, code, message))
            return answer, True
        if entry.request_id in self._running:
            return await self._wait_for_first(entry, answer_type), False
        finished: Future = Future(executor=self._node.executor)
        self._running[entry.request_id] = entry.fingerprint, finished
        try:
            first = await self._first_answer(entry, answer_type)
            if first is not None:
                return first, False
            answer = await run()
            await self._finish(entry, answer)
            return answer, True
        finally:
            del self._running[entry.request_id]
            finished.set_result(None)

    def record(self, name: str, request: CommandMessage, code: int, message: str) -> None:
        """Audit a command that has no request id of its own, or that may be repeated."""
        entry = self._entry(name, request)
        self._worker.submit(lambda: self._store.add(entry, code, storable(message)), self._log_failure)

    async def _first_answer(self, entry: Command, answer_type: type[AnswerT]) -> AnswerT | None:
        """Return the first answer to a request that was received before; None if it is to be executed."""
        remembered = self._answered.get(entry.request_id) or await self._stored_answer(entry)
        if remembered is None:
            return None
        fingerprint, answer = remembered
        if fingerprint != entry.fingerprint:
            return self._refuse(entry, answer_type, ErrorCode.INVALID_ARGUMENT, REUSED)
        try:
            if answer:
                return cast('AnswerT', deserialize_message(answer, answer_type))
        except Exception as error:  # stored by another release
            self._node.get_logger().warning(f'the first answer to {entry.command} is not understood: {error!r}')
        return self._refuse(entry, answer_type, ErrorCode.INTERNAL, INTERRUPTED)

    async def _stored_answer(self, entry: Command) -> tuple[str, bytes] | None:
        """Store a command, or return fingerprint and answer of the earlier one with its request id."""
        begun: Future = Future(executor=self._node.executor)
        self._worker.submit(lambda: self._begin(entry), begun.set_result)
        if not await wait_for(self._node, begun, LONGEST_WAIT_S):
            return None  # a locked database: a pause or an acknowledgement does not wait for it
        try:
            stored: StoredCommand | None = begun.result().result()
        except StorageFailedError as error:
            self._node.get_logger().error(f'command {entry.command} is missing in the audit trail: {error}')
            return None
        return (stored.entry.fingerprint, stored.answer) if stored else None

    def _begin(self, entry: Command) -> StoredCommand | None:
        self._received += 1
        if self._received % PRUNE_EVERY == 1:
            self._store.forget_answers(entry.received_ns)
        return self._store.begin(entry)

    async def _wait_for_first(self, entry: Command, answer_type: type[AnswerT]) -> AnswerT:
        fingerprint, finished = self._running[entry.request_id]
        if fingerprint != entry.fingerprint:
            return self._refuse(entry, answer_type, ErrorCode.INVALID_ARGUMENT, REUSED)
        await finished
        return await self._first_answer(entry, answer_type) or self._refuse(
            entry, answer_type, ErrorCode.STORAGE_FAILED, 'the first try of this request was not stored: send it again'
        )

    async def _finish(self, entry: Command, answer: AnswerT) -> None:
        code, message = int(answer.code), storable(answer.message)
        binding = code not in _NOT_BINDING
        serialized = bytes(serialize_message(answer)) if binding else b''
        if binding:
            self._answered[entry.request_id] = entry.fingerprint, serialized
        await self._store_in_time(lambda: self._store.finish(entry, code, message, serialized, binding=binding))

    async def _store_in_time(self, work: Callable[[], None]) -> None:
        """Store something before the caller gets its answer, unless the database takes too long."""
        stored: Future = Future(executor=self._node.executor)
        self._worker.submit(work, stored.set_result)
        if await wait_for(self._node, stored, LONGEST_WAIT_S):
            self._log_failure(stored.result())

    def _refuse(self, entry: Command, answer_type: type[AnswerT], code: ErrorCode, message: str) -> AnswerT:
        answer = answer_type()
        answer.code, answer.message = int(code), message
        self._add(entry, answer)
        return answer

    def _add(self, entry: Command, answer: AnswerT) -> None:
        code, message = int(answer.code), storable(answer.message)
        self._worker.submit(lambda: self._store.add(entry, code, message), self._log_failure)

    def _log_failure(self, done: ThreadFuture[None]) -> None:
        if error := done.exception():
            self._node.get_logger().error(f'a command is missing in the audit trail: {error}')

    def _entry(self, name: str, request: CommandMessage) -> Command:
        info = request.command
        issued_ns, valid_ns = to_ns(info.issued_at), to_ns(info.valid_for)
        arguments = arguments_of(request)
        return Command(
            node=self._node.get_name(),
            command=name,
            request_id=storable(info.request_id or new_id(), LONGEST_ID),
            operator_id=storable(info.operator_id, LONGEST_ID),
            role=storable(info.role, LONGEST_ID),
            origin=storable(info.origin, LONGEST_ID),
            received_ns=now_ns(self._node),
            issued_ns=issued_ns,
            expires_ns=issued_ns + valid_ns if issued_ns and valid_ns else 0,
            arguments=storable(arguments, LONGEST_ARGUMENTS),
            fingerprint=hashlib.sha256(f'{name} {arguments}'.encode('utf-8', 'replace')).hexdigest(),
        )


def open_own_command_log(node: Node, url: str) -> CommandLog | None:
    """Return the log of a node that has no other use of a database; close it with the node.

    Args:
        node: Node that receives the commands.
        url: SQLAlchemy URL; "" = none: commands are neither audited nor remembered.

    Raises:
        DatabaseError: The database cannot be used.
    """
    return open_command_log(node, open_database(url), DatabaseWorker(node)) if url else None


def open_command_log(node: Node, engine: Engine, worker: DatabaseWorker) -> CommandLog:
    """Bring the tables up to date and return the log of a node's commands.

    Args:
        node: Node that receives the commands.
        engine: The open database.
        worker: Runs the work of the database.

    Raises:
        DatabaseError: The tables cannot be made.
    """
    migrate(engine, 'cell_common')
    return CommandLog(node, engine, worker)


def arguments_of(request: MessageLike) -> str:
    """Return the fields of a request besides `command` as JSON; binary data and long lists are named by their length."""
    return json.dumps(_fields(request, frozenset({'command'})), ensure_ascii=False)


def _fields(message: MessageLike, left_out: frozenset[str] = frozenset()) -> dict[str, object]:
    names = (name for name in message.get_fields_and_field_types() if name not in left_out)
    return {name: _value(getattr(message, name)) for name in names}


def _value(value: object) -> object:
    if isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, 'get_fields_and_field_types'):
        return _fields(cast('MessageLike', value))
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        return str(value)
    if len(items) > MOST_ELEMENTS:
        return f'{len(items)} elements, sha256 {hashlib.sha256(repr(items).encode()).hexdigest()}'
    return [_value(item) for item in items]
