"""The physical parts of the simulated world, and chance that lays a wrong or unreadable one into a tray."""

from __future__ import annotations

import difflib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOOK_ALIKES = 3
"""A wrong part is mostly one of so many nearest neighbours of the ordered one."""
LOOK_ALIKE_SHARE = 0.8


@dataclass(frozen=True)
class PhysicalPart:
    """One physical part."""

    part_number: str
    """What it really is, whatever tray it lies in."""
    unreadable: bool
    """Its print is smeared, scratched or out of focus."""
    serial: str
    """Names the piece, and seeds how it looks."""


@dataclass(frozen=True)
class TrayMix:
    """How trays are filled.

    The same seed lays the same pieces into the same places of the same trays, in whatever order the trays are filled
    or emptied.
    """

    part_numbers: Sequence[str]
    seed: int = 1
    wrong_share: float = 0.0
    """Share of pieces that are another part of the catalogue, 0..1."""
    unreadable_share: float = 0.0
    """Share of pieces that cannot be read, 0..1; drawn independently of the wrong ones."""

    def draw(self, part_number: str, tray: int, ordinal: int) -> PhysicalPart:
        """Return the piece that is laid into a tray as its `ordinal`-th since the world began."""
        serial = f'{part_number}/{tray}/{ordinal}'
        chance = random.Random(f'{self.seed}/{serial}')
        wrong, unreadable = chance.random() < self.wrong_share, chance.random() < self.unreadable_share
        real = self.neighbour(part_number, chance) if wrong else part_number
        return PhysicalPart(real, unreadable, serial)

    def neighbour(self, part_number: str, chance: random.Random) -> str:
        """Return another part of the catalogue, mostly one whose number looks alike."""
        others = by_similarity(part_number, self.part_numbers)
        if not others:
            return part_number
        return chance.choice(others[:LOOK_ALIKES] if chance.random() < LOOK_ALIKE_SHARE else others)


def by_similarity(part_number: str, part_numbers: Sequence[str]) -> list[str]:
    """Return the other part numbers, the most alike first."""
    likeness: Mapping[str, float] = {
        other: difflib.SequenceMatcher(None, part_number, other).ratio() for other in part_numbers if other != part_number
    }
    return sorted(likeness, key=lambda other: (-likeness[other], other))
