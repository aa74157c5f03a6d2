"""Print formats: lines whose layout is configured in the indicator.

Avery Weigh-Tronix ZM400 series (service manual AWT35-501334, chapter on print formats) prints an editable template of literal
characters and tokens. The line of the old scale server, `scale_id,weight unit`, is one such template. A template here is the
same text with other names for the tokens, for example

    {id},{mode},{status},{weight},{unit},{tare},{tare_status}

`status` is the indicator's WSTAT: S stable, M motion, O overload, U underload, E calibration error. `tare_status` is its TSAT:
NT none, T push-button, PT preset. Tokens are padded to a width, so spaces around each are allowed; a space in the template
stands for one or more.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import NUMBER, SCALE_ID, UNIT, malformed, parse_weight, scale_id_of
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

EXTENDED = '{id},{mode},{status},{weight},{unit},{tare},{tare_status}'
LEGACY = '{id},{weight} {unit}'
_LEAST = ('id', 'weight', 'unit')
# Runs of spaces are folded before a line is matched, so the pattern cannot backtrack over them.
_PADDING = re.compile(rb' +')
_TOKEN = re.compile(r'\{([a-z_]*)\}')
_PATTERNS = {
    'id': SCALE_ID,
    'mode': rb'GROSS|NET|[GNgn]',
    'status': rb'[SMOUE]?',
    'weight': rb'(?:\+ *)?' + NUMBER,
    'unit': UNIT,
    'tare': rb'(?:' + NUMBER + rb')?',
    'tare_status': rb'(?:NT|PT|T)?',
    'skip': rb'[^,;\t]*?',
}
_STABILITY = {b'S': Stability.STABLE, b'M': Stability.IN_MOTION}
_FAULTS = {
    b'O': 'overload: take weight off the scale',
    b'U': 'underload: set the scale to zero',
    b'E': 'the indicator reports a calibration error: call service',
}


class TemplateError(ValueError):
    """The template cannot be used; the text says why."""


class TemplateCodec:
    """Parses lines of one print format."""

    poll_command = b''

    def __init__(self, template: str, *, decimal_comma: bool = False) -> None:
        """Compile a template.

        Args:
            template: Literal ASCII characters and tokens in braces; {weight} and {unit} are required.
            decimal_comma: Numbers have a decimal comma instead of a point.

        Raises:
            TemplateError: A token is unknown, repeated or missing, or numbers with commas are separated by commas.
        """
        self._point = b',' if decimal_comma else b'.'
        parts = _TOKEN.split(template)
        self._names = parts[1::2]
        self._literals = [literal.encode('ascii', 'replace') for literal in parts[0::2]]
        _validate(template, self._names, self._literals, decimal_comma)
        pattern = _literal_regex(self._literals[0])
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            pattern += rb'(' + self._with_separator(_PATTERNS[name]) + rb')' + _literal_regex(literal)
        self._pattern = re.compile(pattern)
        self._index = {name: place for place, name in enumerate(self._names)}

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line; see `Codec`."""
        if b'  ' in line:
            line = _PADDING.sub(b' ', line)
        match = self._pattern.fullmatch(line)
        if not match:
            return self._mismatch(line)
        index, fields = self._index, match.groups()
        scale_id = fields[index['id']].decode('ascii') if 'id' in index else ''
        weight, unit = self._number(fields[index['weight']]), fields[index['unit']].decode('ascii').lower()
        result = ParsedLine(scale_id, ReadingStatus.VALID, weight, unit)
        # The legacy format ends here: it is by far the most frequent one, and has none of the
        # optional fields.
        if len(index) > len(_LEAST):
            if (status := fields[index['status']] if 'status' in index else b'') in _FAULTS:
                return ParsedLine(scale_id, ReadingStatus.OUT_OF_RANGE, message=_FAULTS[status])
            result.stability = _STABILITY.get(status, Stability.UNKNOWN)
            result.mode = _mode_of(fields[index['mode']]) if 'mode' in index else WeightMode.UNKNOWN
            result.tare = self._number(fields[index['tare']]) if 'tare' in index else ''
        return result

    def _mismatch(self, line: bytes) -> ParsedLine:
        """Return the cause for a line that does not follow the template; the result is never VALID."""
        fields = self._split(line)
        if fields is None:
            return malformed(scale_id_of(line), f'the line does not follow the print format {self._description()}')
        scale_id = fields.get('id', b'').strip(b' ')
        if 'id' in self._index and not re.fullmatch(SCALE_ID, scale_id):
            return malformed('', 'the line does not begin with a scale id')
        status = fields.get('status', b'').strip(b' ')
        if status in _FAULTS:
            return ParsedLine(scale_id.decode('ascii'), ReadingStatus.OUT_OF_RANGE, message=_FAULTS[status])
        result = parse_weight(scale_id.decode('ascii'), fields['weight'], fields['unit'], self._point)
        if result.status is ReadingStatus.VALID:
            return malformed(result.scale_id, f'the line does not follow the print format {self._description()}')
        return result

    def _split(self, line: bytes) -> dict[str, bytes] | None:
        """Split a line at the template's literals; None when one is missing.

        A space is searched from the right, because dashes may have spaces between them.
        """
        if not line.startswith(self._literals[0]):
            return None
        rest, fields = line[len(self._literals[0]) :].strip(b' '), {}
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            if not literal:
                fields[name], rest = rest, b''
                continue
            value, found, after = rest.rpartition(b' ') if literal.isspace() else rest.partition(literal.strip(b' '))
            if not found:
                return None
            fields[name], rest = value, after
        return fields if not rest.strip(b' ') else None

    def _with_separator(self, pattern: bytes) -> bytes:
        return pattern if self._point == b'.' else pattern.replace(rb'\.[0-9]', rb',[0-9]')

    def _number(self, field: bytes) -> str:
        return field.lstrip(b'+ ').replace(self._point, b'.').decode('ascii')

    def _description(self) -> str:
        """Return the template for the operator, in quotes and without braces."""
        text = self._literals[0].decode('ascii')
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            text += name + literal.decode('ascii')
        return f'"{text}"'


class LegacyCodec(TemplateCodec):
    """Parses `scale_id,weight unit`, e.g. `3,12.500 kg`: the line of the old scale server.

    The format has no field for motion, gross or net, so the stability of each reading is unknown.
    """

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """Compile the template; `decimal_comma`: numbers have a decimal comma instead of a point."""
        super().__init__(LEGACY, decimal_comma=decimal_comma)


def _literal_regex(literal: bytes) -> bytes:
    """Return the pattern of a literal: spaces may surround it, and a space needs at least one."""
    core = literal.strip(b' ')
    if literal and not core:
        return rb' '
    return rb' ?' + re.escape(core) + (rb' ?' if core else b'')


def _mode_of(field: bytes) -> WeightMode:
    return WeightMode.GROSS if field.upper().startswith(b'G') else WeightMode.NET


def _validate(template: str, names: list[str], literals: list[bytes], decimal_comma: bool) -> None:
    unknown = [name for name in names if name not in _PATTERNS]
    if unknown:
        raise TemplateError(
            f'template "{template}" has an unknown token {{{unknown[0]}}}; tokens are '
            + ', '.join(f'{{{name}}}' for name in _PATTERNS)
        )
    repeated = [name for name in names if name != 'skip' and names.count(name) > 1]
    if repeated or not {'weight', 'unit'} <= set(names):
        raise TemplateError(f'template "{template}" must name {{weight}} and {{unit}}, and no token twice')
    if not template.isascii() or not template.isprintable():
        raise TemplateError(f'template "{template}" must be printable ASCII')
    if any(not literal for literal in literals[1:-1]):
        raise TemplateError(f'template "{template}" needs a character between each two tokens')
    if decimal_comma:
        for place, name in enumerate(names):
            if name in ('weight', 'tare') and b',' in (literals[place][-1:], literals[place + 1][:1]) and 'tare' in names:
                raise TemplateError(
                    f'template "{template}" cannot be read with decimal commas: use another character than '
                    'a comma between its fields'
                )
