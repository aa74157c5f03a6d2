"""Weights of a bag filler: near the target, with a few outliers.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SPREAD = 0.03
"""Standard deviation of the filled weight, share of the target."""
OUTLIER = (0.12, 0.2)
"""Range of the deviation of an outlier, share of the target."""


@dataclass(frozen=True)
class FillOrder:
    """Order of a station.

    Attributes:
        job: Id of the weigh job.
        target: Target weight, in `unit`.
        unit: kg, g, t, lb or oz.
    """

    job: int
    target: float
    unit: str


class Filler:
    """Draws the bag weights of one station; the same seed draws the same weights."""

    def __init__(self, seed: int, station: str, out_share: float = 0.05) -> None:
        """Seed the random generator.

        Args:
            seed: Seed of the world.
            station: Name of the station, part of the seed.
            out_share: Share of outliers, 0..1.
        """
        self._rng = random.Random(f'filler/{seed}/{station}')
        self._out_share = out_share

    def next_weight(self, order: FillOrder) -> float:
        """Return the weight of the next bag, in the order's unit.

        The same number of random values is drawn for each bag, outlier or not. Thus `out_share`
        decides which bags are outliers, and alters none of the other weights.
        """
        usual = 1 + self._rng.gauss(0, SPREAD)
        outlier = 1 + self._rng.choice((-1, 1)) * self._rng.uniform(*OUTLIER)
        return order.target * (outlier if self._rng.random() < self._out_share else usual)
