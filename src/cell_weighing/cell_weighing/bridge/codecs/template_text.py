"""Compiles the text of a print format to a pattern; see `template` for the tokens.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cell_weighing.bridge.codecs.grammar import NUMBER, SCALE_ID, UNIT, unit_of
from cell_weighing.domain.reading import Stability

_TOKEN = re.compile(r'\{([a-z_]*)(?:[:=]([^{}]*))?\}')
PATTERNS = {
    'id': SCALE_ID,
    'mode': rb'GROSS|NET|B/G|GS|NT|GR|[GNgn]',
    'status': rb'[SMOUE]?',
    'weight': rb'(?:\+ *)?' + NUMBER,
    'unit': UNIT,
    'net': rb'(?:\+ *)?' + NUMBER,
    'tare': rb'(?:' + NUMBER + rb')?',
    'tare_status': rb'(?:NT|PT|T)?',
    'skip': rb'[^,;\t]*?',
}
NUMBERS = ('weight', 'net', 'tare')
_WORDS = ('mode', 'unit', 'status', 'tare_status')
DEFAULT_STATUS = {'S': 'stable', 'M': 'motion', 'O': 'overload', 'U': 'underload', 'E': 'error'}
STABILITY = {'stable': Stability.STABLE, 'motion': Stability.IN_MOTION}


class TemplateError(ValueError):
    """The template cannot be used; the text says why."""


class Template:
    """A compiled print format."""

    def __init__(
        self, text: str, *, decimal_comma: bool = False, unit: str = '', required: Iterable[str] = ('weight', 'unit')
    ) -> None:
        """Compile the text of a print format.

        Args:
            text: Literal ASCII characters and tokens in braces.
            decimal_comma: Numbers have a decimal comma instead of a point.
            unit: Unit of lines that name none; "" = the text must have a unit.
            required: Tokens that the text must have.

        Raises:
            TemplateError: The text cannot be used.
        """
        self.text = text
        self.unit = unit
        """Unit of a line without one; "" = each line names its own."""
        self.decimals = 0
        """Digits behind the point that the numbers do not have; 0 = they have their own."""
        self.states = dict(DEFAULT_STATUS)
        """By status word: stable, motion, overload, underload or error."""
        parts = _TOKEN.split(text)
        names, values = parts[1::3], parts[2::3]
        literals = [literal.encode('ascii', 'replace') for literal in parts[0::3]]
        self.names: list[str] = []
        self.literals = literals[:1]
        for name, value, literal in zip(names, values, literals[1:], strict=True):
            if self._take_value(name, value):
                self.literals[-1] += literal
            else:
                self.names.append(name)
                self.literals.append(literal)
        self._validate(set(required), decimal_comma=decimal_comma)
        point = rb',' if decimal_comma else rb'\.'
        pattern = _literal_regex(self.literals[0])
        for place, (name, literal) in enumerate(zip(self.names, self.literals[1:], strict=True)):
            touching = place + 1 < len(self.names) and not literal
            pattern += rb'(' + self._pattern_of(name).replace(rb'\.', point) + rb')'
            pattern += rb' ?' if touching else _literal_regex(literal)
        self.pattern = re.compile(pattern)
        self.index = {name: place for place, name in enumerate(self.names)}
        self.places: list[tuple[str, int]] = [(name, place) for place, name in enumerate(self.names)]

    def split(self, line: bytes) -> dict[str, bytes] | None:
        """Split a line at the literals; None when one is missing.

        A space is searched from the right, because dashes may have spaces between them.
        """
        if not line.startswith(self.literals[0]):
            return None
        rest, fields = line[len(self.literals[0]) :].strip(b' '), {}
        for place, (name, literal) in enumerate(zip(self.names, self.literals[1:], strict=True)):
            if not literal:
                last = place + 1 == len(self.names)
                end = len(rest) if last else _end_of(rest, word=name not in NUMBERS)
                fields[name], rest = rest[:end], rest[end:]
                continue
            value, found, after = rest.rpartition(b' ') if literal.isspace() else rest.partition(literal.strip(b' '))
            if not found:
                return None
            fields[name], rest = value, after
        return fields if not rest.strip(b' ') else None

    def description(self) -> str:
        """Return the template for the operator, in quotes and without braces."""
        text = self.literals[0].decode('ascii')
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            text += name + literal.decode('ascii')
        return f'"{text}"'

    def _take_value(self, name: str, value: str | None) -> bool:
        """Apply the value of a token; return whether the token stands for no text of the line.

        Args:
            name: Token.
            value: Text after "=" or ":"; None without one.

        Raises:
            TemplateError: The value is not allowed for this token.
        """
        if not value:
            return False
        if name == 'unit':
            if not (unit := unit_of(value.encode('ascii', 'replace'))):
                raise TemplateError(f'template "{self.text}": "{value}" is not a unit')
            self.unit = unit
            return True
        if name == 'weight':
            if value not in ('1', '2', '3', '4', '5', '6'):
                raise TemplateError(f'template "{self.text}": {{weight:N}} needs a number of decimals from 1 to 6')
            self.decimals = int(value)
            return False
        pairs = [pair.partition('=') for pair in value.split('|')]
        if name != 'status' or any(not word or state not in DEFAULT_STATUS.values() for word, _, state in pairs):
            raise TemplateError(
                f'template "{self.text}": only {{status:WORD=state|...}} names words, with the states '
                + ', '.join(DEFAULT_STATUS.values())
            )
        self.states = {word: state for word, _, state in pairs}
        return False

    def _pattern_of(self, name: str) -> bytes:
        if name == 'status' and self.states != DEFAULT_STATUS:
            words = sorted((re.escape(word.encode()) for word in self.states), key=len, reverse=True)
            return rb'(?:' + b'|'.join(words) + rb')'
        if name in NUMBERS and self.decimals:
            return rb'(?:\+ *)?[0-9]{1,9}'
        return PATTERNS[name]

    def _validate(self, required: set[str], *, decimal_comma: bool) -> None:
        """Refuse unknown, missing, repeated and ambiguous tokens.

        Args:
            required: Tokens that the line must give.
            decimal_comma: Numbers may have a decimal comma.

        Raises:
            TemplateError: The first fault, with the remedy.
        """
        names, text = self.names, self.text
        unknown = [name for name in names if name not in PATTERNS]
        if unknown:
            raise TemplateError(
                f'template "{text}" has an unknown token {{{unknown[0]}}}; tokens are '
                + ', '.join(f'{{{name}}}' for name in PATTERNS)
            )
        repeated = [name for name in names if name != 'skip' and names.count(name) > 1]
        given = set(names) | ({'unit'} if self.unit else set())
        if repeated or not required <= given:
            raise TemplateError(
                f'template "{text}" must name {{weight}} and {{unit}} (or a fixed unit such as {{unit=kg}}), and no token twice'
            )
        if not text.isascii() or not text.isprintable():
            raise TemplateError(f'template "{text}" must be printable ASCII')
        for place, literal in enumerate(self.literals[1:-1]):
            pair = names[place : place + 2]
            if not literal and not (_is_number(pair[0]) != _is_number(pair[1]) and set(pair) <= {*NUMBERS, *_WORDS}):
                raise TemplateError(
                    f'template "{text}" needs a character between each two tokens; only a number and a word may touch'
                )
        if decimal_comma:
            self._validate_commas()

    def _validate_commas(self) -> None:
        """Refuse a comma between two numbers: it could as well be a decimal comma.

        Raises:
            TemplateError: The template has one.
        """
        for place, name in enumerate(self.names):
            commas = b',' in (self.literals[place][-1:], self.literals[place + 1][:1])
            if name in NUMBERS and commas and 'tare' in self.names:
                raise TemplateError(
                    f'template "{self.text}" cannot be read with decimal commas: use another character than '
                    'a comma between its fields'
                )


def _is_number(name: str) -> bool:
    return name in NUMBERS


def _end_of(rest: bytes, *, word: bool) -> int:
    """Return the length of a leading word, or of what precedes the next word."""
    letters = re.compile(rb'[A-Za-z/]*' if word else rb'[^A-Za-z/]*').match(rest)
    return letters.end() if letters else 0


def _literal_regex(literal: bytes) -> bytes:
    """Return the pattern of a literal: spaces may surround it, and a space needs at least one."""
    core = literal.strip(b' ')
    if literal and not core:
        return rb' '
    return rb' ?' + re.escape(core) + (rb' ?' if core else b'')
