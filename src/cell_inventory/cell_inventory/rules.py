"""Rules of the stock ledger: each returns the entries to append, or raises `BookingRejected`.

Pure: no ROS, sockets, files or clock.

Counts are sums over the entries. A mistake is corrected by an opposite entry; an entry never changes.

An operator's booking never leads to a count outside 0..capacity. `book` follows the robot, whose move is a fact: it corrects
an empty tray first.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cell_common.catalogue import Catalogue, Part, Tray
from cell_common.error_code import ErrorCode

ALL_TRAYS = 0
TO_CAPACITY = -1


class EntryKind(enum.IntEnum):
    """Why pieces were added or removed; numbers as in cell_interfaces/msg/InventoryEvent.

    LOAD comes once per tray, at its first appearance. ADJUST corrects a count, RELOAD adds pieces, RESET sets the initial
    count, UNDO cancels another entry. PLACE and REJECT come from the robot.
    """

    LOAD = 0
    PLACE = 1
    REJECT = 2
    ADJUST = 3
    RELOAD = 4
    RESET = 5
    UNDO = 6


MANUAL_KINDS = (EntryKind.ADJUST, EntryKind.RELOAD, EntryKind.RESET)
"""Kinds that an operator books; `undo` without a number cancels the latest of them."""
_UNDOABLE_KINDS = (*MANUAL_KINDS, EntryKind.PLACE, EntryKind.REJECT)


class BookingRejected(Exception):
    """A booking is not allowed; the text is the message of the response and names the remedy.

    Attributes:
        code: ResultCode of the response.
    """

    def __init__(self, code: int, message: str) -> None:
        """Store the result code and the message of the response."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class NewEntry:
    """An entry to append to the ledger."""

    kind: EntryKind
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
    """Sequence of the canceled entry; 0 = none."""


@dataclass(frozen=True)
class LedgerEntry:
    """An entry of the ledger."""

    sequence: int
    """Number of the entry, from 1 without gaps."""
    stamp_ns: int
    """ROS time in nanoseconds."""
    count_after: int
    """Pieces in the tray after this entry."""
    entry: NewEntry


@dataclass(frozen=True)
class Stock:
    """The catalogue and the count of each tray."""

    catalogue: Catalogue
    counts: Mapping[tuple[str, int], int]
    """(part number, tray) -> pieces; includes parts that have left the catalogue."""

    def count(self, part_number: str, tray: int) -> int:
        """Return the pieces in a tray; 0 for a tray without entries."""
        return self.counts.get((part_number, tray), 0)

    def part(self, part_number: str) -> Part:
        """Return a part of the catalogue.

        Raises:
            BookingRejected: UNKNOWN_PART.
        """
        part = self.catalogue.parts.get(part_number)
        if part is None:
            raise BookingRejected(
                ErrorCode.UNKNOWN_PART, f'part "{part_number}" is not in the catalogue: check the part number'
            )
        return part

    def tray(self, part_number: str, tray: int) -> Tray:
        """Return a tray of a part.

        Raises:
            BookingRejected: UNKNOWN_PART or UNKNOWN_TRAY.
        """
        for known in self.part(part_number).trays:
            if known.tray == tray:
                return known
        raise BookingRejected(ErrorCode.UNKNOWN_TRAY, f'part {part_number} has no tray {tray}: give 1 to 4')


def initial_load(stock: Stock, counts: Mapping[tuple[str, int], int] | None = None) -> list[NewEntry]:
    """Load each tray without a ledger entry; parts that were added to the catalogue later are included.

    Args:
        stock: Counts by the ledger.
        counts: Initial counts that replace the catalogue's, for the trays in this mapping.
    """
    given = counts or {}
    return [
        NewEntry(
            EntryKind.LOAD,
            part.part_number,
            tray.tray,
            given.get((part.part_number, tray.tray), tray.count),
            reason='first stock',
        )
        for part in stock.catalogue.parts.values()
        for tray in part.trays
        if (part.part_number, tray.tray) not in stock.counts
    ]


def adjust(stock: Stock, part_number: str, tray: int, count: int, reason: str) -> list[NewEntry]:
    """Correct the count of one tray; a count that was right is recorded, too, as evidence that the tray was counted.

    Args:
        stock: Counts by the ledger.
        part_number: A part of the catalogue.
        tray: 1..4.
        count: Pieces that were counted.
        reason: Must not be empty: a correction without a reason hides a loss.

    Returns:
        One entry, with a delta of 0 if the count was right.

    Raises:
        BookingRejected: Unknown part or tray, a count outside 0..capacity, or no reason.
    """
    known = stock.tray(part_number, tray)
    if not reason.strip():
        raise BookingRejected(ErrorCode.INVALID_ARGUMENT, 'say why the count is corrected (reason)')
    _check_count(known, part_number, count)
    return [NewEntry(EntryKind.ADJUST, part_number, tray, count - stock.count(part_number, tray), reason=reason)]


def reload(stock: Stock, part_number: str, tray: int, count: int, reason: str) -> list[NewEntry]:
    """Book a refill of one tray or of all trays of a part.

    Args:
        stock: Counts by the ledger.
        part_number: A part of the catalogue.
        tray: 1..4; 0 = every tray of the part.
        count: Pieces now in each of these trays; -1 = filled to capacity.
        reason: May be empty.

    Returns:
        One entry for each tray, with a delta of 0 for a tray that was full.

    Raises:
        BookingRejected: Unknown part or tray, a count outside 0..capacity, or a count below the ledger's.
    """
    trays = stock.part(part_number).trays if tray == ALL_TRAYS else (stock.tray(part_number, tray),)
    entries = []
    for known in trays:
        target = known.capacity if count == TO_CAPACITY else count
        _check_count(known, part_number, target)
        before = stock.count(part_number, known.tray)
        if target < before:
            raise BookingRejected(
                ErrorCode.INVALID_ARGUMENT,
                f'tray {known.tray} of {part_number} holds {before} by the ledger, a '
                f'refill cannot leave {target}: correct the count by an adjustment',
            )
        entries.append(NewEntry(EntryKind.RELOAD, part_number, known.tray, target - before, reason=reason))
    return entries


def import_counts(stock: Stock, counts: Mapping[tuple[str, int], int], reason: str) -> list[NewEntry]:
    """Adjust the trays whose count differs from a file's.

    Args:
        stock: Counts by the ledger.
        counts: (part number, tray) -> pieces; trays that are missing stay as they are.
        reason: Stored with each entry, names the file.

    Raises:
        BookingRejected: Unknown part or tray, or a count outside 0..capacity.
    """
    entries = []
    for (part_number, tray), count in sorted(counts.items()):
        if count != stock.count(part_number, tray):
            entries += adjust(stock, part_number, tray, count, reason)
    return entries


def reset(stock: Stock, part_number: str, reason: str, defaults: Mapping[tuple[str, int], int] | None = None) -> list[NewEntry]:
    """Set the trays of a part ("" = of all parts) to their initial counts.

    Args:
        stock: Counts by the ledger.
        part_number: "" = all parts.
        reason: May be empty.
        defaults: Initial counts that replace the catalogue's, for the trays in this mapping.

    Raises:
        BookingRejected: UNKNOWN_PART.
    """
    parts = [stock.part(part_number)] if part_number else list(stock.catalogue.parts.values())
    given = defaults or {}
    entries = []
    for part in parts:
        for tray in part.trays:
            key = (part.part_number, tray.tray)
            delta = given.get(key, tray.count) - stock.count(*key)
            if delta:
                entries.append(NewEntry(EntryKind.RESET, *key, delta, reason=reason))
    return entries


def undo(stock: Stock, target: LedgerEntry | None, undone: bool, reason: str) -> list[NewEntry]:
    """Cancel an entry by an opposite one.

    Args:
        stock: Counts by the ledger.
        target: The entry to cancel; None = there is no such entry.
        undone: The entry is canceled already.
        reason: May be empty.

    Raises:
        BookingRejected: Nothing to undo, undone already, or the tray cannot hold the resulting count.
    """
    if target is None:
        raise BookingRejected(ErrorCode.NOTHING_TO_UNDO, 'there is no entry to undo')
    entry = target.entry
    if undone:
        raise BookingRejected(ErrorCode.NOTHING_TO_UNDO, f'entry {target.sequence} was undone already')
    # Not LOAD: without it the tray would be loaded again at the next start. Not UNDO: book the original again instead.
    if entry.kind not in _UNDOABLE_KINDS:
        raise BookingRejected(
            ErrorCode.NOTHING_TO_UNDO,
            f'entry {target.sequence} ({entry.kind.name}) cannot be undone: correct the count by an adjustment',
        )
    after = stock.count(entry.part_number, entry.tray) - entry.delta
    if after < 0:
        raise BookingRejected(
            ErrorCode.NOT_ENOUGH_STOCK,
            f'tray {entry.tray} of {entry.part_number} would hold {after}: correct the count by an adjustment',
        )
    # A part that has left the catalogue has no capacity to check.
    if entry.part_number in stock.catalogue.parts:
        _check_count(stock.tray(entry.part_number, entry.tray), entry.part_number, after)
    return [NewEntry(EntryKind.UNDO, entry.part_number, entry.tray, -entry.delta, reason=reason, undoes=target.sequence)]


def book(stock: Stock, wanted: NewEntry, earlier: LedgerEntry | None) -> list[NewEntry]:
    """Book one piece out of a tray after the robot has moved it.

    The robot's move is a fact, so it is booked from an empty tray, too: a correcting entry comes first.

    Args:
        stock: Counts by the ledger.
        wanted: The PLACE or REJECT entry.
        earlier: The ledger entry of this (job, piece); None = not booked yet.

    Returns:
        The entries; none when this piece is booked already.

    Raises:
        BookingRejected: The request is incomplete, or the piece is booked with another outcome, part or tray.
    """
    if not wanted.job_id or wanted.piece < 1:
        raise BookingRejected(ErrorCode.INVALID_ARGUMENT, 'a booking needs job_id and a piece number of 1 or more')
    key = (wanted.part_number, wanted.tray)
    # A part that has left the catalogue during a job can still be booked: its tray has entries.
    if key not in stock.counts:
        stock.tray(*key)
    if earlier is not None:
        if (earlier.entry.kind, earlier.entry.part_number, earlier.entry.tray) != (wanted.kind, *key):
            raise BookingRejected(
                ErrorCode.INVALID_ARGUMENT,
                f'piece {wanted.piece} of job {wanted.job_id} is booked already as {earlier.entry.kind.name} of '
                f'{earlier.entry.part_number} from tray {earlier.entry.tray}',
            )
        return []
    entries = [wanted]
    if stock.count(*key) < 1:
        # Otherwise the count would be negative, which the table rejects: the piece would never be booked and the job would
        # hang.
        entries.insert(0, NewEntry(EntryKind.ADJUST, *key, delta=1, reason='the robot took a piece where the ledger had none'))
    return entries


def attributed_to(entries: Iterable[NewEntry], operator_id: str) -> list[NewEntry]:
    """Return the entries with the id of the operator or node that caused them."""
    return [replace(entry, operator_id=operator_id) for entry in entries]


def _check_count(tray: Tray, part_number: str, count: int) -> None:
    """Check a count against the capacity of its tray.

    Raises:
        BookingRejected: INVALID_ARGUMENT or OVER_CAPACITY.
    """
    if count < 0:
        raise BookingRejected(ErrorCode.INVALID_ARGUMENT, f'count is {count}: give 0 to {tray.capacity}')
    if count > tray.capacity:
        raise BookingRejected(
            ErrorCode.OVER_CAPACITY, f'tray {tray.tray} of {part_number} holds at most {tray.capacity}, not {count}'
        )
