"""Codecs: one module for each protocol that indicators speak.

A codec parses one record (without its end) to a `ParsedLine`. To add a protocol, write a module with a class that has the
members of `Codec`, and name it in `CODECS`, at the place that its strictness gives it. No other module knows protocols.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cell_weighing.bridge.codecs.comma_separated import CommaSeparatedCodec
from cell_weighing.bridge.codecs.mt_sics import MtSicsCodec
from cell_weighing.bridge.codecs.nci import NciCodec
from cell_weighing.bridge.codecs.ohaus import OhausCodec
from cell_weighing.bridge.codecs.options import Codec, CodecOptions
from cell_weighing.bridge.codecs.rinstrum import RinstrumCodec
from cell_weighing.bridge.codecs.sbi import SbiCodec
from cell_weighing.bridge.codecs.sma import SmaCodec
from cell_weighing.bridge.codecs.template import LegacyCodec, TemplateCodec
from cell_weighing.bridge.codecs.ticket import TicketCodec
from cell_weighing.bridge.codecs.toledo import ToledoCodec

__all__ = ['CODECS', 'Codec', 'CodecOptions', 'make_codec']

CODECS: Mapping[str, Callable[[CodecOptions], Codec]] = {
    'toledo-checksum': lambda _: ToledoCodec(checksum=True),
    'legacy': lambda options: LegacyCodec(decimal_comma=options.decimal_comma),
    'template': lambda options: TemplateCodec(options.template, decimal_comma=options.decimal_comma, unit=options.unit),
    'sma': lambda options: SmaCodec(options.sma_command, decimal_comma=options.decimal_comma),
    'nci': lambda options: NciCodec(decimal_comma=options.decimal_comma),
    'mt-sics': lambda options: MtSicsCodec(options.sics_command),
    'toledo': lambda _: ToledoCodec(),
    'and': lambda options: CommaSeparatedCodec(decimal_comma=options.decimal_comma),
    'ticket': lambda options: TicketCodec(options.ticket, decimal_comma=options.decimal_comma, unit=options.unit),
    'rinstrum': lambda options: RinstrumCodec(options.unit),
    'sbi': lambda _: SbiCodec(),
    'ohaus': lambda _: OhausCodec(),
}
"""Codecs by their name in parameter `codec`, the strictest first. Of two that read the same records equally well,
`cell scale try` proposes the one that asks for more: fixed positions before free fields, a checksum before none."""


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
