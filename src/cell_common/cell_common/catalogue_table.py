"""The part catalogue as a table for spreadsheets (CSV), and back; as YAML for the catalogue file.

Spreadsheet programs write what the language of their user asks for: a comma, a semicolon or a tab between columns, a decimal
comma, a byte-order mark, UTF-16, or the code page of Windows. All are read. They also change values without a word: part
number 1E5 becomes 1,00E+05 and tray 1-2 a date. What looks changed is an error that names its row; rows are counted as in the
spreadsheet, with the titles in row 1.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

import yaml

from cell_common.catalogue import MOST_TRAYS, Catalogue, CatalogueError, Part
from cell_common.catalogue_file import parse_catalogue

__all__ = ['TABLE_COLUMNS', 'catalogue_csv', 'catalogue_yaml', 'changed_parts', 'parse_catalogue_csv']

TEXTS = ('part_number', 'description', 'letter', 'code')
LISTS = ('prints', 'ignore', 'prefixes', 'suffixes', 'tells_apart', 'also')
TABLE_COLUMNS = ('part_number', 'description', 'letter', 'unit_weight', 'code', *LISTS)
"""Titles besides those of the trays: count 1, capacity 1, low 1, count 2, ..."""
NONE = 'none'
"""In columns prefixes and suffixes: nothing is allowed there, where an empty cell means the usual texts."""
_TRAY = re.compile(r'(count|capacity|low) ?([1-9][0-9]{0,2})')
_SHORTENED = re.compile(r'[0-9]+([.,][0-9]+)?E\+[0-9]+', re.IGNORECASE)
_FORMULA = ('=', '+', '-', '@', '\t', '\r')
_Row = dict[str, str]


def catalogue_csv(catalogue: Catalogue) -> str:
    """Return the parts as a table with one row each; entries of a list stand in lines of their cell.

    Args:
        catalogue: Any catalogue; `parse_catalogue_csv` returns the same parts.
    """
    most = max(len(part.trays) for part in catalogue.parts.values())
    tray_columns = [f'{name} {number}' for number in range(1, most + 1) for name in ('count', 'capacity', 'low')]
    out = io.StringIO()
    table = csv.DictWriter(out, [*TABLE_COLUMNS, *tray_columns], restval='', lineterminator='\r\n')
    table.writeheader()
    for part in catalogue.parts.values():
        table.writerow({name: _guarded(text) for name, text in _cells(part).items()})
    return out.getvalue()


def catalogue_yaml(catalogue: Catalogue) -> str:
    """Return the text of a catalogue file; keys that have their usual value are left out."""
    entries = []
    for part in catalogue.parts.values():
        entry = {key: value for key, value in entry_of(part).items() if value not in ('', [], 0.0, None)}
        # An empty list of these means that nothing is allowed; a missing one means the usual texts.
        entry |= {key: [] for key, patterns in (('prefixes', part.prefixes), ('suffixes', part.suffixes)) if patterns == ()}
        entries.append(entry)
    return yaml.safe_dump({'parts': entries}, sort_keys=False, allow_unicode=True, width=120)


def entry_of(part: Part) -> dict[str, object]:
    """Return a part as its entry in the catalogue file."""
    return {
        'part_number': part.part_number,
        'description': part.description,
        'letter': part.letter,
        'unit_weight': part.unit_weight,
        'trays': [{'count': tray.count, 'capacity': tray.capacity, 'low': tray.low} for tray in part.trays],
        'prints': list(part.prints),
        'ignore': list(part.ignore),
        'code': part.code,
        'prefixes': None if part.prefixes is None else list(part.prefixes),
        'suffixes': None if part.suffixes is None else list(part.suffixes),
        'tells_apart': list(part.distinguishing_patterns),
        'also': list(part.required_patterns),
    }


def changed_parts(before: Catalogue, after: Catalogue) -> list[str]:
    """Return a sentence for each part that was added, removed or changed, with the changed keys."""
    sentences = [f'{number} is new' for number in after.parts if number not in before.parts]
    sentences += [f'{number} is removed' for number in before.parts if number not in after.parts]
    for number in [number for number in before.parts if number in after.parts]:
        old, new = entry_of(before.parts[number]), entry_of(after.parts[number])
        keys = [key for key in old if old[key] != new[key]]
        if keys:
            sentences.append(f'{number}: {", ".join(keys)} changed')
    return sentences


def parse_catalogue_csv(data: bytes) -> Catalogue:
    """Return the catalogue of a table, checked as a catalogue file is.

    Args:
        data: Content of the file.

    Raises:
        CatalogueError: Lists all errors, each with its row.
    """
    titles, rows = _table(_decoded(data))
    errors = _title_errors(titles)
    if errors:
        raise CatalogueError('\n'.join(f'  - {error}' for error in errors))
    entries: list[dict[str, object]] = []
    lines: dict[tuple[int | str, ...], int] = {}
    for number, row in rows:
        lines[('parts', len(entries))] = number
        part = row.get('part_number', '') or 'no part_number'
        try:
            entries.append(_entry(row))
        except ValueError as error:
            errors.append(f'  - row {number} ({part}): {error}')
    if errors:
        raise CatalogueError('\n'.join(errors))
    try:
        return parse_catalogue({'parts': entries}, lines)
    except CatalogueError as error:
        raise CatalogueError(re.sub(r'\bline (?=\d)', 'row ', str(error))) from error


def _decoded(data: bytes) -> str:
    if data.startswith((b'\xff\xfe', b'\xfe\xff')):
        return data.decode('utf-16', 'replace')
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError:
        return data.decode('cp1252', 'replace')


def _table(text: str) -> tuple[list[str], list[tuple[int, _Row]]]:
    """Return the titles, and the number and cells of each row that is not empty.

    Raises:
        CatalogueError: There is no table.
    """
    first, _, rest = text.partition('\n')
    if said := re.fullmatch(r'sep=(.)\r?', first, re.IGNORECASE):  # Excel's own word for its separator
        separator, text = said[1], rest
    else:
        separator = max(';,\t', key=first.count)
    begin = 2 if said else 1
    try:
        table = list(csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True))
    except csv.Error as error:
        raise CatalogueError(f'the table cannot be read: {error}: save it as CSV once more') from error
    if not table:
        raise CatalogueError('the table is empty')
    titles = [title.strip().lower() for title in table[0]]
    rows = []
    for number, cells in enumerate(table[1:], begin + 1):
        if any(cell.strip() for cell in cells):
            spare = [cell for cell in cells[len(titles) :] if cell.strip()]
            if spare:
                raise CatalogueError(f'row {number}: {len(cells)} cells, {len(titles)} titles: quote cells with "{separator}"')
            rows.append((number, dict(zip(titles, map(_unguarded, cells), strict=False))))
    return titles, rows


def _title_errors(titles: Sequence[str]) -> list[str]:
    twice = sorted({title for title in titles if title and titles.count(title) > 1})
    errors = [f'column "{title}" is there twice: keep one' for title in twice]
    known = {*TABLE_COLUMNS, ''}
    unknown = [title for title in titles if title not in known and not _TRAY.fullmatch(title)]
    columns = ', '.join((*TABLE_COLUMNS, 'count 1', 'capacity 1', 'low 1', '...'))
    errors += [f'column "{title}" is not known: the columns are {columns}' for title in unknown]
    errors += [f'column "{title}" is missing' for title in ('part_number', 'letter') if title not in titles]
    return errors


def _entry(row: Mapping[str, str]) -> dict[str, object]:
    """Return the entry of a row as in the catalogue file.

    Raises:
        ValueError: A number is none, or a text was changed by a spreadsheet program.
    """
    entry: dict[str, object] = {name: row[name].strip() for name in TEXTS if row.get(name, '').strip()}
    entry.setdefault('part_number', '')
    entry.setdefault('letter', '')
    if _SHORTENED.fullmatch(str(entry['part_number'])):
        raise ValueError(f'part_number {entry["part_number"]} was shortened by a spreadsheet: format the column as text')
    if weight := row.get('unit_weight', '').strip():
        entry['unit_weight'] = _decimal(weight)
    for name in LISTS:
        texts = [text.strip() for text in row.get(name, '').splitlines() if text.strip()]
        if texts:
            entry[name] = [] if texts == [NONE] and name in ('prefixes', 'suffixes') else texts
    trays = _trays(row)
    return {**entry, 'trays': trays} if trays else entry


def _decimal(text: str) -> float:
    """Return a number with a decimal point or a decimal comma."""
    if not re.fullmatch(r'[0-9]+([.,][0-9]+)?', text):
        raise ValueError(f'unit_weight is {text}: give kilograms as 0.038 or 0,038, without unit and thousands separator')
    return float(text.replace(',', '.'))


def _trays(row: Mapping[str, str]) -> list[dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for title, text in row.items():
        if (named := _TRAY.fullmatch(title)) and text.strip():
            if not re.fullmatch(r'[0-9]{1,9}', text.strip()):
                raise ValueError(f'{title} is {text.strip()}: give a whole number')
            found.setdefault(int(named[2]), {})[named[1]] = int(text)
    if found and (sorted(found) != list(range(1, len(found) + 1)) or len(found) > MOST_TRAYS):
        raise ValueError(f'trays {", ".join(map(str, sorted(found)))} are given: number them from 1 without a gap')
    return [found[number] for number in sorted(found)]


def _cells(part: Part) -> dict[str, str]:
    entry = entry_of(part)
    cells = {name: str(entry[name]) for name in TEXTS}
    cells['unit_weight'] = f'{part.unit_weight:g}'
    for name in LISTS:
        texts = entry[name]
        assert texts is None or isinstance(texts, list)
        cells[name] = NONE if texts == [] and name in ('prefixes', 'suffixes') else '\n'.join(texts or [])
    for tray in part.trays:
        cells |= {f'{name} {tray.tray}': str(getattr(tray, name)) for name in ('count', 'capacity', 'low')}
    return cells


def _guarded(text: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*_FORMULA, "'")) else text
