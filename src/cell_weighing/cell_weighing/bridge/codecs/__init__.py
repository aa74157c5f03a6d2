"""Codecs: one module for each protocol that indicators speak.

A codec parses one line (without its end) to a `ParsedLine`. To add a protocol, write a module with a class that has the members
of `Codec`, and name it in `CODECS`. No other module of the bridge knows protocols.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_weighing.bridge.codecs.sma import SmaCodec
from cell_weighing.bridge.codecs.template import EXTENDED, LegacyCodec, TemplateCodec
from cell_weighing.domain.reading import ParsedLine


class Codec(Protocol):
    """Parses the lines of one protocol."""

    @property
    def poll_command(self) -> bytes:
        """Bytes sent periodically to an indicator that only responds to commands; b'' = it sends without commands."""
        ...

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one line without its end; a line outside the grammar is MALFORMED, nothing is raised.

        Args:
            line: Any bytes without a line end, at most the length limit.
        """
        ...


@dataclass(frozen=True)
class CodecOptions:
    """Site options of the codecs.

    Attributes:
        template: Print format for codec `template`.
        decimal_comma: Numbers have a decimal comma instead of a point.
        sma_command: Command for SMA scales: "W" = current weight, "P" = weight as soon as it is
            stable.
    """

    template: str = EXTENDED
    decimal_comma: bool = False
    sma_command: str = 'W'


CODECS: Mapping[str, Callable[[CodecOptions], Codec]] = {
    'legacy': lambda options: LegacyCodec(decimal_comma=options.decimal_comma),
    'template': lambda options: TemplateCodec(options.template, decimal_comma=options.decimal_comma),
    'sma': lambda options: SmaCodec(options.sma_command, decimal_comma=options.decimal_comma),
}
"""Codecs by their name in parameter `codec`."""


def make_codec(name: str, options: CodecOptions | None = None) -> Codec:
    """Return the codec of a name.

    Args:
        name: Key of CODECS.
        options: Options of the site; None = defaults.

    Raises:
        ValueError: There is no such codec, or an option does not suit it.
    """
    if name not in CODECS:
        raise ValueError(f'there is no codec "{name}"; use one of {", ".join(CODECS)}')
    return CODECS[name](options or CodecOptions())
