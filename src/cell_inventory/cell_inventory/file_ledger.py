"""The ledger as a stock file needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cell_inventory.ledger import Ledger
from cell_inventory.stock_file import Counts
from cell_inventory.stock_file_history import MOST_CONTENTS


class FileLedger:
    """The ledger as a stock file needs it: the protocol `stock_file_sync.StockLedger`."""

    def __init__(self, ledger: Ledger, book: Callable[[Counts, str, str], None]) -> None:
        """Bind the functions that the synchronization needs.

        Args:
            ledger: Holds the counts on which ledger and file agreed last.
            book: Books changed counts: counts, name that stands in place of an operator, reason.
        """
        self._ledger = ledger
        self.book_changes = book
        self.agreed_counts = ledger.file_counts
        self.save_agreed_counts = ledger.save_file_counts

    def counts(self) -> Counts:
        """Return the count of each tray of the catalogue."""
        stock = self._ledger.stock
        return {
            (number, tray.tray): stock.count(number, tray.tray)
            for number, part in stock.catalogue.parts.items()
            for tray in part.trays
        }

    def changes(self) -> Sequence[Counts]:
        """Return for each of the latest entries, newest first, the tray and its count before the entry.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """
        return [
            {(item.entry.part_number, item.entry.tray): item.count_after - item.entry.delta}
            for item in self._ledger.latest(MOST_CONTENTS)
        ]
