"""Print formats: lines whose layout is configured in the indicator.

Avery Weigh-Tronix ZM400 series (service manual AWT35-501334, chapter on print formats) prints an editable template of literal
characters and tokens. The line of the old scale server, `scale_id,weight unit`, is one such template. A template here is the
same text with other names for the tokens, for example

    {id},{mode},{status},{weight},{unit},{tare},{tare_status}

`status` is the indicator's WSTAT: S stable, M motion, O overload, U underload, E calibration error. Other words are named in
the token: {status:ST=stable|US=motion|OL=overload|UL=underload|ER=error}. `tare_status` is its TSAT: NT none, T push-button,
PT preset. {weight:2} is a number without a point and with two decimals; {unit=kg} stands for a unit that the line does not
have. {skip} is any text; it rejects the words that usually mean motion or overload, because nothing else would.

Tokens are padded to a width, so spaces around each are allowed; a space in the template stands for one or more. A number and
a word may touch: {weight}{unit}.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import (
    SCALE_ID,
    malformed,
    out_of_range,
    parse_weight,
    plain_digits,
    scale_id_of,
    unit_of,
)
from cell_weighing.bridge.codecs.lines import LineCodec
from cell_weighing.bridge.codecs.options import EXTENDED
from cell_weighing.bridge.codecs.template_text import STABILITY, Template, TemplateError
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

__all__ = ['EXTENDED', 'LEGACY', 'LegacyCodec', 'TemplateCodec', 'TemplateError']

LEGACY = '{id},{weight} {unit}'
# Runs of spaces are folded before a line is matched, so the pattern cannot backtrack over them.
_PADDING = re.compile(rb' +')
STATES = frozenset((b'ST', b'US', b'OL', b'OF', b'UL', b'QT', b'WT', b'GS', b'NT', b'GR', b'TR'))
"""Words with which lines of other formats begin: `OL,+99999.99 kg` would be a bag of scale OL."""
_FAULTS = {
    'overload': 'overload: take weight off the scale',
    'underload': 'underload: set the scale to zero',
    'error': 'the indicator reports a calibration error: call service',
}
_SUSPECT = {
    b'US': 'motion',
    b'M': 'motion',
    b'?': 'motion',
    b'OL': 'overload',
    b'OF': 'overload',
    b'OVER': 'overload',
    b'UL': 'underload',
    b'UNDER': 'underload',
    b'ERR': 'error',
    b'ERROR': 'error',
}
"""Words that {skip} does not pass over."""


class TemplateCodec(LineCodec):
    """Parses lines of one print format."""

    def __init__(self, template: str, *, decimal_comma: bool = False, unit: str = '') -> None:
        """Compile a template.

        Args:
            template: Literal ASCII characters and tokens in braces; {weight} is required, {unit} too unless `unit` is given.
            decimal_comma: Numbers have a decimal comma instead of a point.
            unit: Unit of lines that name none.

        Raises:
            TemplateError: A token is unknown, repeated or missing, or numbers with commas are separated by commas.
        """
        self._template = Template(template, decimal_comma=decimal_comma, unit=unit)
        self._point = b',' if decimal_comma else b'.'
        self._index = index = self._template.index
        self._plain = index.keys() == {'id', 'weight', 'unit'} and not self._template.decimals

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        if b'  ' in line:
            line = _PADDING.sub(b' ', line)
        match = self._template.pattern.fullmatch(line)
        if not match:
            return self._mismatch(line)
        index, fields = self._index, match.groups()
        scale_id = fields[index['id']].decode('ascii') if 'id' in index else ''
        unit = unit_of(fields[index['unit']]) if 'unit' in index else self._template.unit
        result = ParsedLine(scale_id, ReadingStatus.VALID, self._number(fields[index['weight']]), unit)
        # The legacy format ends here: it is by far the most frequent one, and has none of the optional fields.
        if not self._plain:
            state = self._state(fields)
            if state in _FAULTS:
                return out_of_range(_FAULTS[state], scale_id)
            result.stability = STABILITY.get(state, Stability.UNKNOWN)
            result.mode = _mode_of(fields[index['mode']]) if 'mode' in index else WeightMode.UNKNOWN
            result.tare = self._number(fields[index['tare']]) if 'tare' in index else ''
        return result

    def _state(self, fields: tuple[bytes, ...]) -> str:
        """Return stable, motion, overload, underload or error; "" = the line does not say."""
        if 'status' in self._index:
            return self._template.states.get(fields[self._index['status']].decode('latin-1'), '')
        skipped = (fields[place] for name, place in self._template.places if name == 'skip')
        return next((_SUSPECT[word] for field in skipped for word in field.upper().split() if word in _SUSPECT), '')

    def _mismatch(self, line: bytes) -> ParsedLine:
        """Return the cause for a line that does not follow the template; the result is never VALID."""
        message = f'the line does not follow the print format {self._template.description()}'
        fields = self._template.split(line)
        if fields is None:
            return malformed(scale_id_of(line) if 'id' in self._index else '', message)
        scale_id = fields.get('id', b'').strip(b' ')
        if 'id' in self._index and not re.fullmatch(SCALE_ID, scale_id):
            return malformed('', 'the line does not begin with a scale id')
        status = fields.get('status', b'').strip(b' ').decode('latin-1')
        if (state := self._template.states.get(status, '')) in _FAULTS and 'status' in self._index:
            return out_of_range(_FAULTS[state], scale_id.decode('ascii'))
        unit = fields.get('unit', self._template.unit.encode())
        result = parse_weight(scale_id.decode('ascii'), fields['weight'], unit, self._point)
        return malformed(result.scale_id, message) if result.status is ReadingStatus.VALID else result

    def _number(self, field: bytes) -> str:
        digits = field.lstrip(b'+ ')
        if not digits:
            return ''
        if self._template.decimals:
            number = f'{int(digits):0{self._template.decimals + 1}d}'
            return f'{number[: -self._template.decimals]}.{number[-self._template.decimals :]}'
        return plain_digits(digits.replace(self._point, b'.'))


class LegacyCodec(TemplateCodec):
    """Parses `scale_id,weight unit`, e.g. `3,12.500 kg`: the line of the old scale server.

    The format has no field for motion, gross or net, so the stability of each reading is unknown.
    """

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """Compile the template; `decimal_comma`: numbers have a decimal comma instead of a point."""
        super().__init__(LEGACY, decimal_comma=decimal_comma)

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        if (word := line[:4].lstrip(b' ')[:2]).isalpha() and word in STATES and line.split(b',', 1)[0].strip(b' ') == word:
            return malformed('', f'{word.decode()} is a state of A&D and other indicators, not a scale: set codec to "and"')
        return super().parse(line)


def _mode_of(field: bytes) -> WeightMode:
    return WeightMode.GROSS if field.upper().startswith((b'G', b'B')) else WeightMode.NET
