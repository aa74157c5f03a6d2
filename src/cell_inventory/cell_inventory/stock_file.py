"""Counts as a JSON file, for sites that migrate from a hand-made `inventory.json`.

One object: part number -> {"tray1": pieces, ... "tray4": pieces}. A missing tray keeps the catalogue's initial count.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cell_common.catalogue import TRAYS, Catalogue

_NAMES = {f'tray{tray}': tray for tray in TRAYS}


class StockFileError(ValueError):
    """The file cannot be used; the text lists all errors."""


def read_stock(text: str, catalogue: Catalogue) -> dict[tuple[str, int], int]:
    """Return (part number, tray) -> pieces.

    Raises:
        StockFileError: The text is not JSON, or has an unknown part, an unknown tray or a count outside 0..capacity.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise StockFileError(f'not JSON: {error}') from error
    if not isinstance(data, dict):
        raise StockFileError('it must be an object: part number -> {"tray1": pieces, ...}')
    messages: list[str] = []
    counts: dict[tuple[str, int], int] = {}
    for part_number, trays in data.items():
        part = catalogue.parts.get(part_number)
        if part is None or not isinstance(trays, dict):
            messages.append(f'{part_number}: not in the catalogue' if part is None else f'{part_number}: must be an object')
            continue
        capacities = {tray.tray: tray.capacity for tray in part.trays}
        for name, count in trays.items():
            if message := _error_of(name, count, capacities):
                messages.append(f'{part_number}: {message}')
            else:
                counts[part_number, _NAMES[name]] = count
    if messages:
        raise StockFileError('; '.join(messages))
    return counts


def write_stock(counts: Mapping[tuple[str, int], int]) -> str:
    """Return the file's text for (part number, tray) -> pieces."""
    parts: dict[str, dict[str, int]] = {}
    for (part_number, tray), count in sorted(counts.items()):
        parts.setdefault(part_number, {})[f'tray{tray}'] = count
    return json.dumps(parts, indent=2) + '\n'


def _error_of(name: str, count: object, capacities: Mapping[int, int]) -> str:
    if name not in _NAMES:
        return f'unknown key "{name}", use tray1 to tray4'
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= capacities[_NAMES[name]]:
        return f'{name} is {count!r}, it must be a whole number of 0 to {capacities[_NAMES[name]]}'
    return ''
