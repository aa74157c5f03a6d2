"""Tries formats on bytes of an indicator: what each record is, and which format fits.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cell_weighing.bridge.codecs import CODECS, CodecOptions
from cell_weighing.bridge.formats import Format, FormatError, parse_formats
from cell_weighing.bridge.framing import MAX_LINE_BYTES, MalformedLine
from cell_weighing.bridge.unterminated import SilenceSplitter
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode, printable

__all__ = ['FORMATS', 'FormatError', 'FormatTrial', 'RecordTrial', 'best_trial', 'make_format', 'try_format', 'try_formats']

FORMATS = tuple(CODECS)
"""Names of the formats, the strictest first: between two that fit equally well, the one that asks for more is better."""


@dataclass(frozen=True)
class RecordTrial:
    """One record as a format reads it.

    Attributes:
        raw: The bytes, those that are not printable as hexadecimal escapes.
        read: Whether the format understands the record, as a weight or as one of its faults.
        weight: Whether the record is a weight.
        text: The weight with unit and state, or why it is none.
    """

    raw: str
    read: bool
    weight: bool
    text: str


@dataclass(frozen=True)
class FormatTrial:
    """All records of some bytes as one format reads them.

    Attributes:
        name: Name of the format.
        records: In order.
        needs_silence: Whether a record without a line end was read: the indicator then needs parameter record_silence.
    """

    name: str
    records: Sequence[RecordTrial]
    needs_silence: bool = False

    @property
    def weights(self) -> int:
        """Number of weights."""
        return sum(record.weight for record in self.records)

    @property
    def unread(self) -> int:
        """Number of records that the format does not understand."""
        return sum(not record.read for record in self.records)

    @property
    def fits(self) -> bool:
        """Whether the format understands most records, and one of them is a weight; or all of them, without a weight."""
        return self.unread * 2 < len(self.records) and (self.weights > 0 or not self.unread)

    @property
    def fault(self) -> str:
        """Why the first record that is not understood is none; "" = all are understood."""
        return next((record.text for record in self.records if not record.read), '')


def make_format(name: str, *, template: str = '', unit: str = '', decimal_comma: bool = False) -> Format:
    """Return a format.

    Args:
        name: One of `FORMATS`.
        template: Print format for codec template; "" = that of the cell's default.
        unit: Unit of records that name none.
        decimal_comma: Numbers have a decimal comma.

    Raises:
        ValueError: There is no such format, or the template cannot be used.
    """
    options = CodecOptions(decimal_comma=decimal_comma, unit=unit)
    options = replace(options, template=template) if template else options
    formats = parse_formats((), options)
    if name not in formats:
        raise FormatError(f'there is no format "{name}"; use one of {", ".join(FORMATS)}')
    formats[name].make()
    return formats[name]


def try_format(name: str, chosen: Format, packets: Iterable[bytes]) -> FormatTrial:
    """Read bytes in one format; the end of the packets counts as a silence.

    Args:
        name: Name of the format, for the result.
        chosen: The format.
        packets: Bytes as they were received.
    """
    codec = chosen.make()
    framer = codec.make_framer(MAX_LINE_BYTES)
    records = [record for packet in packets for record in framer.feed(packet)]
    ended, count = SilenceSplitter(codec).split(framer.unterminated) if framer.unterminated else ([], 0)
    framer.take_unterminated(count)
    records += [*ended, *framer.end()]
    return FormatTrial(name, [_trial(codec.parse(r), r) if isinstance(r, bytes) else _broken(r) for r in records], count > 0)


def try_formats(
    packets: Sequence[bytes], *, template: str = '', unit: str = '', decimal_comma: bool = False
) -> list[FormatTrial]:
    """Read bytes in every format, the best first.

    Args:
        packets: Bytes as they were received.
        template: Print format for codec template; "" = that of the cell's default.
        unit: Unit of records that name none.
        decimal_comma: Numbers have a decimal comma.

    Raises:
        ValueError: The template cannot be used.
    """
    trials = [
        try_format(name, make_format(name, template=template, unit=unit, decimal_comma=decimal_comma), packets)
        for name in FORMATS
    ]
    return sorted(
        trials,
        key=lambda trial: (
            not trial.fits,
            not trial.weights,
            not trial.records,
            trial.unread,
            -trial.weights,
            # Where none fits, the simplest line is the one to compare with.
            not trial.fits and trial.name != 'legacy',
        ),
    )


def best_trial(trials: Sequence[FormatTrial]) -> FormatTrial | None:
    """Return the format that fits best; None when none fits."""
    return trials[0] if trials and trials[0].fits else None


def _trial(parsed: ParsedLine, raw: bytes) -> RecordTrial:
    weight = parsed.status is ReadingStatus.VALID
    if not weight:
        return RecordTrial(printable(raw), parsed.status is ReadingStatus.OUT_OF_RANGE, False, parsed.message)
    parts = [f'scale {parsed.scale_id}:' if parsed.scale_id else '', parsed.weight, parsed.unit]
    parts += [{Stability.STABLE: 'stable', Stability.IN_MOTION: 'in motion', Stability.UNKNOWN: ''}[parsed.stability]]
    parts += [{WeightMode.GROSS: 'gross', WeightMode.NET: 'net', WeightMode.UNKNOWN: ''}[parsed.mode]]
    parts += [f'tare {parsed.tare}' if parsed.tare else '']
    return RecordTrial(printable(raw), True, True, ' '.join(part for part in parts if part))


def _broken(line: MalformedLine) -> RecordTrial:
    return RecordTrial(printable(line.data), False, False, line.reason)
