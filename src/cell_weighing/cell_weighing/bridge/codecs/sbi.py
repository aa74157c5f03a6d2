"""SBI: lines of Sartorius balances with 16 or 22 characters, for example `N     +   123.56 g  `.

A line is an id of six characters (in the long form), a sign, the weight, and the unit in three characters. A blank unit means
that the balance is in motion. Ids N and N1 are net weights, G# gross; others are no weights (counts, statistics, settings).
Brackets around digits mark ones that are not verified. Without a weight the line holds dashes, H (overload), L (underload), C
(adjusting) or an error code. The line names no scale: the address of the connection does (parameter `peers`).

Sources: Sartorius GC803S manual, p. 57; LE manual, p. 51-52; EB manual, p. 62; Master series manual, p. 5-5; ME215S manual,
p. 135.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_number, parse_weight
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

_LINE = re.compile(rb'(?:([A-Za-z][A-Za-z0-9#]{0,4}) +)?([+-]?) *([0-9. ]{1,12}?)(?: +([A-Za-z%]{1,3}))? *')
_SPECIAL = re.compile(rb'(?:(?:Stat|N) +)?(-[- ]*|H|L|C|Err? *[0-9]{1,5}|E *[0-9]{1,5}|ERR *[0-9]{1,5}) *')
_NO_WEIGHT = {
    b'H': 'overload: take weight off the balance',
    b'L': 'underload: put the pan on the balance, then set it to zero',
    b'C': 'the balance is being adjusted: wait, then print again',
    b'-': 'the balance shows dashes: it has no weight to give',
    b'E': 'the balance reports an error: see its display',
}
_MODES = {b'': WeightMode.UNKNOWN, b'N': WeightMode.NET, b'N1': WeightMode.NET} | {
    b'G': WeightMode.GROSS,
    b'G#': WeightMode.GROSS,
}


class SbiCodec(LineCodec):
    """Parses SBI lines."""

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        if special := _SPECIAL.fullmatch(line.strip(b' ')):
            return out_of_range(_NO_WEIGHT[special[1][:1]])
        found = _LINE.fullmatch(line.replace(b'[', b'').replace(b']', b'').strip(b' '))
        if not found:
            return malformed('', 'the line is no SBI weight')
        name, sign, weight, unit = found.groups()
        mode = _MODES.get(name or b'')
        if mode is None:
            return malformed('', f'the line is no weight: {name.decode("ascii")}')
        if unit:
            result = parse_weight('', sign + weight, unit)
            result.stability = Stability.STABLE
        elif parse_number(weight.strip(b' ')):
            # Without its unit the weight cannot be used, and it never makes a bag: the balance is in motion.
            message = 'the balance is in motion: wait until it stands still, then print again'
            return ParsedLine('', ReadingStatus.OUT_OF_RANGE, stability=Stability.IN_MOTION, message=message)
        else:
            return malformed('', 'the weight is not a number')
        result.mode = mode
        return result
