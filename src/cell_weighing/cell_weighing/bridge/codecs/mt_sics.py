"""MT-SICS: responses of Mettler-Toledo scales to the commands S (stable weight) and SI (weight now).

A response is the command, a state, the weight and its unit, with spaces between: `S S     100.00 g`. States: S stable, D
dynamic (in motion), + overload, - underload, I not executable now. Pounds and ounces come as `12:07.50 lb:oz`. ES, ET and EL
are errors of the command. The response names no scale: the address of the connection does (parameter `peers`).

Source: Mettler-Toledo, AT balances, Operating instructions, p. 87 (manualshelf.com); MT-SICS reference manual 11780711.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cell_weighing.bridge.codecs.grammar import malformed, out_of_range, parse_number, parse_weight
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability

_COMMANDS = {'SI': b'SI\r\n', 'S': b'S\r\n'}
_WEIGHT = re.compile(rb'S[A-Z]{0,3} +([SD]) +(-?[0-9.:]{1,16}) +([A-Za-z:%]{1,6}) *')
_STATE = re.compile(rb'S[A-Z]{0,3} +([-+IL]) *')
_NO_WEIGHT = {
    b'+': 'overload: take weight off the scale',
    b'-': 'underload: set the scale to zero',
    b'I': 'the scale is busy or did not come to rest: wait until it stands still',
    b'L': 'the scale does not understand the parameter of the command',
}
# Of a pound; some models print pounds and ounces in one record.
OUNCES = 16


class MtSicsCodec(LineCodec):
    """Parses responses with a weight."""

    def __init__(self, command: str = 'SI') -> None:
        """Choose the poll command: "SI" = current weight, "S" = weight as soon as it is stable."""
        self.poll_command = _COMMANDS[command]

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one response; see `Codec`."""
        if state := _STATE.fullmatch(line):
            return out_of_range(_NO_WEIGHT[state[1]])
        found = _WEIGHT.fullmatch(line)
        if not found:
            errors = line.strip() in (b'ES', b'ET', b'EL')
            return malformed('', 'the scale does not know the command' if errors else 'the line is no MT-SICS weight')
        state_code, weight, unit = found.groups()
        result = _pounds_and_ounces(weight) if unit == b'lb:oz' else parse_weight('', weight, unit)
        result.stability = Stability.STABLE if state_code == b'S' else Stability.IN_MOTION
        return result


def _pounds_and_ounces(field: bytes) -> ParsedLine:
    pounds, _, ounces = field.partition(b':')
    if field[:1] == b'-':
        return out_of_range('the weight is below zero: empty the scale and set it to zero')
    if not pounds.isdigit() or len(pounds) > 6 or not (digits := parse_number(ounces)):
        return malformed('', 'the weight is not a number of pounds and ounces')
    return ParsedLine('', ReadingStatus.VALID, f'{int(pounds) * OUNCES + Decimal(digits):f}', 'oz')
