"""The parts of a cell: their numbers, what is printed on them, the robot's letter for each, and their trays.

Pure: no ROS, sockets, files or clock.

`cell_common.catalogue_file` reads them from config/parts.yaml. Robot, matcher and inventory use the same file, so a letter, a
print and a tray count cannot disagree between nodes.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = [
    'EVENT_LETTERS',
    'LETTERS',
    'MOST_TRAYS',
    'START_LETTER',
    'Catalogue',
    'CatalogueError',
    'Part',
    'Tray',
    'fold_confusables',
    'lookalike_warnings',
]

MOST_TRAYS = 255
"""Of one part: a tray's number is a byte in the messages."""
START_LETTER = 'D'
"""Starts the robot's program on every site; neither a part nor an event may use it."""
EVENT_LETTERS: Mapping[str, str] = {'START_PROGRAM': START_LETTER, 'PLACE': 'P', 'REJECT': 'R', 'BENCHMARK': 'B', 'HOME': 'H'}
"""Default letters of the events that are not parts."""
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits

_CONFUSABLES = str.maketrans({'O': '0', 'Q': '0', 'I': '1', 'L': '1', '|': '1', 'B': '8', 'S': '5', 'Z': '2', 'G': '6'})


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text lists every error with its line and the remedy."""


@dataclass(frozen=True)
class Tray:
    """One tray of a part at first set-up; counts are pieces.

    The inventory's ledger holds the current count. `count` matters only when a part has no entry there yet.
    """

    tray: int
    """Number of the tray, 1..MOST_TRAYS."""
    count: int
    """Initial count."""
    capacity: int
    low: int
    """Low-water mark: at this count or below the tray is reported as low."""


@dataclass(frozen=True)
class Part:
    """One part of the catalogue.

    All fields were checked by `catalogue_file`: patterns compile, letters are unique, trays are numbered from 1. The matcher
    reads the patterns; the robot node reads only letter and number.
    """

    part_number: str
    letter: str
    """One character of LETTERS, unique in the catalogue."""
    trays: tuple[Tray, ...]
    description: str = ''
    unit_weight: float = 0.0
    """Kilograms per piece; 0 = not known."""
    prints: tuple[str, ...] = ()
    """Other texts that identify the part, e.g. the number with the maker's prefix."""
    ignore: tuple[str, ...] = ()
    """Regular expressions of printed text that is unrelated to the part number (date codes, maker)."""
    code: str = ''
    """Regular expression that matches the whole content of the part's barcode; "" = no barcode identifies it."""

    prefixes: tuple[str, ...] | None = None
    """Regular expressions of what a maker prints directly before the number ("SN|HD"); None = the matcher's defaults."""
    suffixes: tuple[str, ...] | None = None
    """The same for what follows the number (a package's letters)."""
    distinguishing_patterns: tuple[str, ...] = ()
    """Regular expressions of text that no lookalike carries: a match decides between them. Key `tells_apart` of the file."""

    required_patterns: tuple[str, ...] = ()
    """Regular expressions of text that must be read beside the number, e.g. its voltage. Key `also` of the file."""

    @property
    def printed_text(self) -> tuple[str, ...]:
        """Every text that identifies the part, the part number first."""
        return (self.part_number, *self.prints)


@dataclass(frozen=True)
class Catalogue:
    """All parts by part number, in the file's order."""

    parts: Mapping[str, Part]
    warnings: tuple[str, ...] = ()
    """One sentence for each group of part numbers that look alike."""


def fold_confusables(printed: str) -> str:
    """Return a text in upper case with characters that many fonts print alike folded, letters and digits only.

    O and Q become 0; I, L and | become 1; B becomes 8, S 5, Z 2, G 6. Two texts with the same result cannot be told apart by a
    camera.
    """
    return ''.join(c for c in printed.upper() if c.isalnum()).translate(_CONFUSABLES)


def lookalike_warnings(part_numbers: Iterable[str]) -> list[str]:
    """Return a sentence for each group of part numbers that many fonts print alike: a camera cannot distinguish them.

    Args:
        part_numbers: In the order in which the sentences name them.

    Returns:
        Sentences for the operator, with the remedy; empty if all numbers differ.
    """
    groups: dict[str, list[str]] = {}
    for part_number in part_numbers:
        groups.setdefault(fold_confusables(part_number), []).append(part_number)
    return [
        f'{" and ".join(group)} print alike: a reading of either is AMBIGUOUS. Tell them apart by another text on the part '
        '(prints), a barcode, or keep only one of them in the cell.'
        for group in groups.values()
        if len(group) > 1
    ]
