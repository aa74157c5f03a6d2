"""What may be booked: the rules of the stock ledger, without a database, a clock or ROS.

A rule looks at the stock and returns the entries to append, or raises `Refused`. Counts are sums over the entries, so a
mistake is taken back by an opposite entry and never by changing one.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cell_common.catalogue import Catalogue, Part, Tray

from cell_interfaces.msg import ResultCode

ALL_TRAYS = 0
TO_CAPACITY = -1


class Kind(enum.IntEnum):
    """Why pieces were added or removed; numbers as in cell_interfaces/msg/InventoryEvent."""

    LOAD = 0
    PLACE = 1
    REJECT = 2
    ADJUST = 3
    RELOAD = 4
    RESET = 5
    UNDO = 6


BY_PEOPLE = (Kind.ADJUST, Kind.RELOAD, Kind.RESET)
"""Kinds that `undo` without a number takes back."""
_MAY_BE_UNDONE = (*BY_PEOPLE, Kind.PLACE, Kind.REJECT)


class Refused(Exception):
    """A booking is not allowed; `code` is a ResultCode and the text says what to do."""

    def __init__(self, code: int, message: str) -> None:
        """Take the code and the sentence for the answer."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """One entry to be booked."""

    kind: Kind
    part_number: str
    tray: int
    delta: int
    """Pieces added (positive) or removed (negative)."""
    operator_id: str = ''
    reason: str = ''
    job_id: str = ''
    piece: int = 0
    """Number of the piece in the job, from 1; 0 = no job."""
    undoes: int = 0
    """Sequence of the entry taken back; 0 = none."""


@dataclass(frozen=True)
class Booked:
    """An entry as it stands in the ledger."""

    sequence: int
    stamp_ns: int
    count_after: int
    entry: Entry


@dataclass(frozen=True)
class Stock:
    """The catalogue and how many pieces lie where."""

    catalogue: Catalogue
    counts: Mapping[tuple[str, int], int]
    """(part number, tray) -> pieces; also of parts that the catalogue no longer names."""

    def count(self, part_number: str, tray: int) -> int:
        """Return the pieces in a tray."""
        return self.counts.get((part_number, tray), 0)

    def part(self, part_number: str) -> Part:
        """Return a part of the catalogue.

        Raises:
            Refused: UNKNOWN_PART.
        """
        part = self.catalogue.parts.get(part_number)
        if part is None:
            raise Refused(ResultCode.UNKNOWN_PART, f'part "{part_number}" is not in the catalogue: check the part number')
        return part

    def tray(self, part_number: str, tray: int) -> Tray:
        """Return a tray of a part.

        Raises:
            Refused: UNKNOWN_PART or UNKNOWN_TRAY.
        """
        for known in self.part(part_number).trays:
            if known.tray == tray:
                return known
        raise Refused(ResultCode.UNKNOWN_TRAY, f'part {part_number} has no tray {tray}: give 1 to 4')


def first_load(stock: Stock, counts: Mapping[tuple[str, int], int] | None = None) -> list[Entry]:
    """Book the first stock of every tray that the ledger has never seen, also of parts that came to the catalogue later.

    Args:
        stock: What the ledger knows.
        counts: First stock to book instead of the catalogue's, for the trays it names.
    """
    given = counts or {}
    return [
        Entry(
            Kind.LOAD, part.part_number, tray.tray, given.get((part.part_number, tray.tray), tray.count), reason='first stock'
        )
        for part in stock.catalogue.parts.values()
        for tray in part.trays
        if (part.part_number, tray.tray) not in stock.counts
    ]


def adjust(stock: Stock, part_number: str, tray: int, count: int, reason: str) -> list[Entry]:
    """Correct the count of one tray; booked also when the count was right, because somebody counted.

    Raises:
        Refused: Unknown part or tray, a count outside 0..capacity, or no reason.
    """
    known = stock.tray(part_number, tray)
    if not reason.strip():
        raise Refused(ResultCode.INVALID_ARGUMENT, 'say why the count is corrected (reason)')
    _check_count(known, part_number, count)
    return [Entry(Kind.ADJUST, part_number, tray, count - stock.count(part_number, tray), reason=reason)]


def reload(stock: Stock, part_number: str, tray: int, count: int, reason: str) -> list[Entry]:
    """Book a refill of one tray, or of all of a part's trays.

    Args:
        stock: What the ledger knows.
        part_number: A part of the catalogue.
        tray: 1..4; 0 = every tray of the part.
        count: Pieces now in each of these trays; -1 = filled to capacity.
        reason: May be empty.

    Raises:
        Refused: Unknown part or tray, a count outside 0..capacity, or less than the ledger has.
    """
    trays = stock.part(part_number).trays if tray == ALL_TRAYS else (stock.tray(part_number, tray),)
    entries = []
    for known in trays:
        target = known.capacity if count == TO_CAPACITY else count
        _check_count(known, part_number, target)
        before = stock.count(part_number, known.tray)
        if target < before:
            raise Refused(
                ResultCode.INVALID_ARGUMENT,
                f'tray {known.tray} of {part_number} holds {before} by the ledger, a '
                f'refill cannot leave {target}: correct the count by an adjustment',
            )
        entries.append(Entry(Kind.RELOAD, part_number, known.tray, target - before, reason=reason))
    return entries


def reset(stock: Stock, part_number: str, reason: str) -> list[Entry]:
    """Set the trays of a part ("" = of all parts) to the catalogue's first stock.

    Raises:
        Refused: UNKNOWN_PART.
    """
    parts = [stock.part(part_number)] if part_number else list(stock.catalogue.parts.values())
    return [
        Entry(Kind.RESET, part.part_number, tray.tray, tray.count - stock.count(part.part_number, tray.tray), reason=reason)
        for part in parts
        for tray in part.trays
        if tray.count != stock.count(part.part_number, tray.tray)
    ]


def undo(stock: Stock, target: Booked | None, undone: bool, reason: str) -> list[Entry]:
    """Take back an entry by an opposite one.

    Args:
        stock: What the ledger knows.
        target: The entry to take back; None = there is no such entry.
        undone: It was taken back before.
        reason: May be empty.

    Raises:
        Refused: Nothing to undo, undone already, or the tray cannot hold what would come back.
    """
    if target is None:
        raise Refused(ResultCode.NOTHING_TO_UNDO, 'there is no entry to undo')
    entry = target.entry
    if undone:
        raise Refused(ResultCode.NOTHING_TO_UNDO, f'entry {target.sequence} was undone already')
    if entry.kind not in _MAY_BE_UNDONE:
        raise Refused(
            ResultCode.NOTHING_TO_UNDO,
            f'entry {target.sequence} ({entry.kind.name}) cannot be undone: correct the count by an adjustment',
        )
    after = stock.count(entry.part_number, entry.tray) - entry.delta
    if after < 0:
        raise Refused(
            ResultCode.NOT_ENOUGH_STOCK,
            f'tray {entry.tray} of {entry.part_number} would hold {after}: correct the count by an adjustment',
        )
    if entry.part_number in stock.catalogue.parts:
        _check_count(stock.tray(entry.part_number, entry.tray), entry.part_number, after)
    return [Entry(Kind.UNDO, entry.part_number, entry.tray, -entry.delta, reason=reason, undoes=target.sequence)]


def book(stock: Stock, wanted: Entry, earlier: Booked | None) -> list[Entry]:
    """Book one piece out of a tray, after the robot said that it moved it.

    What the robot did is a fact and is booked even when the ledger thought the tray was empty: a correcting entry comes first.

    Args:
        stock: What the ledger knows.
        wanted: The PLACE or REJECT entry.
        earlier: What is booked under this (job, piece) already.

    Returns:
        The entries, none when this piece is booked already.

    Raises:
        Refused: The request is not complete, or the piece is booked with another outcome, part or tray.
    """
    if not wanted.job_id or wanted.piece < 1:
        raise Refused(ResultCode.INVALID_ARGUMENT, 'a booking needs job_id and a piece number of 1 or more')
    key = (wanted.part_number, wanted.tray)
    if key not in stock.counts:
        stock.tray(*key)
    if earlier is not None:
        if (earlier.entry.kind, earlier.entry.part_number, earlier.entry.tray) != (wanted.kind, *key):
            raise Refused(
                ResultCode.INVALID_ARGUMENT,
                f'piece {wanted.piece} of job {wanted.job_id} is booked already as {earlier.entry.kind.name} of '
                f'{earlier.entry.part_number} from tray {earlier.entry.tray}',
            )
        return []
    entries = [wanted]
    if stock.count(*key) < 1:
        entries.insert(0, Entry(Kind.ADJUST, *key, delta=1, reason='the robot took a piece where the ledger had none'))
    return entries


def by(entries: Iterable[Entry], operator_id: str) -> list[Entry]:
    """Put a person's name on entries."""
    return [replace(entry, operator_id=operator_id) for entry in entries]


def _check_count(tray: Tray, part_number: str, count: int) -> None:
    if count < 0:
        raise Refused(ResultCode.INVALID_ARGUMENT, f'count is {count}: give 0 to {tray.capacity}')
    if count > tray.capacity:
        raise Refused(ResultCode.OVER_CAPACITY, f'tray {tray.tray} of {part_number} holds at most {tray.capacity}, not {count}')
