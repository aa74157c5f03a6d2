"""Automatic output of Rinstrum indicators, formats 1 to 6 (A to F of newer ones), for example `<STX>   12.345G    kg<ETX>`.

sign, weight in 7 characters, then
1     G N U O M E                                          the unit is configured
2, 6  G N U O E, motion M, zero Z, range - 1 2, unit       a blank unit also means motion
3     G N, motion M or S, I O U, zero Z                    the unit is configured
5     unit K G L T, G N, motion M, O I                     ends with CR LF
4     OL ST US, GR NT, sign, weight, unit                  no STX
U underload, O overload, E and I error. The record names no scale: the address of the connection does (parameter `peers`).

Sources: Rinstrum R320 Reference Manual 003R-682-119, 9.4; Rinstrum C530 manual, 8.2.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_weight
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

_WEIGHT = rb'([- +]?[ 0-9.-]{1,9})'
_FORMATS = tuple(
    (re.compile(pattern), names)
    for pattern, names in (
        (_WEIGHT + rb'([GNUOME])', ('weight', 'state')),
        (_WEIGHT + rb'([GNUOE])([MS ])[Z ][-12 ] *([A-Za-z]{0,3}) *', ('weight', 'state', 'motion', 'unit')),
        (_WEIGHT + rb'([GN])([MS])([IOU ])[Z ] {0,2}', ('weight', 'mode', 'motion', 'state')),
        (_WEIGHT + rb' ?([KGLT])([GN])([MOI ]?)', ('weight', 'letter', 'mode', 'state')),
        (rb'(OL|ST|US),?(GR|GS|NT),?' + _WEIGHT + rb' {0,2}([A-Za-z]{1,2})', ('state', 'mode', 'weight', 'unit')),
    )
)
_NO_WEIGHT = {
    b'U': 'underload: set the scale to zero',
    b'O': 'overload: take weight off the scale',
    b'OL': 'overload: take weight off the scale',
    b'E': 'the indicator reports an error: see its display',
    b'I': 'the indicator reports an error: see its display',
}
_LETTERS = {b'K': b'kg', b'G': b'g', b'L': b'lb', b'T': b't'}


class RinstrumCodec(LineCodec):
    """Parses these records."""

    def __init__(self, unit: str = '') -> None:
        """Store the unit of formats 1 and 3; "" = records of these formats are no weights."""
        self._unit = unit.encode()

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one record; see `Codec`."""
        for pattern, names in _FORMATS:
            if found := pattern.fullmatch(line):
                return self._parse(dict(zip(names, found.groups(), strict=True)))
        return malformed('', 'the record has none of the formats of Rinstrum')

    def _parse(self, fields: dict[str, bytes]) -> ParsedLine:
        """Return the weight of a record whose fields one of the six formats has named."""
        state = fields.get('state', b'').strip()
        if state in _NO_WEIGHT:
            return out_of_range(_NO_WEIGHT[state])
        moving = state in (b'M', b'US') or fields.get('motion') == b'M'
        unit = _LETTERS.get(fields.get('letter', b''), fields.get('unit', self._unit))
        if not unit.strip():
            return _without_unit(moving=moving or 'unit' in fields)
        result = parse_weight('', fields['weight'], unit)
        # Format 1 replaces G and N by M; the others say so in a field of its own.
        result.stability = Stability.IN_MOTION if moving else Stability.STABLE
        mode = fields.get('mode', state)[:1]
        result.mode = {b'G': WeightMode.GROSS, b'N': WeightMode.NET}.get(mode, WeightMode.UNKNOWN)
        return result


def _without_unit(*, moving: bool) -> ParsedLine:
    if not moving:
        return malformed('', 'the record names no unit: set parameter unit')
    message = 'the scale was in motion: wait until it stands still, then print again'
    return ParsedLine('', ReadingStatus.OUT_OF_RANGE, stability=Stability.IN_MOTION, message=message)
