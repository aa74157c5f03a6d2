"""Codecs: one small module for each protocol that indicators speak.

A codec turns one line (without its end) into a Weighing. To add one: write a module with a class that has `parse`, and name it
in `CODECS`. Nothing else in the bridge knows protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_weighing.bridge.codecs.legacy import LegacyCodec
from cell_weighing.bridge.codecs.sma import SmaCodec
from cell_weighing.bridge.codecs.template import EXTENDED, TemplateCodec
from cell_weighing.domain.reading import ParsedLine


class Codec(Protocol):
    """Turns lines into weighings. One that has an attribute `ask` speaks only when asked: those bytes are sent to it."""

    def parse(self, line: bytes) -> ParsedLine:
        """Understand one line; what does not follow the grammar comes back as MALFORMED, nothing raises."""
        ...


@dataclass(frozen=True)
class CodecOptions:
    """What codecs may need to know of a site."""

    template: str = EXTENDED
    """Print format for codec `template`."""
    decimal_comma: bool = False
    """Numbers have a comma where others have a point."""
    sma_ask: str = 'W'
    """What an SMA scale is asked: "W" = the weight as it is, "P" = as soon as it is stable."""


CODECS: Mapping[str, Callable[[CodecOptions], Codec]] = {
    'legacy': lambda options: LegacyCodec(decimal_comma=options.decimal_comma),
    'template': lambda options: TemplateCodec(options.template, decimal_comma=options.decimal_comma),
    'sma': lambda options: SmaCodec(options.sma_ask, decimal_comma=options.decimal_comma),
}
"""Codecs by the name that parameter `codec` uses."""


def make_codec(name: str, options: CodecOptions | None = None) -> Codec:
    """Return the codec of this name.

    Raises:
        ValueError: There is none, or an option does not suit it.
    """
    if name not in CODECS:
        raise ValueError(f'there is no codec "{name}"; use one of {", ".join(CODECS)}')
    return CODECS[name](options or CodecOptions())
