"""JSON of a stock file with the line of each value, and with the texts and numbers refused that cannot be written again.

Pure: no ROS, sockets, files or clock.

Python's JSON parser drops the positions, keeps the last of two equal names, and accepts NaN, 1e999 and texts that are no valid
Unicode (half of a surrogate pair). So its result is taken only if a second pass over the same text finds none of these.
"""

from __future__ import annotations

import json
import math
import re

__all__ = ['Path', 'StockFileError', 'listed', 'load', 'printable']

Path = tuple[str | int, ...]
"""Names and indexes that lead to a value."""
# A file of another kind has an error in every line, and the text must fit a health message.
_MOST_ERRORS = 10
# Far above any number of a stock file, and below the limit of Python's own conversion.
_MOST_DIGITS = 300
# Reading and writing recurse; a stock file has four levels.
_MOST_LEVELS = 100
_LONGEST_MESSAGE = 4000
_LONGEST_SHOWN = 60
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class StockFileError(ValueError):
    """The file cannot be used; the text lists each error with its line and the remedy, and is safe to log."""

    def __init__(self, message: str) -> None:
        """Make the message printable: it may hold names of the file.

        Args:
            message: Any text.
        """
        super().__init__(printable(message))


def printable(text: str, most: int = _LONGEST_MESSAGE) -> str:
    """Return a text that logs, messages and terminals take: cut, with escapes for lone surrogates and control characters.

    Args:
        text: Any text, also of a foreign file.
        most: Characters of `text` that are kept.
    """
    shown = ''.join(char if char.isprintable() else char.encode('unicode_escape').decode() for char in text[:most])
    return shown if len(text) <= most else f'{shown}...'


def load(text: str) -> tuple[object, dict[Path, int]]:
    """Return the data of a JSON text, and the line of each value by its path.

    Raises:
        StockFileError: Empty, not JSON, nested too deeply, a name that is listed twice, a number that is not finite or has
            hundreds of digits, or a text that is no valid Unicode.
    """
    if not text.strip():
        raise StockFileError('line 1: the file is empty: write it again, or delete it')
    try:
        data = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise StockFileError(
            f'line {error.lineno}: not JSON, {error.msg} (column {error.colno}): correct it, or write the file again'
        ) from error
    except RecursionError as error:
        raise StockFileError('line 1: not a stock file, it is nested too deeply') from error
    scan = _Scan(text)
    if scan.errors:
        raise StockFileError(listed(scan.errors))
    return data, scan.lines


def listed(errors: list[str]) -> str:
    """Return the first errors as one text, with the number of those that are left out."""
    left = len(errors) - _MOST_ERRORS
    return '; '.join(errors[:_MOST_ERRORS]) + (f'; and {left} more' if left > 0 else '')


def _integer(digits: str) -> int:
    """Return an integer; one with too many digits, which Python refuses without a position, is refused by the scan."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 0


class _Scan:
    """Second pass over a valid JSON text: lines of the values, and errors with their line."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.errors: list[str] = []
        self._line = 1
        self._walk(text)

    def _walk(self, text: str) -> None:
        """Read token by token. `path` is the place of the next value, `key` tells whether a text is a name."""
        stack: list[tuple[Path, set[str] | None]] = []
        path: Path = ()
        key = False
        position = 0
        for token in _TOKEN.finditer(text):
            self._line += text.count('\n', position, token.start())
            position = token.start()
            word = token.group()
            if word in '{[':
                if len(stack) >= _MOST_LEVELS:
                    self._add('not a stock file, it is nested too deeply')
                    return
                self.lines.setdefault(path, self._line)
                key = word == '{'
                stack.append((path, set() if key else None))
                path = path if key else (*path, 0)
            elif word in '}]':
                path, key = stack.pop()[0], False
            elif word == ',':
                parent, names = stack[-1]
                key = names is not None
                path = parent if key else (*parent, _index_after(path))
            elif word == ':':
                key = False
            elif key:
                path = (*stack[-1][0], self._name(word, stack[-1][1]))
                self.lines[path] = self._line
            else:
                self.lines.setdefault(path, self._line)
                self._check_value(word)

    def _name(self, word: str, names: set[str] | None) -> str:
        """Return a name of an object, and report one that the object has already."""
        name = self._text(word)
        if names is not None:
            if name in names:
                self._add(f'"{printable(name, _LONGEST_SHOWN)}" is listed twice: remove one of the entries')
            names.add(name)
        return name

    def _text(self, word: str) -> str:
        """Return a text without its escapes; two escapes together may be one valid character."""
        if '\\' not in word and word.isascii():
            return word[1:-1]
        text = str(json.loads(word))
        try:
            text.encode()
        except UnicodeEncodeError:
            self._add(f'"{printable(text, _LONGEST_SHOWN)}" is no valid Unicode: write it again')
        return text

    def _check_value(self, word: str) -> None:
        if word.startswith('"'):
            self._text(word)
        elif word not in ('true', 'false', 'null'):
            self._check_number(word)

    def _check_number(self, word: str) -> None:
        if len(word) > _MOST_DIGITS:
            self._add(f'a number has {len(word)} digits: give a whole number')
        # NaN and Infinity are accepted by Python's parser and unknown to JSON; 1e999 is read as Infinity.
        elif not math.isfinite(float(word)):
            self._add(f'{word} is not a count: give a whole number')

    def _add(self, message: str) -> None:
        self.errors.append(f'line {self._line}: {message}')


def _index_after(path: Path) -> int:
    last = path[-1]
    return last + 1 if isinstance(last, int) else 0
