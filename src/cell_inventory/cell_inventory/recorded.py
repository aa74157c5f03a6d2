"""Books recorded pieces again, and asks recorded commands again, by the rules of today.

The database is one of the replay's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cell_common.catalogue import Catalogue
from cell_common.database import migrate, open_database
from cell_common.error_code import ErrorCode

from cell_interfaces.msg import Inventory, InventoryEvent
from cell_interfaces.srv import BookPiece
from cell_inventory import rules
from cell_inventory.conversions import event_message, inventory_message, tray_count
from cell_inventory.ledger import Ledger, Rule, UndoCommand
from cell_inventory.rules import BookingRejected, EntryKind, LedgerEntry, NewEntry

__all__ = ['Booked', 'RecordedStock']

OUTCOMES = {BookPiece.Request.PLACED: EntryKind.PLACE, BookPiece.Request.REJECTED: EntryKind.REJECT}
NODE = 'inventory'


@dataclass(frozen=True)
class Booked:
    """What one recorded booking or command led to.

    Attributes:
        events: The new entries of the ledger.
        code: ResultCode of the response.
        message: Why it was refused; "" = it was not.
    """

    events: tuple[InventoryEvent, ...] = ()
    code: int = 0
    message: str = ''


class RecordedStock:
    """The ledger of a replay."""

    def __init__(self, database_url: str, catalogue: Catalogue, stock: Inventory) -> None:
        """Create the table and load the counts of the recording's start.

        Args:
            database_url: A database of the replay's own, which is empty.
            catalogue: Parts of the replay.
            stock: Counts at the start; a tray that it does not name gets the catalogue's initial count.

        Raises:
            DatabaseError: The database cannot be used.
            BookingRejected: The database failed.
        """
        counts = {(part.part_number, tray.tray): int(tray.count) for part in stock.parts for tray in part.trays}
        self._engine = open_database(database_url, durable=False)
        migrate(self._engine, 'cell_inventory')
        self._ledger = Ledger(self._engine, catalogue)
        loaded = self._ledger.load_initial(0, NODE, counts)
        # Entries of the recording are named by their number: those of the replay count from another one.
        self._offset = len(loaded) - max(len(loaded), int(stock.sequence))

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of the services that `ask` knows, relative to the cell's namespace."""
        return tuple(f'inventory/{name}' for name in ('book', 'adjust', 'count', 'reload', 'reset', 'undo'))

    def ask(self, name: str, request: Any, now_ns: int) -> Booked:
        """Ask a recorded request again.

        Args:
            name: One of `commands`.
            request: The recorded request.
            now_ns: When it was received, ROS time in nanoseconds.
        """
        try:
            posted = self._post(name.removeprefix('inventory/'), request, now_ns)
        except BookingRejected as error:
            return Booked(code=error.code, message=str(error))
        return Booked(tuple(self._event(item) for item in posted))

    def message(self, now_ns: int) -> Inventory:
        """Return the counts as topic inventory holds them."""
        sequence, stock = self._ledger.snapshot()
        return inventory_message(stock, sequence - self._offset, now_ns)

    def _event(self, item: LedgerEntry) -> InventoryEvent:
        """Return an entry with the number that it has in the recorded ledger."""
        event = event_message(item)
        event.sequence -= self._offset
        event.undoes -= self._offset if event.undoes else 0
        return event

    def _post(self, name: str, request: Any, now_ns: int) -> list[LedgerEntry]:
        """Book a request.

        Raises:
            BookingRejected: By the rules, or the database failed.
        """
        if name == 'book':
            return self._ledger.book(_piece(request), now_ns)
        operator_id = request.command.operator_id or NODE
        if name == 'undo':
            number = request.sequence + self._offset if request.sequence else 0
            if request.sequence and number < 1:
                raise BookingRejected(ErrorCode.NOTHING_TO_UNDO, f'entry {request.sequence} is older than the recording')
            return self._ledger.undo(number, UndoCommand(operator_id, request.reason, request.command.request_id), now_ns)
        return self._ledger.post(_rule(name, request), operator_id, now_ns, request.command.request_id)


def _rule(name: str, request: Any) -> Rule:
    """Return the rule of a command, with the values of its request."""
    known: dict[str, Callable[[rules.Stock], list[NewEntry]]] = {
        'adjust': lambda stock: rules.adjust(stock, tray_count(request)),
        'count': lambda stock: rules.adjust(stock, tray_count(request), EntryKind.COUNT),
        'reload': lambda stock: rules.reload(stock, tray_count(request)),
        'reset': lambda stock: rules.reset(stock, request.part_number, request.reason),
    }
    return known[name]


def _piece(request: BookPiece.Request) -> NewEntry:
    return NewEntry(
        kind=OUTCOMES.get(request.outcome, EntryKind.REJECT),
        part_number=request.part_number,
        tray=request.tray,
        delta=-1,
        operator_id=NODE,
        reason=request.reason,
        job_id=request.job_id,
        piece=request.piece,
        evidence=request.evidence,
    )
