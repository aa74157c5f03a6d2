"""Named formats: a codec with its options, for indicators that print differently from the others of the site.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cell_weighing.bridge.codecs import CODECS, Codec, CodecOptions, make_codec
from cell_weighing.bridge.codecs.grammar import unit_of

_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_-]{0,31}', re.ASCII)
_KEYS = ('codec', 'unit', 'comma', 'ask')
_ESCAPES = {'\\r': '\r', '\\n': '\n', '\\x1b': '\x1b', '\\x05': '\x05'}


class FormatError(ValueError):
    """A format cannot be used; the text names its entry and what is wrong."""


@dataclass(frozen=True)
class Format:
    """A codec with its options."""

    codec: str
    options: CodecOptions = field(default_factory=CodecOptions)
    ask: bytes = b''
    """Poll command; b'' = that of the codec."""

    def make(self) -> Codec:
        """Return a codec.

        Raises:
            ValueError: An option does not suit the codec.
        """
        return make_codec(self.codec, self.options)


def parse_formats(entries: Iterable[str], options: CodecOptions) -> dict[str, Format]:
    r"""Return the formats of a site by name: every codec with the options of the site, and the named ones.

    Args:
        entries: Such as "dosing codec=template unit=kg comma=yes ask=P\r\n template=ST,GS,{weight}": a name, then any of codec,
            unit, comma, ask, and at the end template (with spaces) or ticket (lines separated by " / ").
        options: Options that an entry does not name.

    Raises:
        FormatError: An entry is wrong.
    """
    formats = {name: Format(name, options) for name in CODECS}
    for entry in entries:
        name, parsed = _parse(entry, options)
        if name in formats:
            raise FormatError(f'"{entry}": the name {name} is given twice or is that of a codec')
        formats[name] = parsed
    return formats


def check_formats(formats: Mapping[str, Format], used: Iterable[str]) -> None:
    """Make every format in use once, so that options that do not suit its codec stop the node at its start.

    Args:
        formats: Name -> format.
        used: Names in parameters `codec` and `peers`.

    Raises:
        ValueError: An option does not suit the codec.
    """
    for name in used:
        formats[name].make()


def _parse(entry: str, options: CodecOptions) -> tuple[str, Format]:
    """Return name and format of an entry of parameter `formats`.

    Raises:
        FormatError: The entry has no name, an unknown key, or a codec that does not exist.
    """
    head, text = entry, {}
    for key in ('template', 'ticket'):
        head, found, value = head.partition(f' {key}=')
        if found:
            text[key] = value
    name, *pairs = head.split() or ['']
    values = dict(pair.split('=', 1) for pair in pairs if '=' in pair)
    if not _NAME.fullmatch(name):
        raise FormatError(f'"{entry}" must begin with a name of letters and digits')
    if len(values) != len(pairs) or not values.keys() <= set(_KEYS):
        raise FormatError(f'"{entry}" may say {", ".join(f"{key}=" for key in _KEYS)} and at the end template= or ticket=')
    codec = values.get('codec', 'ticket' if 'ticket' in text else 'template')
    if codec not in CODECS:
        raise FormatError(f'"{entry}": codec must be one of {", ".join(CODECS)}')
    unit = unit_of(values['unit'].encode('ascii', 'replace')) if 'unit' in values else options.unit
    if 'unit' in values and not unit:
        raise FormatError(f'"{entry}": unit must be kg, g, lb, oz or t')
    if values.get('comma', 'no') not in ('yes', 'no'):
        raise FormatError(f'"{entry}": comma must be yes or no')
    own = replace(
        options,
        template=text.get('template', options.template),
        ticket=tuple(text['ticket'].split(' / ')) if 'ticket' in text else options.ticket,
        unit=unit,
        decimal_comma=values['comma'] == 'yes' if 'comma' in values else options.decimal_comma,
    )
    return name, Format(codec, own, _unescape(values.get('ask', ''), entry))


def _unescape(text: str, entry: str) -> bytes:
    """Return the bytes of a poll command, with the escapes for control characters.

    Raises:
        FormatError: It is not ASCII, or has an unknown escape.
    """
    for written, meant in _ESCAPES.items():
        text = text.replace(written, meant)
    if not text.isascii() or '\\' in text:
        raise FormatError(f'"{entry}": ask must be ASCII, with {", ".join(_ESCAPES)} for control characters')
    return text.encode()
