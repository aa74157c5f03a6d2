"""Read the part catalogue (config/parts.yaml) and check it as a whole: all errors are reported together.

pydantic checks each entry. Rules over several entries (unique letters, unique numbers, barcodes that exclude each other) run
on the raw YAML, so that they are reported even when an entry has an error of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from cell_common.catalogue import LETTERS, MOST_TRAYS, START_LETTER, Catalogue, CatalogueError, Part, Tray, lookalike_warnings
from cell_common.yaml_model import SourceFloat, SourceInt, StrictModel, YamlDocument, YamlError, load_yaml, validate

__all__ = ['load_catalogue', 'parse_catalogue']

MAX_NUMBER_LENGTH = 64
USUAL_TRAYS = 4
USUAL_CAPACITY = 24
_NAMES = {'parts': 'part_number'}
_PATTERN_KEYS = ('ignore', 'prefixes', 'suffixes', 'tells_apart', 'also')
_NEVER_EMPTY = frozenset({'ignore', 'tells_apart', 'also'})
"""Keys whose patterns are evidence: one that matches the empty text would always hold."""


def _unquoted(value: object) -> object:
    """Accept an unquoted number where text is wanted (`letter: 7`), unless YAML changed it: 0104 is 68."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    source = value.source if isinstance(value, SourceInt | SourceFloat) else str(value)
    if str(value) != source:
        # 1.50 would silently become 1.5, which is another number.
        raise ValueError(f"YAML reads {source} as the number {value}: put it in quotes, '{source}'")
    return str(value)


def _plain_count(value: object) -> object:
    """Reject a count that YAML does not read as decimal: 010 is 8."""
    if isinstance(value, SourceInt) and str(value) != value.source:
        raise ValueError(f'YAML reads {value.source} as {int(value)}: write the number without leading zeros, ":" or "_"')
    return value


Text = Annotated[str, BeforeValidator(_unquoted)]
Texts = list[Text]
Count = Annotated[int, BeforeValidator(_plain_count), Field(ge=0)]


class TrayEntry(StrictModel):
    """One entry of `trays`; its position in the list is the tray number."""

    count: Count
    capacity: Count
    low: Count = 0

    @model_validator(mode='after')
    def _check_capacity(self) -> TrayEntry:
        if max(self.count, self.low) > self.capacity:
            raise ValueError('count and low must not be more than capacity')
        return self


def _empty_trays() -> list[TrayEntry]:
    """Return the trays of a part whose entry names none, as in a catalogue for a first trial of the camera: all are empty."""
    return [TrayEntry(count=0, capacity=USUAL_CAPACITY) for _ in range(USUAL_TRAYS)]


class PartEntry(StrictModel):
    """One entry of `parts`.

    The fields have the names of the file's keys; `Part` says what they mean. Validators raise ValueError with a whole
    sentence, which `yaml_model` prefixes with line and place.
    """

    part_number: str
    description: Text = ''
    letter: Text
    unit_weight: Annotated[float, Field(ge=0.0, lt=1000.0)] = 0.0
    trays: list[TrayEntry] = Field(default_factory=_empty_trays)
    prints: Texts = Field(default_factory=list)
    ignore: Texts = Field(default_factory=list)
    code: str = ''
    prefixes: Texts | None = None
    suffixes: Texts | None = None
    tells_apart: Texts = Field(default_factory=list)
    also: Texts = Field(default_factory=list)

    @field_validator('part_number')
    @classmethod
    def _check_number(cls, value: str) -> str:
        if not value or not value.isascii() or not value.isprintable() or ' ' in value or len(value) > MAX_NUMBER_LENGTH:
            raise ValueError(
                f'part_number must be 1..{MAX_NUMBER_LENGTH} printable ASCII characters without blanks; '
                'give a print with blanks under prints'
            )
        if not any(c.isalnum() for c in value):
            raise ValueError(f'part_number "{value}" has no letter or digit: a camera cannot read it')
        return value

    @field_validator('letter')
    @classmethod
    def _check_letter(cls, value: str) -> str:
        if len(value) != 1 or value not in LETTERS:
            raise ValueError('letter must be one of A-Z a-z 0-9')
        # The other events can have other letters: parameter event_letters of the robot node, which finds clashes.
        if value == START_LETTER:
            raise ValueError(f'letter {value} is reserved for START_PROGRAM')
        return value

    @field_validator('trays', mode='before')
    @classmethod
    def _check_trays(cls, value: object) -> object:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_TRAYS:
            raise ValueError(f'trays must be a list of 1 to {MOST_TRAYS}, each {{count, capacity, low}}')
        return value

    @field_validator('prints', *_PATTERN_KEYS, mode='before')
    @classmethod
    def _check_list(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return None if info.field_name in {'prefixes', 'suffixes'} else []
        if not isinstance(value, list):
            example = f"{info.field_name}: ['{value}']" if isinstance(value, str) and value else f"{info.field_name}: ['...']"
            kind = 'texts' if info.field_name == 'prints' else 'regular expressions'
            raise ValueError(f'{info.field_name} must be a list of {kind}, each in quotes: {example}')
        return value

    @field_validator('prints')
    @classmethod
    def _check_prints(cls, values: list[str]) -> list[str]:
        for value in values:
            if not any(c.isalnum() for c in value):
                raise ValueError(f'prints holds "{value}", which has no letter or digit: remove it')
            if len(value) > MAX_NUMBER_LENGTH or not value.isprintable():
                raise ValueError(f'prints holds {value!r}: a text has 1..{MAX_NUMBER_LENGTH} printable characters in one line')
        return values

    @field_validator(*_PATTERN_KEYS)
    @classmethod
    def _check_patterns(cls, values: list[str] | None, info: ValidationInfo) -> list[str] | None:
        key = str(info.field_name)
        for value in values or ():
            pattern = _compile(value, key)
            if not value or (key in _NEVER_EMPTY and pattern.search('')):
                raise ValueError(f'{key} "{value}" also matches where nothing is printed: name the text it stands for')
        return values

    @field_validator('code', mode='before')
    @classmethod
    def _check_code(cls, value: object) -> object:
        if not isinstance(value, str) or (value and _compile(value, 'code').fullmatch('')):
            raise ValueError('code must be the text of its barcode, in quotes, or a regular expression for it')
        return value

    def part(self) -> Part:
        """Return the entry as a part of the catalogue, with the keys' names replaced by the code's."""
        return Part(
            part_number=self.part_number,
            letter=self.letter,
            trays=tuple(Tray(number, tray.count, tray.capacity, tray.low) for number, tray in enumerate(self.trays, 1)),
            description=self.description,
            unit_weight=self.unit_weight,
            prints=tuple(self.prints),
            ignore=tuple(self.ignore),
            code=self.code,
            prefixes=None if self.prefixes is None else tuple(self.prefixes),
            suffixes=None if self.suffixes is None else tuple(self.suffixes),
            distinguishing_patterns=tuple(self.tells_apart),
            required_patterns=tuple(self.also),
        )


class CatalogueFile(StrictModel):
    """The whole file: a mapping with the one key `parts`."""

    parts: list[PartEntry]


def load_catalogue(path: str | Path) -> Catalogue:
    """Read and check a catalogue file.

    Args:
        path: YAML file in UTF-8; see config/parts.yaml for a commented example.

    Returns:
        The parts, and warnings about numbers that look alike. Warnings do not stop a node.

    Raises:
        CatalogueError: The file cannot be read or has errors; the text names the file and lists all of them.
    """
    try:
        document = load_yaml(path)
    except OSError as error:
        raise CatalogueError(
            f'cannot read the part catalogue {path}: {error.strerror}. Check parameter catalogue_file.'
        ) from error
    except YamlError as error:
        raise CatalogueError(f'the part catalogue {path} has errors:\n{error}') from error
    try:
        return _catalogue(document)
    except YamlError as error:
        raise CatalogueError(f'the part catalogue {path} has errors:\n{error}') from error


def parse_catalogue(data: object, lines: Mapping[tuple[int | str, ...], int] | None = None) -> Catalogue:
    """Make a catalogue of parsed YAML: `{parts: [{part_number, letter, trays: [...]}, ...]}`.

    Args:
        data: What `yaml.safe_load` returns.
        lines: Line of each place in the data, as in YamlDocument; without them the messages carry no line numbers.

    Raises:
        CatalogueError: Lists all errors.
    """
    try:
        return _catalogue(YamlDocument(data, lines or {}))
    except YamlError as error:
        raise CatalogueError(str(error)) from error


def _catalogue(document: YamlDocument) -> Catalogue:
    data = document.data
    entries = data.get('parts') if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise YamlError(['it must hold a list "parts" with at least one part'])
    messages = [
        *_repeated(document, entries, 'part_number', 'keep one of them'),
        *_repeated(document, entries, 'letter', 'give each part a letter of its own'),
        *_ambiguous_codes(entries),
    ]
    try:
        parts = [entry.part() for entry in validate(CatalogueFile, document, _NAMES).parts]
    except YamlError as error:
        raise YamlError([*error.messages, *messages]) from error
    if messages:
        raise YamlError(messages)
    return Catalogue({part.part_number: part for part in parts}, tuple(lookalike_warnings(part.part_number for part in parts)))


def _compile(pattern: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f'{key} "{pattern}" is no regular expression: {error}') from error


def _repeated(document: YamlDocument, entries: Sequence[object], key: str, remedy: str) -> list[str]:
    """Return a message for each value of a key that several parts have.

    Args:
        document: Gives the line numbers.
        entries: Raw entries of `parts`; those that are no mapping are skipped, pydantic reports them.
        key: Key whose values must be unique.
        remedy: End of the message.
    """
    places: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and entry.get(key) is not None:
            places.setdefault(str(entry[key]), []).append(index)
    messages = []
    for value, indices in places.items():
        if len(indices) > 1:
            lines = [line for index in indices if (line := document.line(('parts', index, key)))]
            where = f'line {lines[-1]}: ' if lines else ''
            others = f' (also in line {", ".join(map(str, lines[:-1]))})' if lines else ''
            messages.append(f'{where}{key} "{value}" is used {len(indices)} times{others}: {remedy}')
    return messages


def _ambiguous_codes(entries: Iterable[object]) -> list[str]:
    """Return a message for each pair of parts where one's barcode pattern also matches the other's barcode.

    A pattern is compared with the text of the other pattern. That is exact for plain codes and a good guess for patterns.
    """
    coded = [
        (str(entry.get('part_number')), code) for entry in entries if isinstance(entry, dict) and (code := _code_of(entry))
    ]
    return [
        f'code "{code}" of {one} also matches that of {other}: make them differ'
        for (one, code), (other, another) in permutations(coded, 2)
        if code == another or re.fullmatch(another, code)
    ]


def _code_of(entry: Mapping[object, object]) -> str:
    """Return the barcode pattern of an entry, "" when it has none or the pattern is an error of its own."""
    code = entry.get('code')
    if not isinstance(code, str):
        return ''
    try:
        re.compile(code)
    except re.error:
        return ''
    return code
