"""Stock as a JSON file, as the replaced systems keep it in `inventory.json`.

Pure: no ROS, sockets, files or clock.

Three forms are read, and a file keeps its form when it is written again:

    {"default": {PN: [n1, n2, n3, n4]}, "current": {PN: [...]}, "job": {...}}
    {PN: [n1, n2, n3, n4]}
    [{"part_number": PN, "tray1": n1, ... "tray4": n4}], also as the value of one member "inventory"

In each place counts are a list with one for each tray, or an object {"tray1": n1, ...}. A tray that is not in the object keeps
its count.

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

__all__ = [
    'Capacities',
    'Counts',
    'Form',
    'StockFile',
    'StockFileError',
    'capacities_of',
    'changed_counts',
    'parse_stock',
    'read_stock',
    'write_stock',
]

Counts = Mapping[tuple[str, int], int]
"""(part number, tray) -> pieces."""
Capacities = Mapping[str, Mapping[int, int]]
"""Part number -> tray -> most pieces."""
_Path = tuple[str | int, ...]
OLD_TRAYS = 4
"""The replaced system has four trays a part: a file names at least these, with 0 for a tray that the part has not."""
_NAME = re.compile(r'tray([1-9][0-9]{0,2})')
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')
# A file of another kind has an error in every line.
_MOST_ERRORS = 10


class StockFileError(ValueError):
    """The file cannot be used; the text lists each error with its line and the remedy."""


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
    """Counts after a reset; empty where the form has none."""
    others: Mapping[str, object] = field(default_factory=lambda: {'job': {'part_number': '', 'quantity': 0}})
    """Other members of the full form, `job` among them. They are kept as they are."""

    def with_counts(self, counts: Counts) -> StockFile:
        """Return the same file with other counts; form, defaults and other members stay."""
        return replace(self, counts=dict(counts))


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
        StockFileError: The text is not JSON, or has an unknown part, an unknown tray or a count outside 0..capacity.
    """
    data = _load(text)
    reader = _Reader(capacities, _lines_of(text))
    if isinstance(data, list):
        result = StockFile(Form.ARRAY, reader.array(data, ()), others={})
    elif isinstance(data, dict) and isinstance(data.get('inventory'), list):
        others = {name: value for name, value in data.items() if name != 'inventory'}
        result = StockFile(Form.EVENT, reader.array(data['inventory'], ('inventory',)), others=others)
    elif isinstance(data, dict) and ('current' in data or 'default' in data):
        others = {name: value for name, value in data.items() if name not in ('default', 'current')}
        defaults = reader.mapping(data.get('default', {}), ('default',))
        current = reader.mapping(data['current'], ('current',)) if 'current' in data else defaults
        result = StockFile(Form.FULL, current, defaults, others)
    else:
        result = StockFile(Form.MAPPING, reader.mapping(data, ()), others={})
    if reader.errors:
        # The text becomes a health message, which must fit a page.
        left = len(reader.errors) - _MOST_ERRORS
        raise StockFileError('; '.join(reader.errors[:_MOST_ERRORS]) + (f'; and {left} more' if left > 0 else ''))
    return result


def write_stock(stock: Counts | StockFile) -> str:
    """Return the text of a file, with one part in a line; counts alone become a mapping.

    One part in a line keeps the file readable, and a difference of two files shows the parts that changed.

    Args:
        stock: Counts of all trays; a tray that is missing is written as 0.
    """
    file = stock if isinstance(stock, StockFile) else StockFile(Form.MAPPING, stock, others={})
    if file.form is Form.MAPPING:
        return _object_text(_rows(file.counts), 0) + '\n'
    if file.form in (Form.ARRAY, Form.EVENT):
        lines = [
            json.dumps({'part_number': part, **{f'tray{tray}': count for tray, count in trays.items()}}, ensure_ascii=False)
            for part, trays in _trays(file.counts).items()
        ]
        array = '[\n' + ',\n'.join(f'  {line}' for line in lines) + '\n]' if lines else '[]'
        if file.form is Form.ARRAY:
            return array + '\n'
        return _members_text({**{name: _dump(value) for name, value in file.others.items()}, 'inventory': array})
    # "default" and "current" first, as the old programs write them.
    members = {'default': _object_text(_rows(file.defaults), 2), 'current': _object_text(_rows(file.counts), 2)}
    return _members_text({**members, **{name: _dump(value) for name, value in file.others.items()}})


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

    def __init__(self, capacities: Capacities, lines: Mapping[_Path, int]) -> None:
        self._capacities = capacities
        self._lines = lines
        self.errors: list[str] = []

    def mapping(self, data: object, path: _Path) -> dict[tuple[str, int], int]:
        """Read part number -> counts."""
        if not isinstance(data, dict):
            self._add(path, f'{path[-1] if path else "the file"} must be an object: part number -> [tray 1, 2, 3, 4]')
            return {}
        counts: dict[tuple[str, int], int] = {}
        for part, trays in data.items():
            counts.update(self._part(part, trays, (*path, part)))
        return counts

    def array(self, data: list[object], path: _Path) -> dict[tuple[str, int], int]:
        """Read a list of {"part_number", "tray1", ...}."""
        counts: dict[tuple[str, int], int] = {}
        seen: set[str] = set()
        for number, entry in enumerate(data):
            place = (*path, number)
            part = entry.get('part_number') if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(part, str):
                self._add(place, 'each entry must be an object with "part_number" and its trays: "tray1", "tray2" and so on')
            elif part in seen:
                self._add(place, f'{part} is listed twice: remove one of the entries')
            else:
                seen.add(part)
                trays = {name: count for name, count in entry.items() if name != 'part_number'}
                counts.update(self._part(part, trays, place))
        return counts

    def _part(self, part: str, trays: object, path: _Path) -> Iterator[tuple[tuple[str, int], int]]:
        """Yield ((part number, tray), pieces) for each valid count of a part, and report the others."""
        capacities = self._capacities.get(part)
        if capacities is None:
            self._add(path, f'{part} is not in the catalogue: remove it here, or add it to the catalogue')
            return
        if isinstance(trays, list):
            if len(trays) < len(capacities) or len(trays) > max(OLD_TRAYS, len(capacities)):
                self._add(path, f'{part} has {len(trays)} counts: give one for each of the {len(capacities)} trays')
                return
            named: dict[str, object] = {f'tray{number}': count for number, count in enumerate(trays, 1)}
            places: list[_Path] = [(*path, index) for index in range(len(trays))]
        elif isinstance(trays, dict):
            named, places = trays, [(*path, name) for name in trays]
        else:
            self._add(path, f'{part} must be a list of {len(capacities)} counts')
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
                self._add(place, f'{part} has the unknown key "{name}": use tray1 to tray{max(capacities, default=0)}')
            # bool is a subclass of int in Python, and JSON's true is no count.
            elif isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
                self._add(place, f'{part} {name} is {_shown(count)}: give a whole number of 0 to {most}')
            else:
                yield (part, tray), count

    def _add(self, path: _Path, message: str) -> None:
        self.errors.append(f'line {self._lines.get(path, 1)}: {message}')


def _load(text: str) -> object:
    """Return the data of a JSON text.

    Raises:
        StockFileError: Empty, not JSON, NaN or Infinity, or a name that is listed twice.
    """
    if not text.strip():
        raise StockFileError('line 1: the file is empty: write it again, or delete it')
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise StockFileError(
            f'line {error.lineno}: not JSON, {error.msg} (column {error.colno}): correct it, or write the file again'
        ) from error
    except RecursionError as error:
        raise StockFileError('line 1: not a stock file, it is nested too deeply') from error
    except ValueError as error:
        raise StockFileError(f'{_line_of_name(text, str(error))}: {error}') from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of JSON; Python's parser would silently keep the last of equal names.

    Raises:
        ValueError: A name is there twice.
    """
    result: dict[str, object] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f'"{name}" is listed twice: remove one of the entries')
        result[name] = value
    return result


def _refuse_constant(name: str) -> object:
    """Refuse NaN and Infinity, which Python's parser accepts and JSON does not know.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f'{name} is not a count: give a whole number')


def _line_of_name(text: str, message: str) -> str:
    """Return "line N" of the last occurrence of the first word of a message.

    Python's JSON parser reports no position from its hooks. The first word is the name in question, and the second of two
    equal names is the last one.
    """
    return f'line {text.count(chr(10), 0, max(0, text.rfind(message.split(maxsplit=1)[0]))) + 1}'


def _lines_of(text: str) -> dict[_Path, int]:
    """Return the line of each value of a valid JSON text, by its path of names and indexes.

    A second pass with a tokenizer, because Python's JSON parser drops the positions. `path` is the place of the next value,
    `key` tells whether a text is a name.
    """
    lines: dict[_Path, int] = {}
    stack: list[tuple[_Path, bool]] = []
    path: _Path = ()
    key = False
    position, line = 0, 1
    for token in _TOKEN.finditer(text):
        line += text.count('\n', position, token.start())
        position = token.start()
        word = token.group()
        if word in '{[':
            lines.setdefault(path, line)
            stack.append((path, word == '{'))
            key = word == '{'
            path = path if key else (*path, 0)
        elif word in '}]':
            path, key = stack.pop()[0], False
        elif word == ',':
            parent, is_object = stack[-1]
            key = is_object
            path = parent if is_object else (*parent, _index_after(path))
        elif word == ':':
            key = False
        elif key:
            path = (*stack[-1][0], json.loads(word))
            lines[path] = line
        else:
            lines.setdefault(path, line)
    return lines


def _index_after(path: _Path) -> int:
    last = path[-1]
    return last + 1 if isinstance(last, int) else 0


def _trays(counts: Counts) -> dict[str, dict[int, int]]:
    parts: dict[str, dict[int, int]] = {}
    for (part, tray), count in sorted(counts.items()):
        parts.setdefault(part, dict.fromkeys(range(1, OLD_TRAYS + 1), 0))[tray] = count
    return parts


def _rows(counts: Counts) -> dict[str, str]:
    return {part: json.dumps(list(trays.values())) for part, trays in _trays(counts).items()}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object_text(members: Mapping[str, str], indent: int) -> str:
    if not members:
        return '{}'
    rows = [f'{" " * indent}  {_dump(name)}: {value}' for name, value in members.items()]
    return '{\n' + ',\n'.join(rows) + f'\n{" " * indent}}}'


def _members_text(members: Mapping[str, str]) -> str:
    return _object_text(members, 0) + '\n'


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 30 else f'{text[:30]}...'
