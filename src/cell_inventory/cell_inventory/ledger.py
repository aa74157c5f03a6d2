"""The stock ledger in the database: append-only entries, counts as sums over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cell_common.catalogue import Catalogue
from sqlalchemy import BigInteger, Connection, Engine, ForeignKey, Row, Text, exists, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

from cell_interfaces.msg import ResultCode
from cell_inventory import rules
from cell_inventory.rules import Booked, Entry, Kind, Refused, Stock

Rule = Callable[[Stock], list[Entry]]


class Base(DeclarativeBase):
    """The tables of this package; migrations/versions makes them."""


class LedgerRow(Base):
    """One entry. NULL in job_id, piece and undoes means "none", so that the unique constraints leave such rows alone."""

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


_ROW = LedgerRow.__table__


class Ledger:
    """Books entries and knows the counts.

    The counts are summed up once when the ledger is opened and carried forward with each committed entry: this object is the
    only writer of its tables.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        """Sum up what the database holds; its tables must be migrated.

        Raises:
            Refused: STORAGE_FAILED.
        """
        self.catalogue = catalogue
        self._engine = engine
        self._counts: dict[tuple[str, int], int] = {}
        self.sequence = 0
        """Number of the last entry."""
        self._refresh()

    @property
    def stock(self) -> Stock:
        """The stock as it stands."""
        return Stock(self.catalogue, self._counts)

    def load(self, now_ns: int, operator_id: str, counts: Mapping[tuple[str, int], int] | None = None) -> list[Booked]:
        """Book the first stock of trays that the ledger has not seen; see rules.first_load."""
        return self.apply(lambda stock: rules.first_load(stock, counts), operator_id, now_ns)

    def apply(self, rule: Rule, operator_id: str, now_ns: int) -> list[Booked]:
        """Book what a rule returns, all of it or nothing.

        Raises:
            Refused: The rule refused, or the database did (STORAGE_FAILED).
        """
        return self._write(lambda _: rule(self.stock), operator_id, now_ns)

    def undo(self, sequence: int, reason: str, operator_id: str, now_ns: int) -> list[Booked]:
        """Take back an entry; 0 = the latest entry made by a person that was not taken back yet.

        Raises:
            Refused: See rules.undo.
        """

        def entries(connection: Connection) -> list[Entry]:
            number = sequence or self._latest_by_people(connection)
            target = self._one(connection, _ROW.c.sequence == number)
            undone = connection.scalar(select(exists().where(_ROW.c.undoes == number)))
            return rules.undo(self.stock, target, bool(undone), reason)

        return self._write(entries, operator_id, now_ns)

    def book(self, wanted: Entry, now_ns: int) -> list[Booked]:
        """Book a piece that the robot moved; an empty list says that it was booked before.

        Raises:
            Refused: See rules.book.
        """

        def entries(connection: Connection) -> list[Entry]:
            earlier = self._one(connection, (_ROW.c.job_id == wanted.job_id) & (_ROW.c.piece == wanted.piece))
            return rules.book(self.stock, wanted, earlier)

        return self._write(entries, wanted.operator_id, now_ns)

    def latest(self, limit: int, part_number: str = '') -> list[Booked]:
        """Return the latest entries, newest first.

        Raises:
            Refused: STORAGE_FAILED.
        """
        query = select(_ROW).order_by(_ROW.c.sequence.desc()).limit(limit)
        if part_number:
            query = query.where(_ROW.c.part_number == part_number)
        try:
            with self._engine.connect() as connection:
                return [_booked(row) for row in connection.execute(query)]
        except SQLAlchemyError as problem:
            raise _storage_failed(problem) from problem

    def _write(self, entries: Callable[[Connection], list[Entry]], operator_id: str, now_ns: int) -> list[Booked]:
        try:
            with self._engine.begin() as connection:
                booked = self._number(rules.by(entries(connection), operator_id), now_ns)
                if booked:
                    connection.execute(insert(LedgerRow), [_values(item) for item in booked])
        except SQLAlchemyError as problem:
            self._refresh()
            raise _storage_failed(problem) from problem
        for item in booked:
            self._counts[item.entry.part_number, item.entry.tray] = item.count_after
            self.sequence = item.sequence
        return booked

    def _number(self, entries: Sequence[Entry], now_ns: int) -> list[Booked]:
        counts = dict(self._counts)
        booked = []
        for sequence, entry in enumerate(entries, self.sequence + 1):
            key = (entry.part_number, entry.tray)
            counts[key] = counts.get(key, 0) + entry.delta
            booked.append(Booked(sequence, now_ns, counts[key], entry))
        return booked

    def _refresh(self) -> None:
        sums = select(_ROW.c.part_number, _ROW.c.tray, func.sum(_ROW.c.delta)).group_by(_ROW.c.part_number, _ROW.c.tray)
        try:
            with self._engine.connect() as connection:
                self._counts = {(part, tray): int(count) for part, tray, count in connection.execute(sums)}
                self.sequence = int(connection.scalar(select(func.coalesce(func.max(_ROW.c.sequence), 0))) or 0)
        except SQLAlchemyError as problem:
            raise _storage_failed(problem) from problem

    def _latest_by_people(self, connection: Connection) -> int:
        later = aliased(LedgerRow)
        query = select(func.max(_ROW.c.sequence)).where(
            _ROW.c.kind.in_([int(kind) for kind in rules.BY_PEOPLE]),
            _ROW.c.job_id.is_(None),
            ~exists().where(later.undoes == _ROW.c.sequence),
        )
        return int(connection.scalar(query) or 0)

    @staticmethod
    def _one(connection: Connection, condition: Any) -> Booked | None:
        row = connection.execute(select(_ROW).where(condition)).first()
        return _booked(row) if row else None


def _storage_failed(problem: SQLAlchemyError) -> Refused:
    cause = getattr(problem, 'orig', None) or problem
    return Refused(
        ResultCode.STORAGE_FAILED, f'the database refused, nothing was booked: {cause}. Check its disk, then try again.'
    )


def _values(item: Booked) -> dict[str, Any]:
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


def _booked(row: Row[Any]) -> Booked:
    entry = Entry(
        Kind(row.kind),
        row.part_number,
        row.tray,
        row.delta,
        row.operator_id,
        row.reason,
        row.job_id or '',
        row.piece or 0,
        row.undoes or 0,
    )
    return Booked(row.sequence, row.stamp_ns, row.count_after, entry)
