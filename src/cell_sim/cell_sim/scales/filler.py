"""How a bag filler fills: near the target, and now and then far from it."""

from __future__ import annotations

import random
from dataclasses import dataclass

SPREAD = 0.03
"""Standard deviation of the filled weight, share of the target."""
OUTLIER = (0.12, 0.2)
"""How far a bag that went wrong is off, share of the target."""


@dataclass(frozen=True)
class FillOrder:
    """What is to be filled at a station now."""

    job: int
    """Identifies the weigh job."""
    target: float
    """In `unit`."""
    unit: str


class Filler:
    """Fills bags for one station; the same seed fills the same bags."""

    def __init__(self, seed: int, station: str, out_share: float = 0.05) -> None:
        """Prepare a filler.

        Args:
            seed: Of the world.
            station: Whose filler it is; gives each its own rng.
            out_share: Share of bags that go wrong, 0..1.
        """
        self._rng = random.Random(f'filler/{seed}/{station}')
        self._out_share = out_share

    def next_weight(self, order: FillOrder) -> float:
        """Return what the next bag weighs, in the order's unit."""
        usual = 1 + self._rng.gauss(0, SPREAD)
        wrong = 1 + self._rng.choice((-1, 1)) * self._rng.uniform(*OUTLIER)
        return order.target * (wrong if self._rng.random() < self._out_share else usual)
