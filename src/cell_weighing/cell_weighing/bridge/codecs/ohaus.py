"""Lines of Ohaus and Radwag scales: weight, unit, `?` while in motion, legend, for example `       12.73 g    ?`.

Legend: G and B/G gross, NET and N net, T and TARE tare. The line names no scale: the address of the connection does
(parameter `peers`).

Sources: Ohaus RS232 interface manual, EN-3; Ohaus Defender 3000 Metal indicator manual, 5.2; Ohaus Explorer manual, EN-156;
Ohaus Ranger compact counting scale manual, 5.1.4.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, parse_weight
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, Stability, WeightMode

_LINE = re.compile(
    rb' *(-? *(?:[0-9.]{1,12}|[-][- .]{1,12})) +([A-Za-z%:]{1,5}) *(\?)? *(?:([A-Za-z][A-Za-z/]{0,4})|[0-9:]{8})? *'
)
_MODES = {b'G': WeightMode.GROSS, b'B/G': WeightMode.GROSS, b'GROSS': WeightMode.GROSS} | {
    b'NET': WeightMode.NET,
    b'N': WeightMode.NET,
}


class OhausCodec(LineCodec):
    """Codec `ohaus`: weight, unit, motion and legend; the line names no scale."""

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        found = _LINE.fullmatch(line)
        if not found:
            return malformed('', 'the line does not have the form weight, unit, ? while in motion')
        weight, unit, motion, legend = found.groups()
        if legend and legend.upper() not in _MODES:
            return malformed('', f'the line is no weight: {legend.decode("ascii")}')
        result = parse_weight('', weight, unit)
        result.stability = Stability.IN_MOTION if motion else Stability.STABLE
        if legend:
            result.mode = _MODES[legend.upper()]
        return result
