"""NCI protocol (SCP-01): responses to the command W of NCI, Weigh-Tronix, Brecknell and compatible scales.

A response is `<LF>xxxx.xxuu<CR><LF>hh<CR><ETX>`: the weight as displayed with its unit, then two or three status bytes. Some
scales send an S before them. Status bits:
byte 1  0 in motion, 1 center of zero, 2 RAM error, 3 EEPROM error
byte 2  0 under capacity, 1 over capacity, 2 ROM error, 3 faulty calibration, 6 a third byte follows
byte 3  0-1 range, 2 net (else gross), 3 initial zero error
An unknown command is answered `<LF>?<CR><ETX>`. The response names no scale: the address of the connection does (parameter
`peers`).

Sources: Avery Weigh-Tronix 7821 User Instructions, 6.3; NCI 7800 User's Manual, p. 32; Salter Brecknell 3700LP User's Manual,
p. 11.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_weight, strip_zeros
from cell_weighing.bridge.framing import EndFramer, Framer
from cell_weighing.domain.reading import ParsedLine, Stability, WeightMode

ETX = b'\x03'
_RECORD = re.compile(rb'[\r\n]*(?:([-+ 0-9.,^_]{1,12}?) *([A-Za-z]{1,3})? *\r\n?|\n)?S?([0-?][0-?p-\x7f][0-?]?)\r?\n?')
# First status byte: bit 0 motion; bits 2 and 3 a fault of the memory.
_MOTION, _MEMORY = 0x01, 0x0C
# Second status byte: bits 0 and 1 the range; bits 2 and 3 a fault of memory or calibration.
_UNDER, _OVER, _FAULTY = 0x01, 0x02, 0x0C
# Third status byte, where the indicator sends one.
_NET, _INITIAL_ZERO = 0x04, 0x08


class NciCodec:
    """Parses NCI responses."""

    poll_command = b'W\r'

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """Store the decimal separator; `decimal_comma`: numbers have a comma instead of a point."""
        self._point = b',' if decimal_comma else b'.'

    def make_framer(self, max_bytes: int) -> Framer:
        """Return a framer of records that end with ETX; see `Codec`."""
        return EndFramer(ETX, max_bytes)

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one response; see `Codec`."""
        if line.strip() == b'?':
            return malformed('', 'the indicator does not know the command')
        found = _RECORD.fullmatch(line)
        if not found:
            return malformed('', 'the record is no NCI response')
        weight, unit, status = found.groups()
        if fault := _fault(status):
            return out_of_range(fault)
        if weight is None:
            return malformed('', 'the response is a status without a weight')
        result = strip_zeros(parse_weight('', weight, unit or b'', self._point))
        result.stability = Stability.IN_MOTION if status[0] & _MOTION else Stability.STABLE
        if len(status) > 2:
            result.mode = WeightMode.NET if status[2] & _NET else WeightMode.GROSS
        return result


def _fault(status: bytes) -> str:
    """Return the fault that the status bytes report; "" = none."""
    if status[1] & _OVER:
        return 'over capacity: take weight off the scale'
    if status[1] & _UNDER:
        return 'under capacity: set the scale to zero'
    if status[0] & _MEMORY or status[1] & _FAULTY:
        return 'the indicator reports a memory or calibration error: call service'
    if len(status) > 2 and status[2] & _INITIAL_ZERO:
        return 'initial zero error: empty the scale and switch it on again'
    return ''
