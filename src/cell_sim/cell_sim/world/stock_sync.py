"""A simulated person who keeps the trays as the ledger says they were kept.

When somebody books a refill, a reset, a correction or takes one back, this person does in the simulated world what the
booking says. Picks are not his: the robot takes those pieces itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cell_sim.world.world import World


@dataclass(frozen=True)
class StockChange:
    """What the ledger's entry means for a tray."""

    sequence: int
    part_number: str
    tray: int
    delta: int
    """Pieces added, or taken away when negative."""


class StockSync:
    """Fills trays; waits for the first stock report before anything else."""

    def __init__(self, world: World) -> None:
        """Take charge of a world's trays."""
        self._world = world
        self._sequence: int | None = None

    @property
    def started(self) -> bool:
        """Whether the trays have been set up."""
        return self._sequence is not None

    def report(self, sequence: int, stock: Iterable[tuple[str, int, int]]) -> None:
        """Set the trays up from the first stock report; later ones change nothing.

        Args:
            sequence: The last ledger entry that the report includes.
            stock: (part number, tray, count) of each tray.
        """
        if self._sequence is None:
            self._sequence = sequence
            self._world.fill(stock)

    def apply(self, booking: StockChange) -> None:
        """Do what an entry says, unless the first report included it already or none came yet."""
        if self._sequence is None or booking.sequence <= self._sequence:
            return
        self._sequence = booking.sequence
        self._world.change_tray(booking.part_number, booking.tray, booking.delta)
