"""Reads the log of commands page by page, for the history."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, FromClause, Row, select

from cell_common.command_store import COMMAND_TABLE
from cell_common.history_page import HistoryFilter, Page, PageRequest, in_time, matches_text, read_page

__all__ = ['CommandItem', 'read_commands']

_ROW = COMMAND_TABLE


@dataclass(frozen=True)
class CommandItem:
    """One command: who, when, from where, what, with which result."""

    sequence: int
    node: str
    command: str
    operator_id: str
    role: str
    origin: str
    request_id: str
    arguments: str
    code: int | None
    """ResultCode; None = not answered."""
    message: str
    received_ns: int


def read_commands(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[CommandItem]:
    """Return commands by the time they were received; see `read_page` for the errors.

    Part, job and station are looked for in the arguments and the answer.
    """
    columns = [_ROW.c[name] for name in CommandItem.__dataclass_fields__]
    query = select(*columns).where(*in_time(wanted, _ROW.c.received_ns))
    texts = [text for text in (wanted.part, wanted.job, wanted.station) if text]

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        found = [matches_text(text, rows.c.arguments, rows.c.message) for text in texts]
        if wanted.text:
            names = ('arguments', 'message', 'command', 'operator_id', 'origin', 'request_id')
            found.append(matches_text(wanted.text, *(rows.c[name] for name in names)))
        return [*found, rows.c.code != 0] if wanted.faults else found

    some = texts or wanted.text or wanted.faults
    return read_page(connection, query, ('received_ns', 'sequence'), page, scanned if some else None).map(_item_of)


def _item_of(row: Row[tuple[object, ...]]) -> CommandItem:
    return CommandItem(**{name: getattr(row, name) for name in CommandItem.__dataclass_fields__})
