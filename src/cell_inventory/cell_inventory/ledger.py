"""The stock ledger in the database: append-only entries, with the counts as their sums."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from cell_common.catalogue import Catalogue
from cell_common.database import storage_error
from cell_common.error_code import ErrorCode
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    ForeignKey,
    Row,
    Text,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

from cell_inventory import rules
from cell_inventory.rules import BookingRejected, EntryKind, LedgerEntry, NewEntry, Stock

Rule = Callable[[Stock], list[NewEntry]]


class Base(DeclarativeBase):
    """The tables of this package; migrations/versions creates them."""


class LedgerRow(Base):
    """One entry. job_id, piece and undoes are NULL for "none", which the unique constraints ignore."""

    __tablename__ = 'stock_ledger'
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stamp_ns: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[int]
    part_number: Mapped[str]
    tray: Mapped[int]
    delta: Mapped[int]
    count_after: Mapped[int]
    job_id: Mapped[str | None]
    piece: Mapped[int | None]
    operator_id: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    undoes: Mapped[int | None] = mapped_column(ForeignKey('stock_ledger.sequence'))


class StockFileRow(Base):
    """Counts on which the ledger and a stock file agreed last; see stock_file_sync."""

    __tablename__ = 'stock_file'
    path: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[str] = mapped_column(Text)
    """JSON: [[part number, tray, pieces], ...]."""


_ROW = LedgerRow.__table__
_FILE = StockFileRow.__table__


class Ledger:
    """Appends entries and caches the counts.

    The counts are summed once, when the ledger is opened, and updated with each committed entry. This object must be the
    only writer of its tables.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        """Sum the entries of the database; its tables must be migrated.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        self.catalogue = catalogue
        self._engine = engine
        self._counts: dict[tuple[str, int], int] = {}
        self._sequence = 0
        self._reload_counts()

    @property
    def sequence(self) -> int:
        """Number of the last entry; 0 = the ledger is empty."""
        return self._sequence

    @property
    def stock(self) -> Stock:
        """The current counts."""
        return Stock(self.catalogue, self._counts)

    def load_initial(
        self, now_ns: int, operator_id: str, counts: Mapping[tuple[str, int], int] | None = None
    ) -> list[LedgerEntry]:
        """Load the trays that have no entry yet; see rules.initial_load.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        return self.post(lambda stock: rules.initial_load(stock, counts), operator_id, now_ns)

    def post(self, rule: Rule, operator_id: str, now_ns: int) -> list[LedgerEntry]:
        """Append the entries of a rule in one transaction.

        Raises:
            BookingRejected: By the rule, or STORAGE_FAILED.
        """
        return self._write(lambda _: rule(self.stock), operator_id, now_ns)

    def undo(self, sequence: int, reason: str, operator_id: str, now_ns: int) -> list[LedgerEntry]:
        """Cancel an entry; 0 = the latest manual entry that is not canceled yet.

        Raises:
            BookingRejected: See rules.undo.
        """

        def entries(connection: Connection) -> list[NewEntry]:
            number = sequence or self._latest_manual_entry(connection)
            target = self._find(connection, _ROW.c.sequence == number)
            undone = connection.scalar(select(exists().where(_ROW.c.undoes == number)))
            return rules.undo(self.stock, target, bool(undone), reason)

        return self._write(entries, operator_id, now_ns)

    def book(self, wanted: NewEntry, now_ns: int) -> list[LedgerEntry]:
        """Book a piece that the robot moved; returns an empty list when the piece is booked already.

        Raises:
            BookingRejected: See rules.book.
        """

        def entries(connection: Connection) -> list[NewEntry]:
            earlier = self._find(connection, (_ROW.c.job_id == wanted.job_id) & (_ROW.c.piece == wanted.piece))
            return rules.book(self.stock, wanted, earlier)

        return self._write(entries, wanted.operator_id, now_ns)

    def latest(self, limit: int, part_number: str = '') -> list[LedgerEntry]:
        """Return at most `limit` entries, newest first.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        query = select(_ROW).order_by(_ROW.c.sequence.desc()).limit(limit)
        if part_number:
            query = query.where(_ROW.c.part_number == part_number)
        try:
            with self._engine.connect() as connection:
                return [_entry_of(row) for row in connection.execute(query)]
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error

    def file_counts(self, path: str) -> dict[tuple[str, int], int]:
        """Return the counts on which the ledger and a stock file agreed last; none for a new file.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        try:
            with self._engine.connect() as connection:
                stored = connection.scalar(select(_FILE.c.counts).where(_FILE.c.path == path))
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error
        return {(part, tray): count for part, tray, count in json.loads(stored or '[]')}

    def save_file_counts(self, path: str, counts: Mapping[tuple[str, int], int]) -> None:
        """Store the counts on which the ledger and a stock file agree now.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        text = json.dumps([[part, tray, count] for (part, tray), count in sorted(counts.items())])
        try:
            with self._engine.begin() as connection:
                if not connection.execute(update(StockFileRow).where(_FILE.c.path == path).values(counts=text)).rowcount:
                    connection.execute(insert(StockFileRow).values(path=path, counts=text))
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error

    def _write(self, entries: Callable[[Connection], list[NewEntry]], operator_id: str, now_ns: int) -> list[LedgerEntry]:
        try:
            with self._engine.begin() as connection:
                posted = self._assign_sequence(rules.attributed_to(entries(connection), operator_id), now_ns)
                if posted:
                    connection.execute(insert(LedgerRow), [_columns(item) for item in posted])
        except SQLAlchemyError as error:
            self._reload_counts()
            raise _storage_failed(error) from error
        for item in posted:
            self._counts[item.entry.part_number, item.entry.tray] = item.count_after
            self._sequence = item.sequence
        return posted

    def _assign_sequence(self, entries: Sequence[NewEntry], now_ns: int) -> list[LedgerEntry]:
        counts = dict(self._counts)
        numbered = []
        for sequence, entry in enumerate(entries, self._sequence + 1):
            key = (entry.part_number, entry.tray)
            counts[key] = counts.get(key, 0) + entry.delta
            numbered.append(LedgerEntry(sequence, now_ns, counts[key], entry))
        return numbered

    def _reload_counts(self) -> None:
        sums = select(_ROW.c.part_number, _ROW.c.tray, func.sum(_ROW.c.delta)).group_by(_ROW.c.part_number, _ROW.c.tray)
        try:
            with self._engine.connect() as connection:
                self._counts = {(part, tray): int(count) for part, tray, count in connection.execute(sums)}
                self._sequence = int(connection.scalar(select(func.coalesce(func.max(_ROW.c.sequence), 0))) or 0)
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error

    def _latest_manual_entry(self, connection: Connection) -> int:
        later = aliased(LedgerRow)
        query = select(func.max(_ROW.c.sequence)).where(
            _ROW.c.kind.in_([int(kind) for kind in rules.MANUAL_KINDS]),
            _ROW.c.job_id.is_(None),
            ~exists().where(later.undoes == _ROW.c.sequence),
        )
        return int(connection.scalar(query) or 0)

    @staticmethod
    def _find(connection: Connection, condition: ColumnElement[bool]) -> LedgerEntry | None:
        row = connection.execute(select(_ROW).where(condition)).first()
        return _entry_of(row) if row else None


def _storage_failed(error: SQLAlchemyError) -> BookingRejected:
    return BookingRejected(ErrorCode.STORAGE_FAILED, f'nothing was booked: {storage_error(error)}')


def _columns(item: LedgerEntry) -> dict[str, int | str | None]:
    entry = item.entry
    return {
        'sequence': item.sequence,
        'stamp_ns': item.stamp_ns,
        'kind': int(entry.kind),
        'part_number': entry.part_number,
        'tray': entry.tray,
        'delta': entry.delta,
        'count_after': item.count_after,
        'job_id': entry.job_id or None,
        'piece': entry.piece or None,
        'operator_id': entry.operator_id,
        'reason': entry.reason,
        'undoes': entry.undoes or None,
    }


def _entry_of(row: Row[tuple[object, ...]]) -> LedgerEntry:
    entry = NewEntry(
        kind=EntryKind(row.kind),
        part_number=row.part_number,
        tray=row.tray,
        delta=row.delta,
        operator_id=row.operator_id,
        reason=row.reason,
        job_id=row.job_id or '',
        piece=row.piece or 0,
        undoes=row.undoes or 0,
    )
    return LedgerEntry(row.sequence, row.stamp_ns, row.count_after, entry)
