"""Reads the entries of the stock ledger page by page, for the history. Read-only."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.history_page import HistoryFilter, Page, PageRequest, in_time, matches_text, read_page
from sqlalchemy import ColumnElement, Connection, FromClause, Row, select

from cell_inventory.ledger import LedgerRow
from cell_inventory.rules import EntryKind

__all__ = ['StockItem', 'read_bookings', 'read_stock']

_ROW = LedgerRow.__table__


@dataclass(frozen=True)
class StockItem:
    """One entry of the ledger."""

    sequence: int
    kind: str
    """Name of an EntryKind, e.g. PLACE or RELOAD."""
    part_number: str
    tray: int
    delta: int
    count_after: int
    job_id: str
    piece: int
    """0 = of no piece."""
    operator_id: str
    reason: str
    undoes: int
    """Number of the entry that this one cancels; 0 = none."""
    evidence: str
    stamp_ns: int


def read_stock(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[StockItem]:
    """Return entries by their time; see `read_page` for the errors. Faults are the rejected pieces."""
    query = select(_ROW).where(*in_time(wanted, _ROW.c.stamp_ns))
    if wanted.part:
        query = query.where(_ROW.c.part_number == wanted.part)
    if wanted.job:
        query = query.where(_ROW.c.job_id == wanted.job)

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        names = ('reason', 'operator_id', 'part_number', 'evidence', 'job_id')
        found = [matches_text(wanted.text, *(rows.c[name] for name in names))] if wanted.text else []
        return [*found, rows.c.kind == int(EntryKind.REJECT)] if wanted.faults else found

    keys = ('stamp_ns', 'sequence')
    return read_page(connection, query, keys, page, scanned if wanted.text or wanted.faults else None).map(_item_of)


def read_bookings(connection: Connection, job_id: str, piece: int) -> list[StockItem]:
    """Return the entries about one piece of a pick job, in their order."""
    query = select(_ROW).where((_ROW.c.job_id == job_id) & (_ROW.c.piece == piece)).order_by(_ROW.c.sequence)
    return [_item_of(row) for row in connection.execute(query)]


def _item_of(row: Row[tuple[object, ...]]) -> StockItem:
    values = {name: getattr(row, name) for name in StockItem.__dataclass_fields__}
    for name in ('job_id', 'evidence'):
        values[name] = values[name] or ''
    kind = EntryKind(row.kind).name
    return StockItem(**{**values, 'kind': kind, 'piece': row.piece or 0, 'undoes': row.undoes or 0})
