"""Parsed lines and readings of indicators.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum


class ReadingStatus(IntEnum):
    """Whether the weight may be used. Numbers as in cell_interfaces/ScaleReading."""

    VALID = 0
    MALFORMED = 1
    OUT_OF_RANGE = 2


class Stability(IntEnum):
    """Whether the weight was stable. Numbers as in cell_interfaces/ScaleReading."""

    UNKNOWN = 0
    STABLE = 1
    IN_MOTION = 2


class WeightMode(IntEnum):
    """Gross (with the container) or net (without it). Numbers as in cell_interfaces/ScaleReading."""

    UNKNOWN = 0
    GROSS = 1
    NET = 2


@dataclass(slots=True)
class ParsedLine:
    """Result of a codec for one line.

    Attributes:
        scale_id: As sent; "" when the protocol has no id: then the connection decides.
        status: Whether the weight may be used.
        weight: Decimal digits as sent, without spaces and plus sign; "" unless VALID.
        unit: kg, g, lb, oz or t; "" unless VALID.
        stability: As the indicator reports it.
        mode: Gross or net, as the indicator reports it.
        tare: Decimal digits in `unit`; "" when the line has no tare.
        message: Message for the operator: why the line is not VALID.
    """

    scale_id: str
    status: ReadingStatus
    weight: str = ''
    unit: str = ''
    stability: Stability = Stability.UNKNOWN
    mode: WeightMode = WeightMode.UNKNOWN
    tare: str = ''
    message: str = ''


@dataclass(slots=True)
class WeightReading:
    """One line of an indicator as the journal stores it.

    Mutable, because the journal assigns the sequence number; nobody changes a reading after its
    commit. `slots` saves memory: up to 20 000 readings wait when the disk is full.

    Attributes:
        reading_id: UUIDv7.
        scale_id: Scale that sent it; "" = unknown.
        sequence: Sequence number of this scale's readings, from 1; 0 before it is stored.
        received_ns: When the line's last byte arrived, UTC nanoseconds since 1970.
        monotonic_ns: The same moment on the machine's monotonic clock, comparable within one boot.
        raw: The line as received, without its end; a malformed one is cut at the length limit.
        status: Whether the weight may be used.
        weight: Decimal digits in `unit`; "" unless VALID.
        unit: kg, g, lb, oz or t; "" unless VALID.
        stability: As the indicator reported it, or STABLE for a captured bag of a stream.
        mode: Gross or net.
        tare: Decimal digits in `unit`; "" when the line has no tare.
        message: Remark for the operator: why it is not VALID or makes no bag.
        peer: Remote address and port of the connection.
        boot_id: Boot of the machine that `monotonic_ns` belongs to; "" = unknown.
    """

    reading_id: str
    scale_id: str
    sequence: int
    received_ns: int
    monotonic_ns: int
    raw: bytes
    status: ReadingStatus
    weight: str = ''
    unit: str = ''
    stability: Stability = Stability.UNKNOWN
    mode: WeightMode = WeightMode.UNKNOWN
    tare: str = ''
    message: str = ''
    peer: str = ''
    boot_id: str = field(default='', compare=False)

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
    r"""Return raw bytes as text: printable ASCII unchanged, a backslash as \\, other bytes as \xNN."""
    text = raw.decode('latin-1')
    if text.isascii() and text.isprintable() and '\\' not in text:
        return text
    return ''.join('\\\\' if c == '\\' else c if ' ' <= c <= '~' else f'\\x{ord(c):02x}' for c in text)
