"""Barcodes: read in real images, and checked against the print."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.barcode_check import BarcodeCheck
from cell_vision.matching.matcher import Decision, MatchOutcome
from cell_vision.ocr.barcodes import FORMATS, read_barcodes
from cell_vision.ocr.pipeline import add_barcodes_and_crop
from cell_vision.types import Barcode, FrameReading

SQUARE = ((10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 60.0))
CATALOGUE = Catalogue(
    {
        part.part_number: part
        for part in [
            Part('EM1-2U1', 'A', (), code=r'EM1-2U1(;.*)?'),
            Part('EM1-2UI', 'B', (), code='EM1-2UI'),
            Part('G8NB-17SR', 'C', (), code='4711'),
            Part('G8NB-17SU', 'E', ()),
        ]
    }
)
CHECK = BarcodeCheck(CATALOGUE)


def code(text, kind='DataMatrix'):
    return Barcode(kind, text, SQUARE)


def printed(verdict, part='', candidates=()):
    named = tuple((name, 0.9) for name in candidates or ([part] if part else []))
    return Decision(verdict, 'the print', part, 0.9, named, text=part, polygon=SQUARE)


def drawn(text, kind, *, turn=0.0):
    """Return a gray frame with a code in it."""
    made = np.array(zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=3))
    frame = np.full((480, 640), 190, np.uint8)
    frame[100 : 140 + made.shape[0], 60 : 100 + made.shape[1]] = 250
    frame[120 : 120 + made.shape[0], 80 : 80 + made.shape[1]] = made
    spin = cv2.getRotationMatrix2D((320, 240), turn, 0.9)
    return cv2.cvtColor(cv2.warpAffine(frame, spin, (640, 480), borderValue=190), cv2.COLOR_GRAY2BGR)


@pytest.mark.parametrize('kind', ['QRCode', 'DataMatrix', 'Code128', 'Aztec', 'Code39'])
def test_a_code_is_read_in_pixels_whatever_its_angle(kind):
    found = read_barcodes(drawn('EM1-2U1', kind, turn=17), FORMATS)
    assert [(item.format, item.text) for item in found] == [(kind, 'EM1-2U1')]
    assert all(0 <= x < 640 and 0 <= y < 480 for x, y in found[0].polygon)


def test_codes_are_looked_for_only_when_asked_for():
    frame, reading = drawn('EM1-2U1', 'QRCode'), FrameReading((), 640, 480, 0.0, 'none')
    assert add_barcodes_and_crop(reading, frame, {}).codes == ()
    assert add_barcodes_and_crop(reading, frame, {'codes': ['Code128']}).codes == ()
    assert [item.text for item in add_barcodes_and_crop(reading, frame, {'codes': ['QRCode']}).codes] == ['EM1-2U1']


def test_a_code_found_in_a_piece_of_the_frame_lies_where_it_is_in_the_frame():
    frame = drawn('EM1-2U1', 'DataMatrix')
    whole = read_barcodes(frame, ['DataMatrix'])[0]
    shifted = np.array([[1.0, 0.0, 30.0], [0.0, 1.0, 40.0]])
    piece = read_barcodes(frame, ['DataMatrix'], [(frame[40:, 30:].copy(), shifted)])[0]
    assert np.allclose(piece.polygon, whole.polygon, atol=2.0)


def test_a_code_that_agrees_makes_the_verdict_more_certain():
    checked = CHECK.apply('EM1-2U1', printed(MatchOutcome.MATCH, 'EM1-2U1'), [code('EM1-2U1;lot 7')])
    assert checked.decision.verdict is MatchOutcome.MATCH and checked.decision.score > 0.98 and not checked.by_code
    assert checked.decision.candidates[0] == ('EM1-2U1', checked.decision.score)


@pytest.mark.parametrize(
    ('verdict', 'part', 'text'),
    [
        (MatchOutcome.MATCH, 'EM1-2U1', 'EM1-2UI'),
        (MatchOutcome.MISMATCH, 'G8NB-17SU', 'EM1-2U1'),
        (MatchOutcome.MISMATCH, 'G8NB-17SU', '4711'),
    ],
)
def test_a_code_that_contradicts_the_print_never_leaves_a_match(verdict, part, text):
    checked = CHECK.apply('EM1-2U1', printed(verdict, part), [code(text)])
    assert checked.decision.verdict is MatchOutcome.AMBIGUOUS and not checked.decision.part_number
    assert part in checked.decision.reason and text in checked.decision.reason


@pytest.mark.parametrize(('text', 'verdict'), [('EM1-2U1', MatchOutcome.MATCH), ('EM1-2UI', MatchOutcome.MISMATCH)])
def test_lookalikes_are_distinguished_by_their_codes(text, verdict):
    twins = printed(MatchOutcome.AMBIGUOUS, candidates=['EM1-2U1', 'EM1-2UI'])
    checked = CHECK.apply('EM1-2U1', twins, [code(text)])
    assert (checked.decision.verdict, checked.decision.part_number, checked.by_code) == (verdict, text, True)


def test_a_code_of_a_third_part_does_not_decide_between_twins():
    checked = CHECK.apply('EM1-2U1', printed(MatchOutcome.AMBIGUOUS, candidates=['EM1-2U1', 'EM1-2UI']), [code('4711')])
    assert checked.decision.verdict is MatchOutcome.AMBIGUOUS and 'G8NB-17SR' in checked.decision.reason


def test_two_codes_of_two_parts_in_view_are_ambiguous_whatever_is_printed():
    checked = CHECK.apply('EM1-2U1', printed(MatchOutcome.MATCH, 'EM1-2U1'), [code('EM1-2U1'), code('4711')])
    assert checked.decision.verdict is MatchOutcome.AMBIGUOUS


def test_a_code_that_no_part_carries_says_nothing():
    decision = printed(MatchOutcome.MATCH, 'EM1-2U1')
    assert CHECK.apply('EM1-2U1', decision, [code('serial 0815')]).decision is decision


def test_a_strong_code_decides_when_nothing_can_be_read_and_a_weak_one_does_not():
    nothing = printed(MatchOutcome.UNREADABLE)
    assert CHECK.apply('EM1-2U1', nothing, [code('EM1-2U1')]).decision.verdict is MatchOutcome.MATCH
    assert CHECK.apply('EM1-2U1', nothing, [code('EM1-2U1', 'Code39')]).decision.verdict is MatchOutcome.UNREADABLE


def test_print_that_is_of_no_part_is_not_overruled_by_a_code():
    checked = CHECK.apply('EM1-2U1', printed(MatchOutcome.UNKNOWN), [code('EM1-2U1')])
    assert checked.decision.verdict is MatchOutcome.UNKNOWN and 'EM1-2U1' in checked.decision.reason
