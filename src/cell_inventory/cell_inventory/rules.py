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
MOST_PIECES = 1_000_000
"""Of one tray; a larger number is a slip."""
# The column has 32 bits with a sign.
LARGEST_PIECE = 2**31 - 1
LONGEST_JOB_ID = 64


class EntryKind(enum.IntEnum):
    """Why pieces were added or removed; numbers as in cell_interfaces/msg/InventoryEvent.

    LOAD comes once per tray, at its first appearance. ADJUST corrects a count, COUNT records one, RELOAD adds pieces, RESET
    sets the initial count, UNDO cancels another entry. PLACE and REJECT come from the robot.
    """

    LOAD = 0
    PLACE = 1
    REJECT = 2
    ADJUST = 3
    RELOAD = 4
    RESET = 5
    UNDO = 6
    COUNT = 7


MANUAL_KINDS = (EntryKind.ADJUST, EntryKind.RELOAD, EntryKind.RESET, EntryKind.COUNT)
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
    request_id: str = ''
    """Command that caused the entry; "" = none."""
    evidence: str = ''
    """Verdict and text of the reading that decided about the piece; "" = none."""


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
        """Return the pieces in a tray; 0 for a tray without entries.

        Args:
            part_number: A part; an unknown one has no entries.
            tray: 1..255.
        """
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

        Args:
            part_number: A part of the catalogue.
            tray: 1..255.

        Raises:
            BookingRejected: UNKNOWN_PART or UNKNOWN_TRAY.
        """
        trays = self.part(part_number).trays
        for known in trays:
            if known.tray == tray:
                return known
        raise BookingRejected(ErrorCode.UNKNOWN_TRAY, f'part {part_number} has no tray {tray}: give 1 to {len(trays)}')


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


@dataclass(frozen=True)
class TrayCount:
    """Pieces in a tray, as an operator says."""

    part_number: str
    tray: int
    """1 or more; reload only: 0 = every tray of the part."""
    count: int
    """Pieces now in the tray; reload only: -1 = filled to capacity."""
    reason: str = ''
    over_capacity: bool = False
    """The count may be above the capacity; a reason is then required."""


def adjust(stock: Stock, counted: TrayCount, kind: EntryKind = EntryKind.ADJUST) -> list[NewEntry]:
    """Correct the count of one tray; a count that was right is recorded, too, as evidence that the tray was counted.

    Args:
        stock: Counts by the ledger.
        counted: Count and reason. Without a reason an ADJUST would hide a loss.
        kind: ADJUST, or COUNT for a routine count, which needs no reason.

    Returns:
        One entry, with a delta of 0 if the count was right.

    Raises:
        BookingRejected: Unknown part or tray, a count outside 0..capacity, or no reason.
    """
    known = stock.tray(counted.part_number, counted.tray)
    if kind is EntryKind.ADJUST and not counted.reason.strip():
        raise BookingRejected(ErrorCode.INVALID_ARGUMENT, 'say why the count is corrected (reason)')
    _check_count(known, counted, counted.count)
    delta = counted.count - stock.count(counted.part_number, counted.tray)
    return [NewEntry(kind, counted.part_number, counted.tray, delta, reason=counted.reason)]


def reload(stock: Stock, filled: TrayCount) -> list[NewEntry]:
    """Book a refill of one tray or of all trays of a part.

    Args:
        stock: Counts by the ledger.
        filled: Count after the refill; its reason may be empty.

    Returns:
        One entry for each tray, with a delta of 0 for a tray that was full.

    Raises:
        BookingRejected: Unknown part or tray, a count outside 0..capacity, or a count below the ledger's.
    """
    part_number = filled.part_number
    trays = stock.part(part_number).trays if filled.tray == ALL_TRAYS else (stock.tray(part_number, filled.tray),)
    entries = []
    for known in trays:
        before = stock.count(part_number, known.tray)
        # A tray that holds more than its capacity is full.
        target = max(known.capacity, before) if filled.count == TO_CAPACITY else filled.count
        if filled.count != TO_CAPACITY:
            _check_count(known, filled, target)
        if target < before:
            raise BookingRejected(
                ErrorCode.INVALID_ARGUMENT,
                f'tray {known.tray} of {part_number} holds {before} by the ledger, a '
                f'refill cannot leave {target}: correct the count by an adjustment',
            )
        entries.append(NewEntry(EntryKind.RELOAD, part_number, known.tray, target - before, reason=filled.reason))
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
            entries += adjust(stock, TrayCount(part_number, tray, count, reason))
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


def undo(stock: Stock, target: LedgerEntry | None, undone: bool, reason: str, oldest_ns: int = 0) -> list[NewEntry]:
    """Cancel an entry by an opposite one.

    Args:
        stock: Counts by the ledger.
        target: The entry to cancel; None = there is no such entry.
        undone: The entry is canceled already.
        reason: May be empty.
        oldest_ns: Earliest stamp of an entry that may be canceled, ROS time in nanoseconds; 0 = any.

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
    if target.stamp_ns < oldest_ns:
        raise BookingRejected(
            ErrorCode.NOTHING_TO_UNDO,
            f'entry {target.sequence} is older than an operator may undo: a supervisor may, or correct the count',
        )
    after = stock.count(entry.part_number, entry.tray) - entry.delta
    if after < 0:
        raise BookingRejected(
            ErrorCode.NOT_ENOUGH_STOCK,
            f'tray {entry.tray} of {entry.part_number} would hold {after}: correct the count by an adjustment',
        )
    # A part that has left the catalogue has no capacity to check.
    if entry.part_number in stock.catalogue.parts and entry.delta < 0:
        back = TrayCount(entry.part_number, entry.tray, after, reason)
        _check_count(stock.tray(entry.part_number, entry.tray), back, after)
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
    if not wanted.job_id or not 1 <= wanted.piece <= LARGEST_PIECE or len(wanted.job_id) > LONGEST_JOB_ID:
        raise BookingRejected(
            ErrorCode.INVALID_ARGUMENT,
            f'a booking needs a job_id of at most {LONGEST_JOB_ID} characters and a piece number of 1 to {LARGEST_PIECE}',
        )
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


def attributed_to(entries: Iterable[NewEntry], operator_id: str, request_id: str = '') -> list[NewEntry]:
    """Return the entries with the ids of the operator or node, and of the command, that caused them.

    Args:
        entries: Entries of one command; not changed.
        operator_id: Operator, or name of the node.
        request_id: Id of the command; "" where there is none.
    """
    return [replace(entry, operator_id=operator_id, request_id=request_id) for entry in entries]


def _check_count(tray: Tray, given: TrayCount, count: int) -> None:
    """Check a count against the capacity of its tray.

    Raises:
        BookingRejected: INVALID_ARGUMENT or OVER_CAPACITY.
    """
    if not 0 <= count <= MOST_PIECES:
        raise BookingRejected(ErrorCode.INVALID_ARGUMENT, f'count is {count}: give 0 to {tray.capacity}')
    if count <= tray.capacity:
        return
    if not given.over_capacity:
        raise BookingRejected(
            ErrorCode.OVER_CAPACITY, f'tray {tray.tray} of {given.part_number} holds at most {tray.capacity}, not {count}'
        )
    if not given.reason.strip():
        raise BookingRejected(
            ErrorCode.OVER_CAPACITY,
            f'tray {tray.tray} of {given.part_number} holds at most {tray.capacity}: say why it holds {count} (reason)',
        )
