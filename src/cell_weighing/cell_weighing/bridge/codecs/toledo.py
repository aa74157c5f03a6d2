"""Toledo continuous output: `<STX><A><B><C>wwwwwwtttttt<CR>[<checksum>]`, also in its short form without tare.

Status words, bits from 0:
A  0-2 position of the decimal point (2 = none, 3 = one place, 7 = five places, 0 and 1 = two and one zero to append), 3-4
division
B  0 net, 1 negative, 2 out of range, 3 in motion, 4 kg (else lb), 6 zero not captured after power-up
C  0-2 unit (0 = bit 4 of B, 1 = g, 2 = t, 3 = oz), 3 print request, 4 expanded display
Bit 5 of each is 1. The checksum is the two's complement of the sum of the 7 lower bits of all characters from STX to CR. The
record names no scale: the address of the connection does (parameter `peers`).

Sources: Rockwell 57C428 manual, appendix D; Kern FTC manual, 5.2.2; Liden LUW2001 manual, appendix 1; Cardinal 225 manual, p.
118.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range
from cell_weighing.bridge.framing import Framer, MalformedLine
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

STX, CR = 0x02, 0x0D
SHORT, LONG = 11, 17
"""Bytes from STX to CR."""
_DIGITS = re.compile(rb' *[0-9]{1,6}')
_NET, _NEGATIVE, _RANGE, _MOTION, _KG, _POWER_UP = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40
_EXPANDED, _ALWAYS = 0x10, 0x20
_FAULTS = {
    _RANGE: 'over capacity or below zero: empty the scale, then set it to zero',
    _POWER_UP: 'the scale has not captured its zero since power-up: empty it and set it to zero',
    _NEGATIVE: 'the weight is below zero: empty the scale and set it to zero',
}
_UNITS = {1: 'g', 2: 't', 3: 'oz'}


class ToledoFramer:
    """Splits the bytes of one connection into records, which may hold any status word."""

    unterminated = b''
    """Always empty: every record has its length."""

    def __init__(self, *, checksum: bool) -> None:
        """Expect a checksum behind each CR, or none."""
        self._checksum = checksum
        self._part = b''
        self._started = False

    @property
    def buffered(self) -> int:
        """Number of bytes of the incomplete record."""
        return len(self._part)

    def take_unterminated(self, count: int) -> None:
        """Do nothing: there are never unterminated bytes."""

    def feed(self, data: bytes) -> list[bytes | MalformedLine]:
        """Feed received bytes and return the complete records, from STX to CR or checksum."""
        self._part += data
        records: list[bytes | MalformedLine] = []
        while self._part:
            if self._part[0] != STX:
                self._skip_noise(records)
                continue
            length = self._length()
            if length == 0:
                break
            record, self._part = self._part[: abs(length)], self._part[abs(length) :]
            self._started = True
            records.append(record if length > 0 else MalformedLine(record, 'the record is incomplete or too long'))
        return records

    def end(self) -> list[MalformedLine]:
        """Signal the end of the connection; an incomplete record is malformed."""
        part, self._part = self._part, b''
        return [MalformedLine(part, 'the connection ended in the middle of the record')] if part else []

    def _skip_noise(self, records: list[bytes | MalformedLine]) -> None:
        """Remove the bytes before STX. A single one behind a record is a checksum that was not expected."""
        place = self._part.find(b'\x02')
        noise, self._part = (self._part, b'') if place < 0 else (self._part[:place], self._part[place:])
        if len(noise) > 1 or not self._started or self._checksum:
            records.append(MalformedLine(noise[:LONG], 'the bytes are no Toledo record'))

    def _length(self) -> int:
        """Return the length of the record at the beginning; 0 = it is not complete, negative = so many bytes are none."""
        tail = 1 if self._checksum else 0
        for length in (SHORT, LONG):
            again = self._part.find(b'\x02', 1, length)
            if again > 0:
                return -again
            if len(self._part) < length:
                early = self._part.find(b'\r', 1)
                return -(early + 1) if early > 0 else 0
            if self._part[length - 1] == CR:
                return length + tail if len(self._part) >= length + tail else 0
        return -LONG


class ToledoCodec:
    """Parses these records."""

    poll_command = b''

    def __init__(self, *, checksum: bool = False) -> None:
        """Expect a checksum behind each CR, or none."""
        self._checksum = checksum

    def make_framer(self, max_bytes: int) -> Framer:  # noqa: ARG002 - a record has its length
        """Return a framer of these records; see `Codec`."""
        return ToledoFramer(checksum=self._checksum)

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one record; see `Codec`."""
        if self._checksum:
            if sum(byte & 0x7F for byte in line) & 0x7F:
                return malformed('', 'the checksum of the record is wrong')
            line = line[:-1]
        line = bytes(byte & 0x7F for byte in line)  # bit 7 is the parity of a serial line
        if len(line) not in (SHORT, LONG) or line[0] != STX or line[-1] != CR:
            return malformed('', 'the record does not have the length of Toledo continuous output')
        a, b, c = line[1:4]
        weight, tare = line[4:10], line[10:-1]
        if not (a & b & c & _ALWAYS) or (tare and not _DIGITS.fullmatch(tare)):
            return malformed('', 'the record is no Toledo continuous output')
        if fault := next((text for bit, text in _FAULTS.items() if b & bit), ''):
            return out_of_range(fault)
        unit = _UNITS.get(c & 0x07, '') if c & 0x07 else ('kg' if b & _KG else 'lb')
        if not unit or c & _EXPANDED or not _DIGITS.fullmatch(weight):
            return malformed('', 'the weight is no number, or its unit or expanded display is none that is known')
        result = ParsedLine('', ReadingStatus.VALID, _place_point(weight, a & 0x07), unit)
        result.stability = Stability.IN_MOTION if b & _MOTION else Stability.STABLE
        result.mode = WeightMode.NET if b & _NET else WeightMode.GROSS
        result.tare = _place_point(tare, a & 0x07) if tare else ''
        return result


def _place_point(digits: bytes, position: int) -> str:
    """Return a number with its decimal point; position as in status word A."""
    number = int(digits)
    places = position - 2
    if places <= 0:
        return str(number * 10**-places)
    text = f'{number:0{places + 1}d}'
    return f'{text[:-places]}.{text[-places:]}'
