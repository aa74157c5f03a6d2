"""Read the part catalogue (config/parts.yaml) and check it as a whole: all errors are reported together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from cell_common.catalogue import EVENT_LETTERS, LETTERS, TRAYS, Catalogue, CatalogueError, Part, Tray, lookalike_warnings
from cell_common.yaml_model import StrictModel, YamlDocument, YamlError, load_yaml, validate

__all__ = ['load_catalogue', 'parse_catalogue']

MAX_NUMBER_LENGTH = 64
_NAMES = {'parts': 'part_number'}


def _unquoted(value: object) -> object:
    """Accept an unquoted number where text is wanted: `letter: 7`."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_unquoted)]
Texts = list[Text]
Count = Annotated[int, Field(ge=0)]


class TrayEntry(StrictModel):
    """One entry of `trays`."""

    count: Count
    capacity: Count
    low: Count

    @model_validator(mode='after')
    def _check_capacity(self) -> TrayEntry:
        if max(self.count, self.low) > self.capacity:
            raise ValueError('count and low must not be more than capacity')
        return self


class PartEntry(StrictModel):
    """One entry of `parts`."""

    part_number: str
    description: Text = ''
    letter: Text
    unit_weight: Annotated[float, Field(ge=0.0, lt=1000.0)] = 0.0
    trays: list[TrayEntry]
    prints: Texts = Field(default_factory=list)
    ignore: Texts = Field(default_factory=list)
    code: str = ''
    prefixes: Texts | None = None
    suffixes: Texts | None = None
    tells_apart: Texts = Field(default_factory=list)

    @field_validator('part_number')
    @classmethod
    def _check_number(cls, value: str) -> str:
        if not value or not value.isascii() or not value.isprintable() or ' ' in value or len(value) > MAX_NUMBER_LENGTH:
            raise ValueError(f'part_number must be 1..{MAX_NUMBER_LENGTH} printable ASCII characters without blanks')
        return value

    @field_validator('letter')
    @classmethod
    def _check_letter(cls, value: str) -> str:
        if len(value) != 1 or value not in LETTERS:
            raise ValueError('letter must be one of A-Z a-z 0-9')
        for event, letter in EVENT_LETTERS.items():
            if value == letter:
                raise ValueError(f'letter {value} is reserved for {event}')
        return value

    @field_validator('trays', mode='before')
    @classmethod
    def _check_trays(cls, value: object) -> object:
        if not isinstance(value, list) or len(value) != len(TRAYS):
            raise ValueError(f'trays must be a list of {len(TRAYS)}, each {{count, capacity, low}}')
        return value

    @field_validator('ignore', 'prefixes', 'suffixes', 'tells_apart', mode='before')
    @classmethod
    def _check_list(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return None if info.field_name in {'prefixes', 'suffixes'} else []
        if not isinstance(value, list):
            raise ValueError(f'{info.field_name} must be a list of regular expressions, each in quotes')
        return value

    @field_validator('ignore', 'prefixes', 'suffixes', 'tells_apart')
    @classmethod
    def _check_patterns(cls, values: list[str] | None, info: ValidationInfo) -> list[str] | None:
        for value in values or ():
            _compile(value, str(info.field_name))
        return values

    @field_validator('code', mode='before')
    @classmethod
    def _check_code(cls, value: object) -> object:
        if not isinstance(value, str) or (value and _compile(value, 'code').fullmatch('')):
            raise ValueError('code must be the text of its barcode, in quotes, or a regular expression for it')
        return value

    def part(self) -> Part:
        """Return the entry as a part of the catalogue."""
        return Part(
            part_number=self.part_number,
            letter=self.letter,
            trays=tuple(
                Tray(number, tray.count, tray.capacity, tray.low) for number, tray in zip(TRAYS, self.trays, strict=True)
            ),
            description=self.description,
            unit_weight=self.unit_weight,
            prints=tuple(self.prints),
            ignore=tuple(self.ignore),
            code=self.code,
            prefixes=None if self.prefixes is None else tuple(self.prefixes),
            suffixes=None if self.suffixes is None else tuple(self.suffixes),
            distinguishing_patterns=tuple(self.tells_apart),
        )


class CatalogueFile(StrictModel):
    """The whole file."""

    parts: list[PartEntry]


def load_catalogue(path: str | Path) -> Catalogue:
    """Read and check a catalogue file.

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


def parse_catalogue(data: object) -> Catalogue:
    """Make a catalogue of parsed YAML: `{parts: [{part_number, letter, trays: [...]}, ...]}`.

    Raises:
        CatalogueError: Lists all errors.
    """
    try:
        return _catalogue(YamlDocument(data))
    except YamlError as error:
        raise CatalogueError(str(error)) from error


def _catalogue(document: YamlDocument) -> Catalogue:
    data = document.data
    entries = data.get('parts') if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise YamlError(['it must hold a list "parts" with at least one part'])
    messages = _repeated(entries, 'part_number') + _repeated(entries, 'letter')
    try:
        parts = [entry.part() for entry in validate(CatalogueFile, document, _NAMES).parts]
    except YamlError as error:
        raise YamlError([*error.messages, *messages]) from error
    messages += _ambiguous_codes(parts)
    if messages:
        raise YamlError(messages)
    return Catalogue({part.part_number: part for part in parts}, tuple(lookalike_warnings(part.part_number for part in parts)))


def _compile(pattern: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f'{key} "{pattern}" is no regular expression: {error}') from error


def _repeated(entries: Iterable[object], key: str) -> list[str]:
    values = Counter(str(entry[key]) for entry in entries if isinstance(entry, dict) and key in entry)
    return [f'{key} "{value}" is used {times} times' for value, times in values.items() if times > 1]


def _ambiguous_codes(parts: Sequence[Part]) -> list[str]:
    """Return a message for each pair of parts where one's barcode pattern also matches the other's barcode."""
    coded = [part for part in parts if part.code]
    return [
        f'code "{one.code}" of {one.part_number} also matches that of {other.part_number}: make them differ'
        for one, other in permutations(coded, 2)
        if one.code == other.code or re.fullmatch(other.code, one.code)
    ]
