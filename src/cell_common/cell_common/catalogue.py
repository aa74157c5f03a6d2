"""The part catalogue: what parts there are, how they print, which letter the robot knows them by, where they lie.

One YAML file (config/parts.yaml) is read by the nodes that need it. It is checked as a whole when it is loaded: every
problem is reported at once, each with the part it belongs to.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    'EVENT_LETTERS',
    'LETTERS',
    'START_LETTER',
    'TRAYS',
    'Catalogue',
    'CatalogueError',
    'Part',
    'Tray',
    'fold_confusables',
    'load_catalogue',
    'lookalike_warnings',
    'parse_catalogue',
]

TRAYS = (1, 2, 3, 4)
START_LETTER = 'D'
"""Starts the robot's program in every site; no part and no event may use it."""
EVENT_LETTERS: Mapping[str, str] = {'START_PROGRAM': START_LETTER, 'PLACE': 'P', 'REJECT': 'R', 'BENCHMARK': 'B', 'HOME': 'H'}
"""Default letters of the events that are not parts."""
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits

_ALIKE = str.maketrans({'O': '0', 'Q': '0', 'I': '1', 'L': '1', '|': '1', 'B': '8', 'S': '5', 'Z': '2', 'G': '6'})
_PART_KEYS = {
    'part_number',
    'description',
    'letter',
    'unit_weight',
    'trays',
    'prints',
    'ignore',
    'code',
    'prefixes',
    'suffixes',
    'tells_apart',
}
_TRAY_KEYS = {'count', 'capacity', 'low'}


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text lists every problem and where it is."""


@dataclass(frozen=True)
class Tray:
    """One tray of a part as it is first set up."""

    tray: int
    """1..4."""
    count: int
    """Pieces at first set-up."""
    capacity: int
    """Pieces it can hold."""
    low: int
    """Low-water mark, pieces."""


@dataclass(frozen=True)
class Part:
    """One part of the catalogue."""

    part_number: str
    letter: str
    """One character, unique; see LETTERS."""
    trays: tuple[Tray, ...]
    description: str = ''
    unit_weight: float = 0.0
    """Kilograms a piece; 0 = not known."""
    prints: tuple[str, ...] = ()
    """What may be printed on the part beside its part number, e.g. with the maker's prefix; empty = the part number alone."""
    ignore: tuple[str, ...] = ()
    """Regular expressions of text on the part that says nothing of its number (date codes, maker)."""
    code: str = ''
    """Regular expression that the whole content of the part's own barcode matches; "" = it carries none that names it."""

    prefixes: tuple[str, ...] | None = None
    """Regular expressions of what a maker prints right before the number ("SN|HD"); None = as usual for such a number."""
    suffixes: tuple[str, ...] | None = None
    """The same of what follows it (a package's letters)."""
    distinguishing_patterns: tuple[str, ...] = ()
    """Regular expressions of text that only this part carries, not those that print alike: found, it settles which it is."""

    @property
    def printed_text(self) -> tuple[str, ...]:
        """Every text that identifies the part."""
        return (self.part_number, *self.prints)


@dataclass(frozen=True)
class Catalogue:
    """All parts, by part number, in the file's order."""

    parts: Mapping[str, Part]
    warnings: tuple[str, ...] = field(default=())


def fold_confusables(printed: str) -> str:
    """Fold characters that many fonts print alike, and drop what is not a letter or digit."""
    return ''.join(c for c in printed.upper() if c.isalnum()).translate(_ALIKE)


def load_catalogue(path: str | Path) -> Catalogue:
    """Read and check a catalogue file.

    Raises:
        CatalogueError: The file cannot be read or something in it is wrong.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as problem:
        raise CatalogueError(
            f'cannot read the part catalogue {path}: {problem.strerror}. Check parameter catalogue_file.'
        ) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise CatalogueError(f'the part catalogue {path} is not YAML: {problem}') from problem
    try:
        return parse_catalogue(data)
    except CatalogueError as problem:
        raise CatalogueError(f'the part catalogue {path} has problems:\n{problem}') from problem


def parse_catalogue(data: Any) -> Catalogue:
    """Make a catalogue of parsed YAML: `{parts: [{part_number, letter, trays: [...]}, ...]}`.

    Raises:
        CatalogueError: Lists every problem.
    """
    problems: list[str] = []
    entries = data.get('parts') if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise CatalogueError('  it must hold a list "parts" with at least one part')
    parts = [part for number, entry in enumerate(entries, 1) if (part := _part(entry, number, problems))]
    problems += _repeated('part_number', (part.part_number for part in parts))
    problems += _repeated('letter', (part.letter for part in parts))
    problems += _same_codes(parts)
    if problems:
        raise CatalogueError('\n'.join(f'  - {problem}' for problem in problems))
    return Catalogue({part.part_number: part for part in parts}, tuple(lookalike_warnings(part.part_number for part in parts)))


def lookalike_warnings(part_numbers: Iterable[str]) -> list[str]:
    """Name the part numbers that print alike in many fonts, so that no camera can tell them apart by their number."""
    groups: dict[str, list[str]] = {}
    for part_number in part_numbers:
        groups.setdefault(fold_confusables(part_number), []).append(part_number)
    return [
        f'{" and ".join(group)} print alike: a reading of either is AMBIGUOUS. Tell them apart by another text on the part '
        '(prints), a barcode, or keep only one of them in the cell.'
        for group in groups.values()
        if len(group) > 1
    ]


def _repeated(what: str, values: Iterable[str]) -> list[str]:
    return [f'{what} "{value}" is used {times} times' for value, times in Counter(values).items() if times > 1]


def _part(entry: Any, number: int, problems: list[str]) -> Part | None:
    if not isinstance(entry, dict):
        problems.append(f'part {number} is not a mapping')
        return None
    name = str(entry.get('part_number') or '')
    where = f'part {number} ({name or "no part_number"})'
    before = len(problems)
    problems += [f'{where}: unknown key "{key}"' for key in sorted(set(map(str, entry)) - _PART_KEYS)]
    if not isinstance(entry.get('part_number', ''), str):
        problems.append(f'{where}: part_number must be text; put it in quotes')
    if not name or not name.isascii() or not name.isprintable() or ' ' in name or len(name) > 64:
        problems.append(f'{where}: part_number must be 1..64 printable ASCII characters without blanks')
    letter = str(entry.get('letter', ''))
    if len(letter) != 1 or letter not in LETTERS:
        problems.append(f'{where}: letter must be one of A-Z a-z 0-9')
    elif letter in EVENT_LETTERS.values():
        event = next(key for key, value in EVENT_LETTERS.items() if value == letter)
        problems.append(f'{where}: letter {letter} is reserved for {event}')
    weight = entry.get('unit_weight', 0.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < 1000:
        problems.append(f'{where}: unit_weight must be kilograms, 0 or more')
        weight = 0.0
    code = _code(entry.get('code', ''), where, problems)
    rules = {key: _rules(entry, key, where, problems) for key in ('ignore', 'prefixes', 'suffixes', 'tells_apart')}
    trays = _trays(entry.get('trays'), where, problems)
    if len(problems) > before:
        return None
    return Part(
        name,
        letter,
        trays,
        str(entry.get('description', '')),
        float(weight),
        tuple(map(str, entry.get('prints', ()))),
        rules['ignore'] or (),
        code,
        rules['prefixes'],
        rules['suffixes'],
        rules['tells_apart'] or (),
    )


def _rules(entry: Mapping[str, Any], key: str, where: str, problems: list[str]) -> tuple[str, ...] | None:
    """Return a list of regular expressions, None when the entry has none."""
    values = entry.get(key)
    if values is None:
        return None
    if not isinstance(values, list):
        problems.append(f'{where}: {key} must be a list of regular expressions, each in quotes')
        return None
    for value in map(str, values):
        try:
            re.compile(value)
        except re.error as problem:
            problems.append(f'{where}: {key} "{value}" is no regular expression: {problem}')
    return tuple(map(str, values))


def _code(value: Any, where: str, problems: list[str]) -> str:
    try:
        if isinstance(value, str) and (not value or not re.compile(value).fullmatch('')):
            return value
        problems.append(f'{where}: code must be the text of its barcode, in quotes, or a regular expression for it')
    except re.error as problem:
        problems.append(f'{where}: code "{value}" is no regular expression: {problem}')
    return ''


def _same_codes(parts: Sequence[Part]) -> list[str]:
    """Name the parts whose barcodes could not be told apart: the one's pattern takes the other's for its own."""
    coded = [part for part in parts if part.code]
    return [
        f'code "{one.code}" of {one.part_number} is taken for that of {other.part_number}, too: make them differ'
        for one, other in permutations(coded, 2)
        if one.code == other.code or re.fullmatch(other.code, one.code)
    ]


def _trays(entries: Any, where: str, problems: list[str]) -> tuple[Tray, ...]:
    if not isinstance(entries, list) or len(entries) != len(TRAYS):
        problems.append(f'{where}: trays must be a list of {len(TRAYS)}, each {{count, capacity, low}}')
        return ()
    result = []
    for tray, entry in zip(TRAYS, entries, strict=True):
        given = [entry.get(key) for key in ('count', 'capacity', 'low')] if isinstance(entry, dict) else []
        values = [value for value in given if isinstance(value, int) and not isinstance(value, bool) and value >= 0]
        if len(values) != len(_TRAY_KEYS):
            problems.append(f'{where}: tray {tray} needs count, capacity and low, whole numbers of 0 or more')
        elif not values[0] <= values[1] or not values[2] <= values[1]:
            problems.append(f'{where}: tray {tray}: count and low must not be more than capacity')
        else:
            result.append(Tray(tray, *values))
    return tuple(result)
