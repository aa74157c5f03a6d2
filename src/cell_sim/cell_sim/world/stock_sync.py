"""Keeps the simulated trays in step with the ledger.

An operator's entry (reload, reset, adjustment, undo) changes the physical tray as well.
Entries of picks are ignored: the simulated robot removes those parts itself.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cell_sim.world.world import World


@dataclass(frozen=True)
class StockChange:
    """Effect of one ledger entry on a tray.

    Attributes:
        sequence: Consecutive number of the ledger entry.
        part_number: Owner of the tray.
        tray: 1..255.
        delta: Parts added; negative = removed.
    """

    sequence: int
    part_number: str
    tray: int
    delta: int


class StockSync:
    """Fills the trays from the first stock report and applies later ledger entries."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sequence: int | None = None

    @property
    def started(self) -> bool:
        """Whether the first stock report has filled the trays."""
        return self._sequence is not None

    def report(self, sequence: int, stock: Iterable[tuple[str, int, int]]) -> None:
        """Fill the trays from the first stock report; ignore later reports.

        Later reports count the picks as well, which the simulated robot has applied already.

        Args:
            sequence: Number of the last ledger entry in the report.
            stock: (part number, tray, count) of each tray.
        """
        if self._sequence is None:
            self._sequence = sequence
            self._world.fill(stock)

    def apply(self, change: StockChange) -> None:
        """Apply a ledger entry, unless the first report is missing or already includes it.

        Args:
            change: Entry of an operator. Entries may be repeated; only a higher sequence number
                counts.
        """
        if self._sequence is None or change.sequence <= self._sequence:
            return
        self._sequence = change.sequence
        self._world.change_tray(change.part_number, change.tray, change.delta)
