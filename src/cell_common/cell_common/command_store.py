"""Commands in the database: who asked for what, with the answer; each request id with its first answer, for a day.

One table serves as audit trail and as memory of request ids, so a command is in both or in neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    column,
    delete,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy import table as sql_table
from sqlalchemy.exc import SQLAlchemyError

from cell_common.database import read_only, storage_error
from cell_common.time import NS_PER_S

__all__ = ['COMMAND_TABLE', 'Command', 'CommandFilter', 'CommandStore', 'StoredCommand']

ANSWERED_FOR_NS = 24 * 3600 * NS_PER_S
KEPT_ANSWERS = 10_000
"""The newest answers are kept whatever the clock says: a clock set ahead by a day must not make commands repeatable."""


# A table without the ORM, which takes 5 MB: the robot node has no other one.
COMMAND_TABLE = Table(
    'command_log',
    MetaData(),
    Column('sequence', Integer, primary_key=True),
    *(Column(name, String, nullable=False) for name in ('node', 'command', 'request_id', 'operator_id', 'role', 'origin')),
    *(Column(name, BigInteger, nullable=False) for name in ('received_ns', 'issued_ns', 'expires_ns')),
    Column('arguments', Text, nullable=False),
    Column('code', Integer),
    Column('message', Text, nullable=False),
    Column('fingerprint', String, nullable=False),
    Column('answer_key', String),
    Column('answer', LargeBinary),
)
"""Commands with their answers; `migrations/versions` creates it."""
_EARLIER_TABLES = {'command_audit': 'coordinator', 'weigh_command': 'weigh_station'}
"""Audits of releases before the common log, and the node of each."""
_EARLIER_COLUMNS = ('received_ns', 'command', 'request_id', 'operator_id', 'issued_ns', 'arguments', 'code', 'message')


@dataclass(frozen=True)
class Command:
    """One command as it was received."""

    node: str
    """Node that received it."""
    command: str
    """Name of the service or action, relative to the cell's namespace; "/cancel" is added for a canceled action."""
    request_id: str
    operator_id: str
    role: str
    origin: str
    received_ns: int
    """ROS time in nanoseconds."""
    issued_ns: int
    """When the sender gave the command, ROS time in nanoseconds; 0 = not stated."""
    expires_ns: int
    """Until when it could be executed, ROS time in nanoseconds; 0 = without end."""
    arguments: str
    """The other fields of the request, as JSON; cut when long."""
    fingerprint: str
    """Hash of the other fields: the same request sent again has the same."""


@dataclass(frozen=True)
class StoredCommand:
    """A command with its answer."""

    sequence: int
    """Order in which the cell received its commands; 0 = of the audit of an earlier release."""
    entry: Command
    code: int | None
    """ResultCode; None = not answered: it is still executed, or its node ended."""
    message: str
    answer: bytes = b''
    """The serialized response; b"" = not kept any more."""


@dataclass(frozen=True)
class CommandFilter:
    """Which commands to read; "" and 0 = all."""

    operator_id: str = ''
    command: str = ''
    """Begin of the command's name, e.g. "inventory/"."""
    text: str = ''
    """Part of the arguments or of the message."""
    since_ns: int = 0
    until_ns: int = 0
    only_refused: bool = False
    limit: int = 1000


class CommandStore:
    """Stores commands; used in one thread."""

    def __init__(self, engine: Engine) -> None:
        """Store the engine of an open database; its tables must be migrated."""
        self._engine = engine

    def begin(self, entry: Command) -> StoredCommand | None:
        """Store a command before it is executed, or return the earlier one with this node and request id.

        Raises:
            StorageFailedError: The database failed; nothing was stored.
        """
        key = _key(entry)
        try:
            with self._engine.begin() as connection:
                earlier = connection.execute(select(COMMAND_TABLE).where(COMMAND_TABLE.c.answer_key == key)).first()
                if earlier is None:
                    connection.execute(insert(COMMAND_TABLE).values(**vars(entry), message='', answer_key=key))
        except SQLAlchemyError as error:
            raise storage_error(error) from error
        return _stored(earlier) if earlier else None

    def finish(self, entry: Command, code: int, message: str, answer: bytes, *, binding: bool = True) -> None:
        """Store the answer to a command that was begun.

        Args:
            entry: The command.
            code: ResultCode.
            message: Message of the response.
            answer: The serialized response.
            binding: False frees the request id: nothing was changed, and the same request may be tried again.

        Raises:
            StorageFailedError: The database failed; nothing was stored.
        """
        values: dict[str, object] = {'code': code, 'message': message, 'answer': answer if binding else None}
        if not binding:
            values['answer_key'] = None
        try:
            with self._engine.begin() as connection:
                begun = update(COMMAND_TABLE).where(COMMAND_TABLE.c.answer_key == _key(entry))
                if not connection.execute(begun.values(values)).rowcount:  # the database failed at the begin
                    connection.execute(insert(COMMAND_TABLE).values({**vars(entry), 'answer_key': _key(entry), **values}))
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def add(self, entry: Command, code: int, message: str) -> None:
        """Store a command whose request id is not remembered, with its answer.

        Raises:
            StorageFailedError: The database failed; nothing was stored.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(COMMAND_TABLE).values(**vars(entry), code=code, message=message))
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def forget_answers(self, now_ns: int) -> None:
        """Free the request ids that are older than a day; the commands stay.

        Raises:
            StorageFailedError: The database failed.
        """
        try:
            with self._engine.begin() as connection:
                newest = (
                    select(COMMAND_TABLE.c.sequence).order_by(COMMAND_TABLE.c.sequence.desc()).offset(KEPT_ANSWERS).limit(1)
                )
                last = connection.scalar(newest)
                if last is not None:
                    old = (COMMAND_TABLE.c.sequence <= last) & (COMMAND_TABLE.c.received_ns < now_ns - ANSWERED_FOR_NS)
                    forget = update(COMMAND_TABLE).where(old & COMMAND_TABLE.c.answer_key.is_not(None))
                    connection.execute(forget.values(answer_key=None, answer=None))
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def probe(self) -> None:
        """Write and take back a row: the database works again if this returns.

        Raises:
            StorageFailedError: The database failed.
        """
        entry = Command('', '', '', '', '', '', 0, 0, 0, '', '')
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(COMMAND_TABLE).values(**vars(entry), message=''))
                connection.execute(delete(COMMAND_TABLE).where((COMMAND_TABLE.c.node == '') & (COMMAND_TABLE.c.command == '')))
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def read(self, wanted: CommandFilter) -> Sequence[StoredCommand]:
        """Return the newest matching commands, newest first; the audits of earlier releases follow.

        Raises:
            StorageFailedError: The database failed.
        """
        query = select(COMMAND_TABLE).order_by(COMMAND_TABLE.c.sequence.desc()).limit(wanted.limit)
        for condition in _conditions(wanted):
            query = query.where(condition)
        try:
            with read_only(self._engine).connect() as connection:
                found = [replace(_stored(row), answer=b'') for row in connection.execute(query)]
                return found + _earlier_audits(connection, wanted)[: wanted.limit - len(found)]
        except SQLAlchemyError as error:
            raise storage_error(error) from error


def _earlier_audits(connection: Connection, wanted: CommandFilter) -> list[StoredCommand]:
    """Return matching commands of the former tables of coordinator and weigh station, newest first by their times."""
    found = []
    for table, node in _EARLIER_TABLES.items():
        if not inspect(connection).has_table(table):
            continue
        source = sql_table(table, *(column(name) for name in _EARLIER_COLUMNS))
        query = select(source).order_by(source.c.received_ns.desc()).limit(wanted.limit)
        for condition in _conditions(wanted, source):
            query = query.where(condition)
        for row in connection.execute(query):
            known = {name: getattr(row, name) for name in _EARLIER_COLUMNS if name not in ('code', 'message')}
            entry = Command(node=node, role='', origin='', expires_ns=0, fingerprint='', **known)
            found.append(StoredCommand(0, entry, row.code, row.message))
    return sorted(found, key=lambda item: item.entry.received_ns, reverse=True)


def _conditions(wanted: CommandFilter, row: FromClause = COMMAND_TABLE) -> Iterator[ColumnElement[bool]]:
    if wanted.operator_id:
        yield row.c.operator_id == wanted.operator_id
    if wanted.command:
        yield row.c.command.startswith(wanted.command, autoescape=True)
    if wanted.text:
        yield row.c.arguments.contains(wanted.text, autoescape=True) | row.c.message.contains(wanted.text, autoescape=True)
    if wanted.since_ns:
        yield row.c.received_ns >= wanted.since_ns
    if wanted.until_ns:
        yield row.c.received_ns < wanted.until_ns
    if wanted.only_refused:
        yield row.c.code != 0


def _key(entry: Command) -> str:
    return f'{entry.node}/{entry.request_id}'


def _stored(row: Row[tuple[object, ...]]) -> StoredCommand:
    entry = Command(**{name: getattr(row, name) for name in Command.__dataclass_fields__})
    return StoredCommand(row.sequence, entry, row.code, row.message, row.answer or b'')
