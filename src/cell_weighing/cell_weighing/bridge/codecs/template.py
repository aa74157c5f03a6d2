"""Print formats: a line whose layout somebody has typed into the indicator.

Avery Weigh-Tronix ZM400 series (service manual AWT35-501334, chapter on print formats) prints an editable template of literal
characters and tokens; the old `scale_id,weight unit` is one such template, not a protocol. A template here is the same text
with our names for the tokens, for example

    {id},{mode},{status},{weight},{unit},{tare},{tare_status}

where `status` is the indicator's WSTAT (S stable, M motion, O overload, U underload, E calibration error) and `tare_status` its
TSAT (NT none, T push-button, PT preset). Tokens are padded to a width, so blanks around each are allowed; a blank in the
template stands for one or more.
"""

from __future__ import annotations

import re

from cell_weighing.bridge.codecs.grammar import NUMBER, SCALE_ID, UNIT, malformed, parse_weight, scale_id_of
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

EXTENDED = '{id},{mode},{status},{weight},{unit},{tare},{tare_status}'
_LEAST = ('id', 'weight', 'unit')
_PADDING = re.compile(rb' +')
"""Runs of blanks are folded before a line is matched: the pattern then cannot be made to search them over and over."""
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
    """Reads lines of one print format."""

    def __init__(self, template: str, *, decimal_comma: bool = False) -> None:
        """Compile a template.

        Args:
            template: Literal ASCII characters and tokens in braces; {weight} and {unit} are required.
            decimal_comma: Numbers have a comma where others have a point.

        Raises:
            TemplateError: A token is unknown, given twice or missing, or numbers with commas stand beside commas.
        """
        self._point = b',' if decimal_comma else b'.'
        pieces = _TOKEN.split(template)
        self._names = pieces[1::2]
        self._literals = [literal.encode('ascii', 'replace') for literal in pieces[0::2]]
        _check(template, self._names, self._literals, decimal_comma)
        pattern = _literal(self._literals[0])
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            pattern += rb'(' + self._local(_PATTERNS[name]) + rb')' + _literal(literal)
        self._usual = re.compile(pattern)
        self._at = {name: place for place, name in enumerate(self._names)}

    def parse(self, line: bytes) -> ParsedLine:
        """Understand one line."""
        if b'  ' in line:
            line = _PADDING.sub(b' ', line)
        match = self._usual.fullmatch(line)
        if not match:
            return self._explain(line)
        at, fields = self._at, match.groups()
        scale_id = fields[at['id']].decode('ascii') if 'id' in at else ''
        weight, unit = self._number(fields[at['weight']]), fields[at['unit']].decode('ascii').lower()
        result = ParsedLine(scale_id, ReadingStatus.VALID, weight, unit)
        if len(at) > len(_LEAST):
            if (status := fields[at['status']] if 'status' in at else b'') in _FAULTS:
                return ParsedLine(scale_id, ReadingStatus.OUT_OF_RANGE, message=_FAULTS[status])
            result.stability = _STABILITY.get(status, Stability.UNKNOWN)
            result.mode = _mode(fields[at['mode']]) if 'mode' in at else WeightMode.UNKNOWN
            result.tare = self._number(fields[at['tare']]) if 'tare' in at else ''
        return result

    def _explain(self, line: bytes) -> ParsedLine:
        """Say what is wrong with a line that does not follow the template; it never becomes a weight."""
        fields = self._fields(line)
        if fields is None:
            return malformed(scale_id_of(line), f'the line does not follow the print format {self._shown()}')
        scale_id = fields.get('id', b'').strip(b' ')
        if 'id' in self._at and not re.fullmatch(SCALE_ID, scale_id):
            return malformed('', 'the line does not begin with a scale id')
        status = fields.get('status', b'').strip(b' ')
        if status in _FAULTS:
            return ParsedLine(scale_id.decode('ascii'), ReadingStatus.OUT_OF_RANGE, message=_FAULTS[status])
        result = parse_weight(scale_id.decode('ascii'), fields['weight'], fields['unit'], self._point)
        if result.status is ReadingStatus.VALID:
            return malformed(result.scale_id, f'the line does not follow the print format {self._shown()}')
        return result

    def _fields(self, line: bytes) -> dict[str, bytes] | None:
        """Cut a line at the template's literals; a blank is looked for from the right: dashes may have blanks between them."""
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

    def _local(self, pattern: bytes) -> bytes:
        return pattern if self._point == b'.' else pattern.replace(rb'\.[0-9]', rb',[0-9]')

    def _number(self, field: bytes) -> str:
        return field.lstrip(b'+ ').replace(self._point, b'.').decode('ascii')

    def _shown(self) -> str:
        """Return the template as people know it."""
        text = self._literals[0].decode('ascii')
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            text += name + literal.decode('ascii')
        return f'"{text}"'


def _literal(literal: bytes) -> bytes:
    """Return the pattern of a literal: blanks may stand around it, and one must stand where it is a blank."""
    core = literal.strip(b' ')
    if literal and not core:
        return rb' '
    return rb' ?' + re.escape(core) + (rb' ?' if core else b'')


def _mode(field: bytes) -> WeightMode:
    return WeightMode.GROSS if field.upper().startswith(b'G') else WeightMode.NET


def _check(template: str, names: list[str], literals: list[bytes], decimal_comma: bool) -> None:
    unknown = [name for name in names if name not in _PATTERNS]
    if unknown:
        raise TemplateError(
            f'template "{template}" has an unknown token {{{unknown[0]}}}; tokens are '
            + ', '.join(f'{{{name}}}' for name in _PATTERNS)
        )
    twice = [name for name in names if name != 'skip' and names.count(name) > 1]
    if twice or not {'weight', 'unit'} <= set(names):
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
