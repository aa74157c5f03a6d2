"""Strict ASCII grammar shared by all codecs: scale id, number, unit.

`float` and `Decimal` accept more than indicators send: nan, inf, 1_000, 1e3, Arabic digits. This grammar rejects all of these.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.domain.reading import ParsedLine, ReadingStatus
from cell_weighing.domain.units import SPELLINGS, UNITS

SCALE_ID = rb'[A-Za-z0-9][A-Za-z0-9_.-]{0,31}'
NUMBER = rb'(?:[0-9]{1,9}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})'
UNIT = b'(?i:' + '|'.join(sorted(SPELLINGS, key=len, reverse=True)).encode() + b')'

_NUMBER = re.compile(NUMBER)
_ID = re.compile(rb' *(' + SCALE_ID + rb') *,')
_DASHES = re.compile(rb'-[- .]*')
_UNIT = re.compile(UNIT)


def scale_id_of(line: bytes) -> str:
    """Return the id before the first comma of a malformed line, or ""."""
    found = _ID.match(line)
    return found[1].decode('ascii') if found else ''


def parse_number(field: bytes) -> str:
    """Return an unsigned number as text, or "" when the field is not a number.

    Args:
        field: At most 9 digits before the point and 6 after it.
    """
    return plain_digits(field) if _NUMBER.fullmatch(field) else ''


def plain_digits(field: bytes) -> str:
    """Return a field that follows `NUMBER` as text; ".5" and "12." get their zero and lose their point."""
    text = field.decode('ascii')
    if text[0] == '.':
        return f'0{text}'
    return text[:-1] if text[-1] == '.' else text


def strip_zeros(parsed: ParsedLine) -> ParsedLine:
    """Remove the zeros that fill a fixed width, of a weight that has any; return the same object."""
    if parsed.weight.startswith('0'):
        digits = parsed.weight.lstrip('0')
        parsed.weight = f'0{digits}' if digits[:1] in ('', '.') else digits
    return parsed


def unit_of(field: bytes) -> str:
    """Return the unit that a field names, without its spaces and in either case; "" = none that is known."""
    return SPELLINGS.get(field.strip(b' ').decode('latin-1').lower(), '')


def out_of_range(message: str, scale_id: str = '') -> ParsedLine:
    """Return the result for a line that says that there is no weight to use.

    Args:
        message: Cause and remedy for the operator.
        scale_id: The scale, "" = unknown.
    """
    return ParsedLine(scale_id, ReadingStatus.OUT_OF_RANGE, message=message)


def malformed(scale_id: str, message: str) -> ParsedLine:
    """Return the result for a line outside the grammar.

    Args:
        scale_id: The scale, "" = unknown.
        message: Cause for the operator.
    """
    return ParsedLine(scale_id, ReadingStatus.MALFORMED, message=message)


def parse_weight(scale_id: str, weight: bytes, unit: bytes, point: bytes = b'.') -> ParsedLine:
    """Parse a weight field and a unit field.

    Args:
        scale_id: Copied into the result.
        weight: The field as sent; spaces around it are allowed.
        unit: The field as sent; spaces around it are allowed.
        point: Decimal separator: a point, or a comma where the site uses it.

    Returns:
        VALID with weight and unit; OUT_OF_RANGE for dashes and for weights below zero; MALFORMED for everything else.
    """
    field, name = weight.strip(b' '), unit.strip(b' ')
    if _DASHES.fullmatch(field):
        message = 'the indicator shows dashes: it has no weight to give'
        return ParsedLine(scale_id, ReadingStatus.OUT_OF_RANGE, message=message)
    sign, digits = (field[:1], field[1:].lstrip(b' ')) if field[:1] in (b'+', b'-') else (b'', field)
    if point != b'.':
        # A point is not a digit group separator here: "1.234,5" could be one or the other, so it is
        # refused.
        digits = digits.replace(b'.', b'?').replace(point, b'.')
    value = parse_number(digits)
    if not value:
        return malformed(scale_id, 'the weight is not a number')
    if not _UNIT.fullmatch(name):
        return malformed(scale_id, f'the unit is not one of {", ".join(UNITS)}')
    if sign == b'-':
        message = 'the weight is below zero: empty the scale and set it to zero'
        return ParsedLine(scale_id, ReadingStatus.OUT_OF_RANGE, message=message)
    return ParsedLine(scale_id, ReadingStatus.VALID, value, unit_of(name))
