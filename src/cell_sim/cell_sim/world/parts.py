"""Physical parts of the simulated world, and the random draw of wrong or unreadable ones into a tray.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ['PhysicalPart', 'TrayMix']

SIMILAR_COUNT = 3
"""A wrong part is mostly one of this many nearest part numbers."""
SIMILAR_SHARE = 0.8


@dataclass(frozen=True)
class PhysicalPart:
    """One physical part.

    Attributes:
        part_number: True part number, whatever tray the part lies in.
        unreadable: The print is smeared, scratched or out of focus.
        serial: Unique name `<owner of the tray>/<tray>/<ordinal>`; also seeds the appearance of the
            part.
    """

    part_number: str
    unreadable: bool
    serial: str


@dataclass(frozen=True)
class TrayMix:
    """Composition of the trays.

    The same seed puts the same parts into the same places, independent of the order in which trays
    are filled.

    Attributes:
        part_numbers: All part numbers of the catalogue.
        seed: Seed of the draw.
        wrong_share: Share of parts with another part number than the tray's, 0..1.
        unreadable_share: Share of unreadable parts, 0..1; drawn independently of the wrong ones.
    """

    part_numbers: Sequence[str]
    seed: int = 1
    wrong_share: float = 0.0
    unreadable_share: float = 0.0

    def draw(self, part_number: str, tray: int, ordinal: int) -> PhysicalPart:
        """Return the part that is the `ordinal`-th to enter a tray.

        Args:
            part_number: Owner of the tray.
            tray: 1..255.
            ordinal: Counts every part that was ever put in, from 1. A part that is removed does not
                free its number.
        """
        serial = f'{part_number}/{tray}/{ordinal}'
        # A generator per part, seeded by its serial: one shared generator would make parts depend
        # on the order of filling.
        rng = random.Random(f'{self.seed}/{serial}')
        wrong, unreadable = rng.random() < self.wrong_share, rng.random() < self.unreadable_share
        real = self.wrong_part(part_number, rng) if wrong else part_number
        return PhysicalPart(real, unreadable, serial)

    def wrong_part(self, part_number: str, rng: random.Random) -> str:
        """Return another part number of the catalogue, mostly a similar one.

        Args:
            part_number: Number to differ from.
            rng: Random generator of this draw.

        Returns:
            `part_number` itself if the catalogue has no other.
        """
        others = by_similarity(part_number, self.part_numbers)
        if not others:
            return part_number
        return rng.choice(others[:SIMILAR_COUNT] if rng.random() < SIMILAR_SHARE else others)


def by_similarity(part_number: str, part_numbers: Sequence[str]) -> list[str]:
    """Return the other part numbers, the most similar first.

    Similarity is difflib's ratio of equal characters; equal ratios are ordered by name, so the
    result does not depend on the catalogue's order.
    """
    similarity: Mapping[str, float] = {
        other: difflib.SequenceMatcher(None, part_number, other).ratio() for other in part_numbers if other != part_number
    }
    return sorted(similarity, key=lambda other: (-similarity[other], other))
