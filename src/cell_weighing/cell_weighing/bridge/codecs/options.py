"""Site options of the codecs, and the protocol that each codec has.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cell_weighing.bridge.framing import Framer
from cell_weighing.domain.reading import ParsedLine

EXTENDED = '{id},{mode},{status},{weight},{unit},{tare},{tare_status}'
TICKET = ('ID {id}', 'Tare {tare} {unit}', 'Net {net} {unit}', 'Gross {weight} {unit}')


class Codec(Protocol):
    """Parses the records of one protocol."""

    @property
    def poll_command(self) -> bytes:
        """Bytes sent periodically to an indicator that only responds to commands; b'' = it sends without commands."""
        ...

    def make_framer(self, max_bytes: int) -> Framer:
        """Return what splits the bytes of one connection into records; `max_bytes`: security limit of a record."""
        ...

    def parse(self, line: bytes) -> ParsedLine:
        """Parse one record without its end; a record outside the grammar is MALFORMED, nothing is raised."""
        ...


@dataclass(frozen=True)
class CodecOptions:
    """Site options of the codecs."""

    template: str = EXTENDED
    """Print format for codec `template`."""
    decimal_comma: bool = False
    """Numbers have a decimal comma instead of a point."""
    sma_command: str = 'W'
    """Command for SMA scales: "W" = current weight, "P" = weight as soon as it is stable."""
    sics_command: str = 'SI'
    """Command for MT-SICS scales: "SI" = current weight, "S" = weight as soon as it is stable."""
    unit: str = ''
    """Unit of records that name none; "" = such a record is no weight."""
    ticket: Sequence[str] = TICKET
    """Lines of a ticket for codec `ticket`, in their order."""
