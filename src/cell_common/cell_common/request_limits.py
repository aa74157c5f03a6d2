"""Limits that every request has to keep, whatever its service: they are checked before its callback.

A number above 2^63 - 1 fits no column of a database, and a text of a megabyte no page. A request outside the limits is
answered with INVALID_ARGUMENT.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ['LONGEST_ID', 'LONGEST_TEXT', 'MOST_ITEMS', 'MessageLike', 'request_error', 'storable']

# Integers of SQLite and PostgreSQL have 64 bits with a sign; uint64 of ROS does not fit.
LARGEST_NUMBER = 2**63 - 1
LONGEST_TEXT = 10_000
"""Characters of a text field."""
LONGEST_ID = 64
"""Characters of each text of a CommandInfo, as in the columns of the audit."""
MOST_ITEMS = 10_000
"""Elements of a list that are checked one by one; a list of messages or texts may not be longer."""
_SHOWN = 40
_COMMAND_INFO = 'cell_interfaces/CommandInfo'
_WIDE = ('uint64', 'int64')


class MessageLike(Protocol):
    """A generated message or request."""

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Return the type of each field by name."""
        ...


def request_error(request: MessageLike) -> str:
    """Return which field of a request is outside its limits, or "" if all are within.

    Args:
        request: A request, or the goal of an action.
    """
    return next(_errors(request, '', LONGEST_TEXT), '')


def storable(text: str, most: int = LONGEST_TEXT) -> str:
    """Return a text that every database and every message takes: cut, without NUL and without lone surrogates."""
    return text[:most].replace('\x00', '\ufffd').encode('utf-8', 'replace').decode('utf-8')


def _errors(message: MessageLike, prefix: str, longest: int) -> Iterator[str]:
    for name, kind in message.get_fields_and_field_types().items():
        element = kind.removeprefix('sequence<').removesuffix('>').split('[')[0].split(',')[0]
        if not ('/' in element or element in _WIDE or element.startswith(('string', 'wstring'))):
            continue
        value = getattr(message, name)
        limit = LONGEST_ID if element == _COMMAND_INFO else longest
        if element == kind:
            yield from _errors_of(value, prefix + name, limit)
        elif len(value) > MOST_ITEMS:
            yield f'{prefix}{name} has {len(value)} elements: give at most {MOST_ITEMS}'
        else:
            for index, item in enumerate(value):
                yield from _errors_of(item, f'{prefix}{name}[{index}]', limit)


def _errors_of(value: MessageLike | str | int, name: str, longest: int) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > longest:
            yield f'{name} has {len(value)} characters ("{value[:_SHOWN]}..."): give at most {longest}'
    elif isinstance(value, int):
        if value > LARGEST_NUMBER:
            yield f'{name} is {value}: give at most {LARGEST_NUMBER}'
    else:
        yield from _errors(value, name + '.', longest)
