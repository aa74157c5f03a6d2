"""Tickets of several lines as one record, with id, gross, net and tare.

A ticket is described by print formats of the lines that count, in their order, for example

    ID {id} / Tare {tare} {unit} / Net {net} {unit} / Gross {weight} {unit}

Other lines in between (headings, dates, blank lines) are passed over. The record ends with the last of these lines, so
neither silence nor form feed is needed. A first line in the middle of a ticket begins a new one; the incomplete one is
malformed. The net weight is used when the ticket has one, and gross must then be net and tare.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_weight
from cell_weighing.bridge.codecs.template_text import NUMBERS, Template, TemplateError
from cell_weighing.bridge.framing import Framer, LineFramer, MalformedLine
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

# Bounds the memory when the lines of the parameter never come.
LONGEST_TICKET = 1024
_PADDING = re.compile(rb'[ \t]+')


def _folded(line: bytes) -> bytes:
    return _PADDING.sub(b' ', line).strip(b' \x00\x0b\x0c')


def _fields(template: Template, line: bytes) -> dict[str, bytes] | None:
    """Return the fields of a line of the ticket, with dashes and negative numbers; None when it is another line."""
    folded = _folded(line)
    if found := template.pattern.fullmatch(folded):
        return dict(zip(template.names, found.groups(), strict=True))
    fields = template.split(folded)
    if fields is None or not template.literals[0].strip():
        return None
    return fields if any(name in fields and not fields[name].strip(b' -.') for name in NUMBERS) or b'-' in folded else None


class TicketFramer:
    """Collects the lines of one connection to tickets."""

    unterminated = b''
    """Always empty: a ticket ends with its last line."""

    def __init__(self, lines: Sequence[Template], max_bytes: int) -> None:
        """Use the print formats of the lines.

        Args:
            lines: In their order on the ticket.
            max_bytes: Security limit of a line.
        """
        self._lines = lines
        self._framer = LineFramer(max_bytes)
        self._collected: list[bytes] = []
        self._next = 0

    def take_unterminated(self, count: int) -> None:
        """Do nothing: there are never unterminated bytes."""

    def feed(self, data: bytes) -> list[bytes | MalformedLine]:
        """Feed received bytes and return the complete tickets, their lines joined by LF."""
        records: list[bytes | MalformedLine] = []
        for line in self._framer.feed(data):
            if isinstance(line, MalformedLine):
                records.append(line)
            else:
                self._take(line, records)
        return records

    def end(self) -> list[MalformedLine]:
        """Signal the end of the connection; an incomplete ticket is malformed."""
        rest = self._framer.end()
        if self._next:
            rest.insert(0, self._incomplete())
        self._collected, self._next = [], 0
        return rest

    def _take(self, line: bytes, records: list[bytes | MalformedLine]) -> None:
        """Add a line to the ticket; the first line of the next ticket ends an incomplete one."""
        if self._next and _fields(self._lines[0], line) is not None:
            records.append(self._incomplete())
            self._collected, self._next = [], 0
        self._collected.append(line)
        while sum(map(len, self._collected)) > LONGEST_TICKET:
            if self._next:
                records.append(self._incomplete())
                self._next = 0
            self._collected = self._collected[-1:] if len(self._collected) > 1 else []
        if self._collected and _fields(self._lines[self._next], line) is not None:
            self._next += 1
        if self._next == len(self._lines):
            records.append(b'\n'.join(self._collected))
            self._collected, self._next = [], 0
        elif self._next < len(self._lines) - 1 and _fields(self._lines[-1], line) is not None:
            # The ticket is over, and a line before was not understood: without a record nobody would miss the bag.
            records.append(self._incomplete())
            self._collected, self._next = [], 0

    def _incomplete(self) -> MalformedLine:
        wanted = self._lines[self._next].description() if self._next < len(self._lines) else ''
        return MalformedLine(b'\n'.join(self._collected)[:LONGEST_TICKET], f'the ticket has no line {wanted}')


class TicketCodec:
    """Parses tickets."""

    poll_command = b''

    def __init__(self, lines: Sequence[str], *, decimal_comma: bool = False, unit: str = '') -> None:
        """Compile the print formats of the lines.

        Args:
            lines: In their order on the ticket; together they name {weight} or {net}, and each token once but {unit}.
            decimal_comma: Numbers have a decimal comma instead of a point.
            unit: Unit of lines that name none.

        Raises:
            TemplateError: A print format cannot be used.
        """
        self._lines = [Template(line, decimal_comma=decimal_comma, unit=unit, required=()) for line in lines if line]
        names = [name for line in self._lines for name in line.names if name not in ('unit', 'skip')]
        if not {'weight', 'net'} & set(names) or len(set(names)) != len(names):
            raise TemplateError('the lines of a ticket must name {weight} (gross) or {net}, and no token but {unit} twice')
        if any(not line.names or not line.literals[0].strip() for line in self._lines):
            raise TemplateError('each line of a ticket must begin with a word and have a token')
        self._point = b',' if decimal_comma else b'.'
        self._unit = unit

    def make_framer(self, max_bytes: int) -> Framer:
        """Return a framer of tickets; see `Codec`."""
        return TicketFramer(self._lines, max_bytes)

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one ticket; see `Codec`."""
        fields, units, place = dict[str, bytes](), set[str](), 0
        weights: dict[str, ParsedLine] = {}
        for text in line.split(b'\n'):
            if place == len(self._lines) or (found := _fields(self._lines[place], text)) is None:
                continue
            fields |= found
            unit = found.get('unit', self._lines[place].unit.encode())
            for name in NUMBERS:
                if name in found:
                    weights[name] = parse_weight('', found[name], unit, self._point)
                    units.add(weights[name].unit)
            place += 1
        scale_id = fields.get('id', b'').decode('latin-1').strip()
        if place != len(self._lines):
            return malformed(scale_id, f'the ticket has no line {self._lines[place].description()}')
        return self._combine(scale_id, weights, units)

    def _combine(self, scale_id: str, weights: dict[str, ParsedLine], units: set[str]) -> ParsedLine:
        """Return the reading of a ticket: net weight if it names one, checked against gross and tare where it has all three."""
        for result in weights.values():
            if result.status is not ReadingStatus.VALID:
                make = out_of_range if result.status is ReadingStatus.OUT_OF_RANGE else None
                return make(result.message, scale_id) if make else malformed(scale_id, result.message)
        if len(units) != 1:
            return malformed(scale_id, 'the weights of the ticket have different units')
        numbers = {name: Decimal(result.weight) for name, result in weights.items()}
        if len(numbers) == len(NUMBERS) and numbers['weight'] != numbers['net'] + numbers['tare']:
            return malformed(scale_id, 'the gross weight of the ticket is not net and tare')
        used = weights.get('net', weights.get('weight'))
        assert used is not None
        mode = WeightMode.NET if 'net' in weights else WeightMode.GROSS
        tare = weights['tare'].weight if 'tare' in weights else ''
        return ParsedLine(scale_id, ReadingStatus.VALID, used.weight, used.unit, Stability.UNKNOWN, mode, tare)
