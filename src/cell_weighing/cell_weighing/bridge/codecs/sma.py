"""SMA Level 2 replies: SMA SCP-0499 "Scale Serial Communication Protocol", Scale Manufacturers Association.

A reply is `<LF><s><r><n><m><f><weight, 10><unit, 3><CR>`:
s  Z center of zero, O over capacity, U under capacity, E zero error, I initial zero error, T tare error, blank none of these
r  weighing range, a digit
n  G gross, N net, T tare; lower case for high resolution
m  M in motion, blank stable
f  reserved
An indicator without a weight fills the field with dashes. It answers an unknown command with `<LF>?<CR>`. The reply names no
scale: the address of the connection does (parameter `peers`).

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, parse_weight
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

WEIGHT_NOW = b'\nW\r'
"""Request the current weight, stable or not."""
WEIGHT_WHEN_STABLE = b'\nP\r'
"""Request the weight as soon as it is stable; the scale answers with dashes when it does not settle."""
COMMANDS = {'W': WEIGHT_NOW, 'P': WEIGHT_WHEN_STABLE}
_REPLY = re.compile(rb'([ZOUEIT ])([0-9 ])([GNTgnt])([M ])([ -~])([ -~]{10})([ -~]{1,3})')
_FAULTS = {
    b'O': 'over capacity: take weight off the scale',
    b'U': 'under capacity: set the scale to zero',
    b'E': 'zero error: set the scale to zero',
    b'I': 'initial zero error: empty the scale and switch it on again',
    b'T': 'tare error: tare again',
}


class SmaCodec(LineCodec):
    """Parses SMA replies."""

    def __init__(self, command: str = 'W', *, decimal_comma: bool = False) -> None:
        """Choose the poll command.

        Args:
            command: "W" = current weight, "P" = weight as soon as it is stable.
            decimal_comma: Numbers have a comma where SCP-0499 writes a point.
        """
        self.poll_command = COMMANDS[command]
        self._point = b',' if decimal_comma else b'.'

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one reply; see `Codec`."""
        reply = _REPLY.fullmatch(line)
        if not reply:
            unknown = line.strip() == b'?'
            return malformed('', 'the indicator does not know the command' if unknown else 'the line is not an SMA reply')
        status, _, mode, motion, _, weight, unit = reply.groups()
        # A reply to command M; the bridge does not send it, but an operator's program on the same
        # port might.
        if mode in b'Tt':
            return malformed('', 'the reply is a tare, not a weight')
        if status in _FAULTS:
            return ParsedLine('', ReadingStatus.OUT_OF_RANGE, message=_FAULTS[status])
        result = parse_weight('', weight, unit, self._point)
        result.stability = Stability.IN_MOTION if motion == b'M' else Stability.STABLE
        result.mode = WeightMode.GROSS if mode in b'Gg' else WeightMode.NET
        return result
