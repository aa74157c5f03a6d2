"""Stock as a JSON file, as the replaced systems keep it in `inventory.json`.

Pure: no ROS, sockets, files or clock.

Three forms are read, and a file keeps its form when it is written again:

    {"default": {PN: [n1, n2, n3, n4]}, "current": {PN: [...]}, "job": {...}}
    {PN: [n1, n2, n3, n4]}
    [{"part_number": PN, "tray1": n1, ... "tray4": n4}], also as the value of one member "inventory"

In each place counts are a list with one for each tray, or an object {"tray1": n1, ...}. A tray that is not in the object keeps
its count, and in "default" it keeps the catalogue's.

The old programs read these files with their own code, so nothing is added to them: no version, no comment, no other order of
trays. Errors name the line, since people edit the file by hand.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cell_common.catalogue import Catalogue

from cell_inventory.json_lines import Path, StockFileError, listed, load, printable

__all__ = [
    'NO_JOB',
    'Capacities',
    'Counts',
    'Form',
    'StockFile',
    'StockFileError',
    'capacities_of',
    'changed_counts',
    'new_stock_file',
    'parse_stock',
    'read_stock',
    'write_stock',
]

Counts = Mapping[tuple[str, int], int]
"""(part number, tray) -> pieces."""
Capacities = Mapping[str, Mapping[int, int]]
"""Part number -> tray -> most pieces."""
OLD_TRAYS = 4
"""The replaced system has four trays a part: a file names at least these, with 0 for a tray that the part has not."""
NO_JOB: Mapping[str, object] = {'part_number': '—', 'quantity': 0}
"""Member `job` of the replaced system when no job is set; files of others also have an empty part number."""
_NAME = re.compile(r'tray([1-9][0-9]{0,2})')


class Form(enum.Enum):
    """Arrangement of the counts in a file."""

    FULL = 'default, current and job'
    MAPPING = 'part number -> counts'
    ARRAY = 'list of parts'
    EVENT = 'list of parts in an object'


@dataclass(frozen=True)
class StockFile:
    """Content of a stock file."""

    form: Form = Form.FULL
    counts: Counts = field(default_factory=dict)
    defaults: Counts = field(default_factory=dict)
    """Counts after a reset, of the trays that the file names; empty where the form has none."""
    others: Mapping[str, object] = field(default_factory=dict)
    """Other members, `default` and `job` among them. They are written as they were read."""
    objects: frozenset[str] = frozenset()
    """Parts whose counts are an object {"tray1": n1, ...}; the others have a list."""

    def with_counts(self, counts: Counts) -> StockFile:
        """Return the same file with other counts; form, defaults and other members stay."""
        return replace(self, counts=dict(counts))


def new_stock_file(counts: Counts, defaults: Counts) -> StockFile:
    """Return a file of the full form as the replaced system begins it, with its cleared job.

    Args:
        counts: Pieces of all trays.
        defaults: Pieces of all trays after a reset.
    """
    rows = {part: list(trays.values()) for part, trays in _trays(defaults).items()}
    return StockFile(counts=counts, defaults=defaults, others={'default': rows, 'job': dict(NO_JOB)})


def capacities_of(catalogue: Catalogue) -> Capacities:
    """Return the capacity of each tray of the catalogue."""
    return {number: {tray.tray: tray.capacity for tray in part.trays} for number, part in catalogue.parts.items()}


def read_stock(text: str, catalogue: Catalogue) -> dict[tuple[str, int], int]:
    """Return the current counts of a file of any form.

    Args:
        text: Content of the file.
        catalogue: The parts that the cell knows.

    Raises:
        StockFileError: See `parse_stock`.
    """
    return dict(parse_stock(text, capacities_of(catalogue)).counts)


def parse_stock(text: str, capacities: Capacities) -> StockFile:
    """Read a file of any form.

    The form is recognized by its members. A full file without "current" has its "default" as the current counts.

    Args:
        text: Content of the file.
        capacities: The parts that the cell knows, and what their trays hold.

    Returns:
        The counts, complete or not: a part that is not in the file is not in them.

    Raises:
        StockFileError: The text is not JSON or cannot be written again as it is (see `json_lines`), or has an unknown part,
            an unknown tray or a count outside 0..capacity.
    """
    data, lines = load(text)
    reader = _Reader(capacities, lines)
    if isinstance(data, list):
        result = StockFile(Form.ARRAY, reader.array(data, ()), others={})
    elif isinstance(data, dict) and isinstance(data.get('inventory'), list):
        others = {name: value for name, value in data.items() if name != 'inventory'}
        result = StockFile(Form.EVENT, reader.array(data['inventory'], ('inventory',)), others=others)
    elif isinstance(data, dict) and ('current' in data or 'default' in data):
        others = {name: value for name, value in data.items() if name != 'current'}
        defaults = reader.mapping(data.get('default', {}), ('default',))
        if 'current' in data:
            reader.objects.clear()
        current = reader.mapping(data['current'], ('current',)) if 'current' in data else defaults
        result = StockFile(Form.FULL, current, defaults, others)
    else:
        result = StockFile(Form.MAPPING, reader.mapping(data, ()), others={})
    if reader.errors:
        raise StockFileError(listed(reader.errors))
    return replace(result, objects=frozenset(reader.objects))


def write_stock(stock: Counts | StockFile) -> str:
    """Return the text of a file, with one part in a line; counts alone become a mapping.

    One part in a line keeps the file readable, and a difference of two files shows the parts that changed.

    Args:
        stock: Counts of all trays; a tray that is missing is written as 0.
    """
    file = stock if isinstance(stock, StockFile) else StockFile(Form.MAPPING, stock, others={})
    if file.form is Form.MAPPING:
        return _object_text(_rows(file), 0) + '\n'
    if file.form in (Form.ARRAY, Form.EVENT):
        lines = [_dump({'part_number': part, **_named(trays)}) for part, trays in _trays(file.counts).items()]
        array = '[\n' + ',\n'.join(f'  {line}' for line in lines) + '\n]' if lines else '[]'
        if file.form is Form.ARRAY:
            return array + '\n'
        return _members_text({**{name: _dump(value) for name, value in file.others.items()}, 'inventory': array})
    # "default" and "current" first, as the old programs write them.
    default = file.others.get('default')
    rows = {part: _dump(counts) for part, counts in default.items()} if isinstance(default, dict) else {}
    members = {'default': _object_text(rows, 2)} if 'default' in file.others else {}
    members['current'] = _object_text(_rows(file), 2)
    return _members_text({**members, **{name: _dump(value) for name, value in file.others.items() if name != 'default'}})


def changed_counts(file: Counts, agreed: Counts, ledger: Counts) -> dict[tuple[str, int], int]:
    """Return the counts to book after another program has written the file.

    A tray counts as changed when its count differs from the one on which file and ledger agreed last. The other trays keep
    the ledger's counts, which may be newer than the file.

    Args:
        file: Counts in the file.
        agreed: Counts on which file and ledger agreed last; a tray that is missing here counts as changed.
        ledger: Counts by the ledger.
    """
    return {key: count for key, count in file.items() if agreed.get(key) != count and ledger.get(key) != count}


class _Reader:
    """Collects counts and errors of one file.

    Errors do not stop the reading, so that all of them are reported at once.
    """

    def __init__(self, capacities: Capacities, lines: Mapping[Path, int]) -> None:
        self._capacities = capacities
        self._lines = lines
        self.errors: list[str] = []
        self.objects: set[str] = set()
        """Parts whose counts are an object."""

    def mapping(self, data: object, path: Path) -> dict[tuple[str, int], int]:
        """Read part number -> counts."""
        if not isinstance(data, dict):
            self._add(path, f'{path[-1] if path else "the file"} must be an object: part number -> [tray 1, 2, 3, 4]')
            return {}
        counts: dict[tuple[str, int], int] = {}
        for part, trays in data.items():
            counts.update(self._part(part, trays, (*path, part)))
        return counts

    def array(self, data: list[object], path: Path) -> dict[tuple[str, int], int]:
        """Read a list of {"part_number", "tray1", ...}."""
        counts: dict[tuple[str, int], int] = {}
        seen: set[str] = set()
        for number, entry in enumerate(data):
            place = (*path, number)
            part = entry.get('part_number') if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(part, str):
                self._add(place, 'each entry must be an object with "part_number" and its trays: "tray1", "tray2" and so on')
            elif part in seen:
                self._add(place, f'{_name(part)} is listed twice: remove one of the entries')
            else:
                seen.add(part)
                trays = {name: count for name, count in entry.items() if name != 'part_number'}
                counts.update(self._part(part, trays, place))
        return counts

    def _part(self, part: str, trays: object, path: Path) -> Iterator[tuple[tuple[str, int], int]]:
        """Yield ((part number, tray), pieces) for each valid count of a part, and report the others."""
        capacities, shown = self._capacities.get(part), _name(part)
        if capacities is None:
            self._add(path, f'{shown} is not in the catalogue: remove it here, or add it to the catalogue')
            return
        if isinstance(trays, list):
            if len(trays) < len(capacities) or len(trays) > max(OLD_TRAYS, len(capacities)):
                self._add(path, f'{shown} has {len(trays)} counts: give one for each of the {len(capacities)} trays')
                return
            named: dict[str, object] = {f'tray{number}': count for number, count in enumerate(trays, 1)}
            places: list[Path] = [(*path, index) for index in range(len(trays))]
        elif isinstance(trays, dict):
            self.objects.add(part)
            named, places = trays, [(*path, name) for name in trays]
        else:
            self._add(path, f'{shown} must be a list of {len(capacities)} counts')
            return
        for (name, value), place in zip(named.items(), places, strict=True):
            numbered = _NAME.fullmatch(name)
            tray = int(numbered[1]) if numbered else 0
            # Tables and spreadsheets write 3 as 3.0.
            count = int(value) if isinstance(value, float) and value.is_integer() else value
            most = capacities.get(tray)
            if most is None and 1 <= tray <= OLD_TRAYS and type(count) is int and not count:
                continue
            if most is None:
                self._add(place, f'{shown} has the unknown key "{_name(name)}": use tray1 to tray{max(capacities, default=0)}')
            # bool is a subclass of int in Python, and JSON's true is no count.
            elif isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
                self._add(place, f'{shown} {_name(name)} is {_shown(count)}: give a whole number of 0 to {most}')
            else:
                yield (part, tray), count

    def _add(self, path: Path, message: str) -> None:
        self.errors.append(f'line {self._lines.get(path, 1)}: {message}')


def _trays(counts: Counts) -> dict[str, dict[int, int]]:
    parts: dict[str, dict[int, int]] = {}
    for (part, tray), count in sorted(counts.items()):
        parts.setdefault(part, dict.fromkeys(range(1, OLD_TRAYS + 1), 0))[tray] = count
    return parts


def _rows(file: StockFile) -> dict[str, str]:
    return {
        part: _dump(_named(trays) if part in file.objects else list(trays.values()))
        for part, trays in _trays(file.counts).items()
    }


def _named(trays: Mapping[int, int]) -> dict[str, int]:
    return {f'tray{tray}': count for tray, count in trays.items()}


def _dump(value: object) -> str:
    # NaN and Infinity are not JSON; `load` lets none of them in.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _object_text(members: Mapping[str, str], indent: int) -> str:
    if not members:
        return '{}'
    rows = [f'{" " * indent}  {_dump(name)}: {value}' for name, value in members.items()]
    return '{\n' + ',\n'.join(rows) + f'\n{" " * indent}}}'


def _members_text(members: Mapping[str, str]) -> str:
    return _object_text(members, 0) + '\n'


def _name(name: str) -> str:
    return printable(name, 60)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 30 else f'{text[:30]}...'
