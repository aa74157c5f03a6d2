"""`ST,GS,+00123.45kg`: lines of A&D, CAS, Excell, Dini Argeo, General Measure, Tiger and others.

A line is a state, in most indicators a mode, the weight and the unit:
state  ST WT stable, US unstable, OL OF overload, UL underload, LO out of range, QT stable count of pieces
mode   GS G gross, NT N net, TR T PT tare
The number may have a sign, zeros or spaces before it, the unit spaces or a comma. A&D balances can put an id, date and time
before the state, and the result of a comparison behind it (OK HI LO --); their dump print has spaces instead of the comma. CAS
has two bytes of any value behind the mode: number of the indicator and its lamps. The line names no scale: the address of the
connection does (parameter `peers`).

Sources: A&D AD-4404 manual, 9.2.6; A&D AD-4329A manual, 9.1; A&D EK-L manual, 9-2; A&D AD-4212D manual, p. 27; A&D GC manual,
16.2; A&D GX-A communication manual, 7-2; CAS CI-400 manual, appendix 1; Excell H3 manual; Dini Argeo 3590EXP manual, p. 65;
General Measure M02 manual, p. 56; Tiger TI-02-P manual, 7.1.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_weight, strip_zeros
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, Stability, WeightMode

_LINE = re.compile(
    rb'(?:[^,]{1,20}, *){0,3}?(ST|US|OL|OF|UL|LO|QT|WT)(?: *,| +)(?: *(?:OK|HI|LO|--) *,)?'
    rb'(?: *(GS|NT|TR|PT|G|N|T) *,(?:[\x00-\xff],[\x00-\xff], *)?)? *'
    rb'([+-]?[ 0-9.,]{0,16}?(?:E[+-]?[0-9]{1,2})?) *,? *([A-Za-z%]{0,3}) *'
)
_NO_WEIGHT = {
    b'OL': 'overload: take weight off the scale',
    b'OF': 'overload: take weight off the scale',
    b'UL': 'underload: set the scale to zero',
    b'LO': 'the weight is out of range: empty the scale and set it to zero',
}


class CommaSeparatedCodec(LineCodec):
    """Parses these lines."""

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """Store the decimal separator; `decimal_comma`: numbers have a comma instead of a point."""
        self._point = b',' if decimal_comma else b'.'

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        found = _LINE.fullmatch(line)
        if not found:
            return malformed('', 'the line does not have the form ST,GS,+00123.45kg')
        state, mode, weight, unit = found.groups()
        if mode in (b'TR', b'PT', b'T'):
            return malformed('', 'the line is a tare, not a weight')
        if state == b'QT':
            return malformed('', 'the line is a count of pieces, not a weight')
        if state in _NO_WEIGHT:
            return out_of_range(_NO_WEIGHT[state])
        result = strip_zeros(parse_weight('', weight, unit, self._point))
        result.stability = Stability.STABLE if state in (b'ST', b'WT') else Stability.IN_MOTION
        if mode:
            result.mode = WeightMode.NET if mode in (b'NT', b'N') else WeightMode.GROSS
        return result
