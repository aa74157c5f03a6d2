"""One reading of several frames: as many as it takes, and no more."""

from __future__ import annotations

from cell_vision.ocr.fusion import MultiFrameReading
from cell_vision.types import Barcode, FrameReading, Reading

PLACE = ((0.0, 0.0), (140.0, 0.0), (140.0, 30.0), (0.0, 30.0))


def reading(*texts, codes=(), seconds=0.1):
    return FrameReading(
        tuple(Reading(text, score, PLACE) for text, score in texts),
        640,
        480,
        seconds,
        'test',
        tuple(Barcode('QRCode', code, PLACE) for code in codes),
    )


def test_a_certain_first_frame_is_enough():
    several = MultiFrameReading(5)
    assert several.needs_more
    several.readings.append(reading(('EM1-2U1', 0.97)))
    assert not several.needs_more and several.fuse() is several.readings[0]


def test_frames_are_read_until_they_are_certain_or_as_many_as_wanted():
    several = MultiFrameReading(3, [reading(('EM1-2U1', 0.7))])
    assert several.needs_more
    several.readings.append(reading(('EM1-2U4', 0.7)))
    assert several.needs_more
    several.readings.append(reading(('EM1-2U1', 0.7)))
    assert not several.needs_more
    assert [item.text for item in several.fuse().readings] == ['EM1-2U1']


def test_the_result_belongs_to_the_newest_frame_with_text_and_adds_up_time_and_codes():
    frames = [reading(('EM1-2U1', 0.7), codes=['A']), reading(('EM1-2U1', 0.8), codes=['A', 'B']), reading(codes=['B'])]
    several = MultiFrameReading(3, frames)
    assert several.reference_index == 1
    result = several.fuse()
    assert [code.text for code in result.codes] == ['A', 'B'] and round(result.seconds, 3) == 0.3
    assert result.readings[0].score > 0.79


def test_frames_without_text_are_looked_at_again():
    several = MultiFrameReading(2, [reading()])
    assert several.needs_more and several.reference_index == 0
    several.readings.append(reading())
    assert not several.needs_more and not several.fuse().readings
