"""What a line of an indicator means, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum


class ReadingStatus(IntEnum):
    """May the weight be used? Numbers as in cell_interfaces/ScaleReading."""

    VALID = 0
    MALFORMED = 1
    OUT_OF_RANGE = 2


class Stability(IntEnum):
    """Was the weight at rest? Numbers as in cell_interfaces/ScaleReading."""

    UNKNOWN = 0
    STABLE = 1
    IN_MOTION = 2


class WeightMode(IntEnum):
    """Gross (with the container) or net (without it)."""

    UNKNOWN = 0
    GROSS = 1
    NET = 2


@dataclass(slots=True)
class ParsedLine:
    """What a codec understood of one line."""

    scale_id: str
    """As sent; "" when the protocol carries none: then the connection decides."""
    status: ReadingStatus
    weight: str = ''
    """Decimal digits as sent, without blanks and plus sign; "" unless VALID."""
    unit: str = ''
    """kg, g, lb, oz or t; "" unless VALID."""
    stability: Stability = Stability.UNKNOWN
    mode: WeightMode = WeightMode.UNKNOWN
    tare: str = ''
    """Decimal digits in `unit`; "" when not told."""
    message: str = ''
    """For people: why it is not VALID."""


@dataclass(slots=True)
class WeightReading:
    """One line of an indicator as it stands in the journal."""

    reading_id: str
    """UUIDv7."""
    scale_id: str
    sequence: int
    """Consecutive number of this scale's readings, from 1; 0 before it is journalled."""
    received_ns: int
    """UTC, nanoseconds since 1970, when the line's last byte arrived."""
    monotonic_ns: int
    """The machine's monotonic clock at the same moment; it never jumps, and is comparable within one boot."""
    raw: bytes
    status: ReadingStatus
    weight: str = ''
    unit: str = ''
    stability: Stability = Stability.UNKNOWN
    mode: WeightMode = WeightMode.UNKNOWN
    tare: str = ''
    message: str = ''
    peer: str = ''
    """Address of the indicator's end of the connection."""
    boot_id: str = field(default='', compare=False)
    """The boot of the machine within which `monotonic_ns` means something, as the journal tells; "" = not known."""

    @property
    def value(self) -> Decimal:
        """The weight as a number, in `unit`.

        Raises:
            ValueError: The reading is not VALID.
        """
        if self.status is not ReadingStatus.VALID:
            raise ValueError(f'reading {self.reading_id} has no weight: {self.message}')
        return Decimal(self.weight)


def printable(raw: bytes) -> str:
    r"""Return raw bytes as text: printable ASCII as it is, a backslash as \\, everything else as \xNN."""
    text = raw.decode('latin-1')
    if text.isascii() and text.isprintable() and '\\' not in text:
        return text
    return ''.join('\\\\' if c == '\\' else c if ' ' <= c <= '~' else f'\\x{ord(c):02x}' for c in text)
