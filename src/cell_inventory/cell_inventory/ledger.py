"""The stock ledger in the database: append-only entries, with the counts as their sums.

`rules` decides which entries to append; this module gives them numbers and stores them. A row is never updated or deleted.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from cell_common.catalogue import Catalogue
from cell_common.database import read_only, storage_error
from cell_common.error_code import ErrorCode
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    ForeignKey,
    Row,
    Table,
    Text,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_inventory import rules
from cell_inventory.rules import BookingRejected, EntryKind, LedgerEntry, NewEntry, Stock

Rule = Callable[[Stock], list[NewEntry]]


class Base(DeclarativeBase):
    """The tables of this package; migrations/versions creates them."""


class LedgerRow(Base):
    """One entry. job_id, piece and undoes are NULL for "none", which the unique constraints ignore.

    The constraints are the last defense of two rules: a piece (job_id, piece) is booked once, and an entry is undone once.
    """

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
    request_id: Mapped[str | None]
    evidence: Mapped[str | None] = mapped_column(Text)


class StockFileRow(Base):
    """Counts on which the ledger and a stock file agreed last; see stock_file_sync."""

    __tablename__ = 'stock_file'
    path: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[str] = mapped_column(Text)
    """JSON: [[part number, tray, pieces], ...]."""


IN_MEMORY = 200
"""Newest entries that are read without the database: a page shows 50 of them at each start."""
_ROW = LedgerRow.__table__
_TABLE = cast('Table', _ROW)
_FILE = StockFileRow.__table__
_INSERT = insert(_TABLE)  # of the table: an insert of the mapped class costs twice as much
# The words of the partial index `stock_ledger_manual`: a database uses it for the same words only. SQLite needs its name: it
# prefers the unique index of the jobs, and then sorts all entries without a job.
_LATEST_MANUAL = (
    'SELECT entry.sequence FROM stock_ledger AS entry {index} WHERE entry.job_id IS NULL AND entry.kind IN (3, 4, 5, 7) '
    'AND NOT EXISTS (SELECT 1 FROM stock_ledger AS later WHERE later.undoes = entry.sequence) '
    'ORDER BY entry.sequence DESC LIMIT 1'
)


@dataclass(frozen=True)
class UndoCommand:
    """Who undoes an entry, and what they may undo."""

    operator_id: str
    reason: str = ''
    request_id: str = ''
    oldest_ns: int = 0
    """Earliest stamp of an entry that may be undone, ROS time in nanoseconds; 0 = any."""


class Ledger:
    """Appends entries and caches the counts.

    The counts are summed once, when the ledger is opened, and updated with each committed entry. This object must be the only
    writer of its tables. Writers of several threads wait for each other; reading waits for nobody.

    Attributes:
        catalogue: Parts that may be booked; the ledger may also hold parts that have left it.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        """Sum the entries of the database; its tables must be migrated.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        self.catalogue = catalogue
        self._engine = engine
        self._writing = threading.Lock()
        self._state: tuple[int, dict[tuple[str, int], int]] = (0, {})
        self._newest: tuple[LedgerEntry, ...] = ()  # replaced as a whole: read by other threads
        self._reload_counts()
        self._newest = tuple(reversed(self.latest(IN_MEMORY)))

    @property
    def sequence(self) -> int:
        """Number of the last entry; 0 = the ledger is empty."""
        return self._state[0]

    @property
    def stock(self) -> Stock:
        """The current counts."""
        return self.snapshot()[1]

    def snapshot(self) -> tuple[int, Stock]:
        """Return the number of the last entry with the counts after it; neither changes afterwards."""
        sequence, counts = self._state
        return sequence, Stock(self.catalogue, counts)

    def load_initial(
        self, now_ns: int, operator_id: str, counts: Mapping[tuple[str, int], int] | None = None
    ) -> list[LedgerEntry]:
        """Load the trays that have no entry yet; see rules.initial_load.

        Args:
            now_ns: Stamp of the entries, ROS time.
            operator_id: Name of the node: no operator has commanded it.
            counts: Initial counts that replace the catalogue's.

        Returns:
            The entries; empty after the first start with this catalogue.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        return self.post(lambda stock: rules.initial_load(stock, counts), operator_id, now_ns)

    def post(self, rule: Rule, operator_id: str, now_ns: int, request_id: str = '') -> list[LedgerEntry]:
        """Append the entries of a rule in one transaction.

        Args:
            rule: Gets the current stock and returns the entries, e.g. `rules.adjust` with its other arguments bound.
            operator_id: Stored with each entry.
            now_ns: Stamp of the entries, ROS time.
            request_id: Command that asks for them; "" = none.

        Returns:
            The stored entries with their numbers; all of the rule's, or none.

        Raises:
            BookingRejected: By the rule, or STORAGE_FAILED.
        """
        return self._write(lambda _: rules.attributed_to(rule(self.stock), operator_id, request_id), now_ns)

    def undo(self, sequence: int, command: UndoCommand, now_ns: int) -> list[LedgerEntry]:
        """Cancel an entry; 0 = the latest manual entry that is not canceled yet.

        Args:
            sequence: Number of the entry.
            command: Who asks, and why.
            now_ns: Stamp of the new entry, ROS time.

        Raises:
            BookingRejected: See rules.undo.
        """

        def entries(connection: Connection) -> list[NewEntry]:
            number = sequence or self._latest_manual_entry(connection)
            target = self._find(connection, _ROW.c.sequence == number)
            undone = connection.scalar(select(exists().where(_ROW.c.undoes == number)))
            undoing = rules.undo(self.stock, target, bool(undone), command.reason, command.oldest_ns)
            return rules.attributed_to(undoing, command.operator_id, command.request_id)

        return self._write(entries, now_ns)

    def book(self, wanted: NewEntry, now_ns: int) -> list[LedgerEntry]:
        """Book a piece that the robot moved; returns an empty list when the piece is booked already.

        The coordinator repeats a call whose response it did not get. The key (job_id, piece) makes that harmless: the table
        takes it once. So an earlier entry is looked up only after the table has refused the new one, which is rare.

        Args:
            wanted: The PLACE or REJECT entry.
            now_ns: Stamp of the entry, ROS time.

        Raises:
            BookingRejected: See rules.book.
        """
        try:
            return self._write(lambda _: _attributed(rules.book(self.stock, wanted, None), wanted), now_ns, unless_booked=True)
        except IntegrityError:
            return self._write(lambda connection: self._book_again(connection, wanted), now_ns)

    def _book_again(self, connection: Connection, wanted: NewEntry) -> list[NewEntry]:
        earlier = self._find(connection, (_ROW.c.job_id == wanted.job_id) & (_ROW.c.piece == wanted.piece))
        return _attributed(rules.book(self.stock, wanted, earlier), wanted)

    def latest(self, limit: int, part_number: str = '') -> list[LedgerEntry]:
        """Return at most `limit` entries, newest first.

        Args:
            limit: 1 or more.
            part_number: "" = entries of all parts.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        newest = self._newest
        if not part_number and limit <= len(newest):
            return list(reversed(newest[-limit:]))
        query = select(_ROW).order_by(_ROW.c.sequence.desc()).limit(limit)
        if part_number:
            query = query.where(_ROW.c.part_number == part_number)
        try:
            with read_only(self._engine).connect() as connection:
                return [_entry_of(row) for row in connection.execute(query)]
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error

    def file_counts(self, path: str) -> dict[tuple[str, int], int]:
        """Return the counts on which the ledger and a stock file agreed last; none for a new file.

        Args:
            path: The resolved path, which identifies the file.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        try:
            with read_only(self._engine).connect() as connection:
                stored = connection.scalar(select(_FILE.c.counts).where(_FILE.c.path == path))
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error
        return {(part, tray): count for part, tray, count in json.loads(stored or '[]')}

    def save_file_counts(self, path: str, counts: Mapping[tuple[str, int], int]) -> None:
        """Store the counts on which the ledger and a stock file agree now.

        Args:
            path: Absolute path of the file; each file has its own counts.
            counts: (part number, tray) -> pieces.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        # Lists, because a JSON object has texts as keys only.
        agreed = json.dumps([[part, tray, count] for (part, tray), count in sorted(counts.items())])
        try:
            with self._engine.begin() as connection:
                if not connection.execute(update(StockFileRow).where(_FILE.c.path == path).values(counts=agreed)).rowcount:
                    connection.execute(insert(StockFileRow).values(path=path, counts=agreed))
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error

    def _write(
        self, entries: Callable[[Connection], list[NewEntry]], now_ns: int, *, unless_booked: bool = False
    ) -> list[LedgerEntry]:
        """Store the entries that a function returns, in one transaction, and update the cached counts after its commit.

        Raises:
            BookingRejected: By the function, or STORAGE_FAILED; nothing was stored.
            IntegrityError: With `unless_booked`: the table holds an entry with the same key; nothing was stored.
        """
        with self._writing:
            try:
                with self._engine.begin() as connection:
                    posted = self._assign_sequence(entries(connection), now_ns)
                    if posted:
                        connection.execute(_INSERT, [_columns(item) for item in posted])
            except IntegrityError as error:
                self._reload_counts()
                if unless_booked:
                    raise
                raise _storage_failed(error) from error
            except SQLAlchemyError as error:
                # A commit may fail after the database has executed it. The table is right, the cache may not be.
                self._reload_counts()
                raise _storage_failed(error) from error
            if posted:
                counts = dict(self._state[1])
                counts.update({(item.entry.part_number, item.entry.tray): item.count_after for item in posted})
                self._state = posted[-1].sequence, counts
                self._newest = (*self._newest, *posted)[-IN_MEMORY:]
        return posted

    def _assign_sequence(self, entries: Sequence[NewEntry], now_ns: int) -> list[LedgerEntry]:
        """Return the entries with number, stamp and the count after each; several entries may be about one tray."""
        # A copy: the cache changes after the commit only.
        counts = dict(self._state[1])
        numbered = []
        for sequence, entry in enumerate(entries, self._state[0] + 1):
            key = (entry.part_number, entry.tray)
            counts[key] = counts.get(key, 0) + entry.delta
            numbered.append(LedgerEntry(sequence, now_ns, counts[key], entry))
        return numbered

    def _reload_counts(self) -> None:
        sums = select(_ROW.c.part_number, _ROW.c.tray, func.sum(_ROW.c.delta)).group_by(_ROW.c.part_number, _ROW.c.tray)
        try:
            with read_only(self._engine).connect() as connection:
                counts = {(part, tray): int(count) for part, tray, count in connection.execute(sums)}
                # Numbers come from this process, not from the database, so they have no gaps after a rollback.
                sequence = int(connection.scalar(select(func.coalesce(func.max(_ROW.c.sequence), 0))) or 0)
        except SQLAlchemyError as error:
            raise _storage_failed(error) from error
        self._state = sequence, counts
        self._newest = ()  # read from the table until enough entries have followed

    def _latest_manual_entry(self, connection: Connection) -> int:
        """Return the number of the latest manual entry without an undo, 0 if there is none.

        Entries of a job are excluded: the correction that `rules.book` adds describes what the robot did.
        """
        index = 'INDEXED BY stock_ledger_manual' if connection.dialect.name == 'sqlite' else ''
        return int(connection.scalar(text(_LATEST_MANUAL.format(index=index))) or 0)

    @staticmethod
    def _find(connection: Connection, condition: ColumnElement[bool]) -> LedgerEntry | None:
        row = connection.execute(select(_ROW).where(condition)).first()
        return _entry_of(row) if row else None


def _storage_failed(error: SQLAlchemyError) -> BookingRejected:
    """Return a database error as the rejection of the booking."""
    return BookingRejected(ErrorCode.STORAGE_FAILED, f'nothing was booked: {storage_error(error)}')


def _attributed(entries: list[NewEntry], wanted: NewEntry) -> list[NewEntry]:
    return rules.attributed_to(entries, wanted.operator_id)


def _columns(item: LedgerEntry) -> dict[str, int | str | None]:
    """Return the columns of an entry; "" and 0 become NULL where the entry has no such value."""
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
        'request_id': entry.request_id or None,
        'evidence': entry.evidence or None,
    }


def _entry_of(row: Row[tuple[object, ...]]) -> LedgerEntry:
    """Return the entry of a row; the inverse of `_columns`."""
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
        request_id=row.request_id or '',
        evidence=row.evidence or '',
    )
    return LedgerEntry(row.sequence, row.stamp_ns, row.count_after, entry)
