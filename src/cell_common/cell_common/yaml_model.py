"""Read a YAML file into a pydantic model; each error names its line, its place in the file and the remedy.

A validator of a model raises ValueError with a whole sentence, "letter D is reserved for START_PROGRAM", which is shown as is.
pydantic's own errors are shown in the words of `_MESSAGES`, after the key.

The file is composed into YAML nodes first, because only these know their lines. Then the data is constructed from them, with
the source text of each number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ['SourceFloat', 'SourceInt', 'StrictModel', 'YamlDocument', 'YamlError', 'load_yaml', 'parse_yaml', 'validate']

Location = tuple[int | str, ...]
ModelT = TypeVar('ModelT', bound=BaseModel)
# No file of the cell is nested this deeply; only an alias within its own anchor is.
_MAX_DEPTH = 20

_MESSAGES = {
    'missing': 'is missing',
    'string_type': 'must be text; put it in quotes',
    'int_type': 'must be a whole number',
    'float_type': 'must be a number',
    'bool_type': 'must be true or false',
    'finite_number': 'must be a finite number',
    'list_type': 'must be a list',
    'dict_type': 'must be a mapping',
    'model_type': 'is not a mapping',
    'greater_than': 'must be more than {gt}',
    'greater_than_equal': 'must be {ge} or more',
    'less_than': 'must be less than {lt}',
    'less_than_equal': 'must be {le} or less',
    'too_short': 'must have at least {min_length} entries',
    'too_long': 'must have at most {max_length} entries',
    'literal_error': 'must be {expected}',
}
"""pydantic's type of error -> what stands after the key; the names in braces are pydantic's context."""


class YamlError(ValueError):
    """A file cannot be read or does not fit its model; `messages` has one line for each error."""

    def __init__(self, messages: Sequence[str]) -> None:
        """Store the messages; the exception's text lists them, one a line."""
        super().__init__('\n'.join(f'  - {message}' for message in messages))
        self.messages = tuple(messages)


class StrictModel(BaseModel):
    """A model of a file: unknown keys are errors, and a value is never converted (the text "3" is no number).

    An unknown key is most often a misspelled one, whose value would otherwise be ignored without a word.
    """

    model_config = ConfigDict(extra='forbid', strict=True, frozen=True)


@dataclass(frozen=True)
class YamlDocument:
    """Parsed YAML with the line of each key and list entry."""

    data: object
    lines: Mapping[Location, int] = field(default_factory=dict)
    """Keys and indices on the way from the root -> line, from 1; empty where the data came from no file."""

    def line(self, location: Location) -> int | None:
        """Return the line of a location, or of the nearest one around it that the file has.

        Args:
            location: Keys and indices from the root, as in pydantic's `loc`.

        Returns:
            A line number from 1; None if the data came from no file.
        """
        for length in range(len(location), 0, -1):
            if (line := self.lines.get(location[:length])) is not None:
                return line
        return None


class SourceInt(int):
    """A whole number with the text that stood for it in the file: YAML reads 0104 as 68."""

    source: str = ''


class SourceFloat(float):
    """A number with the text that stood for it in the file: YAML reads 1.50 as 1.5."""

    source: str = ''


class _Loader(yaml.SafeLoader):
    """Keeps the text of each number, so that a validator can see what YAML 1.1 made of it: octal 010, sexagesimal 1:30."""

    def construct_source_int(self, node: yaml.ScalarNode) -> SourceInt:
        value = SourceInt(self.construct_yaml_int(node))
        value.source = node.value
        return value

    def construct_source_float(self, node: yaml.ScalarNode) -> SourceFloat:
        value = SourceFloat(self.construct_yaml_float(node))
        value.source = node.value
        return value


_Loader.add_constructor('tag:yaml.org,2002:int', _Loader.construct_source_int)
_Loader.add_constructor('tag:yaml.org,2002:float', _Loader.construct_source_float)


def load_yaml(path: str | Path) -> YamlDocument:
    """Read a YAML file.

    Args:
        path: File in UTF-8. Tags that create Python objects are rejected, as by yaml.safe_load.

    Returns:
        The data, with whole numbers as SourceInt and others as SourceFloat; None as data for an empty file.

    Raises:
        OSError: The file cannot be read.
        YamlError: The file is not YAML, or a key is given twice in one mapping; the message names the line.
    """
    try:
        text = Path(path).read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise YamlError([f'not YAML: {error}']) from error
    return parse_yaml(text)


def parse_yaml(text: str) -> YamlDocument:
    """Parse YAML; see `load_yaml`.

    Raises:
        YamlError: The text is not YAML, or a key is given twice in one mapping; the message names the line.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        # An empty file is valid YAML; the model reports what is missing.
        data = _construct(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError([f'line {line}: not YAML: {error.problem or error.context}']) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError([f'not YAML: {error}']) from error
    lines: dict[Location, int] = {}
    repeated: list[str] = []
    if node is not None:
        _collect_lines(node, (), lines, repeated)
    if repeated:
        raise YamlError(repeated)
    return YamlDocument(data, lines)


def validate(model: type[ModelT], document: YamlDocument, names: Mapping[str, str] | None = None) -> ModelT:
    """Return the model of a document.

    Args:
        model: A class derived from StrictModel.
        document: The parsed file.
        names: Key of a list -> field that names its entries in messages, e.g. {'parts': 'part_number'}.

    Returns:
        An instance of `model`; SourceInt and SourceFloat pass as int and float.

    Raises:
        YamlError: The document does not fit; all errors of the file are in it.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise YamlError([_message(detail, document, names or {}) for detail in details]) from error


def _construct(node: yaml.Node) -> object:
    return _Loader('').construct_document(node)


def _collect_lines(node: yaml.Node, location: Location, lines: dict[Location, int], repeated: list[str]) -> None:
    """Collect the line of each key and entry; YAML would silently drop all but the last of equal keys."""
    if len(location) > _MAX_DEPTH:  # an alias inside its own anchor
        return
    entries: list[tuple[int | str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        entries = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        entries = [(index, value, value) for index, value in enumerate(node.value)]
    for step, marked, value in entries:
        inner = (*location, step)
        line = marked.start_mark.line + 1
        if inner in lines:
            repeated.append(f'line {line}: key "{step}" is given twice, first in line {lines[inner]}: keep one of them')
            continue
        lines[inner] = line
        _collect_lines(value, inner, lines, repeated)


def _message(detail: ErrorDetails, document: YamlDocument, names: Mapping[str, str]) -> str:
    """Return one error of pydantic as a line: "line 7: part 3 (EM1-2U1): tray 1: low must be 0 or more"."""
    location, context = detail['loc'], detail.get('ctx', {})
    kind = detail['type']
    line = document.line(location)
    if kind == 'value_error':
        *around, text = *_places(location, document, names), str(context['error'])
        if location and isinstance(location[-1], str) and around:
            around.pop()  # the sentence of a validator names the key
    elif kind == 'extra_forbidden':
        around, text = _places(location[:-1], document, names), f'unknown key "{location[-1]}"'
    else:
        around = _places(location, document, names)
        words = _MESSAGES[kind].format(**context) if kind in _MESSAGES else detail['msg'].removeprefix('Input ')
        text = f'{around.pop() if around else "the file"} {words}'
    return ': '.join([*([f'line {line}'] if line else []), *around, text])


def _places(location: Location, document: YamlDocument, names: Mapping[str, str]) -> list[str]:
    """Return a location as words: ('parts', 2, 'trays', 0, 'low') -> ['part 3 (EM1-2U1)', 'tray 1', 'low']."""
    places: list[str] = []
    value = document.data
    for step in location:
        key = places[-1] if places else ''
        value = _child(value, step)
        if isinstance(step, int):
            field_name = names.get(key, '')
            name = value.get(field_name) if field_name and isinstance(value, Mapping) else None
            entry = f'{key.removesuffix("s")} {step + 1}' if key else f'entry {step + 1}'
            places[-1:] = [f'{entry} ({name or f"no {field_name}"})' if field_name else entry]
        else:
            places.append(step)
    return places


def _child(value: object, step: int | str) -> object:
    """Return the value one step below, None where the file has none."""
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
