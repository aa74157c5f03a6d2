"""A barcode as a second witness: read in real pixels, and heard by the matcher."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.barcode_check import CodeWitness
from cell_vision.matching.matcher import Decision, Verdict
from cell_vision.ocr.barcode_formats import FORMATS
from cell_vision.ocr.barcodes import read_codes
from cell_vision.ocr.postprocessing import with_extras
from cell_vision.types import Code, FrameReading

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
WITNESS = CodeWitness(CATALOGUE)


def code(text, kind='DataMatrix'):
    return Code(kind, text, SQUARE)


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
    found = read_codes(drawn('EM1-2U1', kind, turn=17), FORMATS)
    assert [(item.format, item.text) for item in found] == [(kind, 'EM1-2U1')]
    assert all(0 <= x < 640 and 0 <= y < 480 for x, y in found[0].polygon)


def test_codes_are_looked_for_only_when_asked_for():
    frame, reading = drawn('EM1-2U1', 'QRCode'), FrameReading((), 640, 480, 0.0, 'none')
    assert with_extras(reading, frame, {}).codes == ()
    assert with_extras(reading, frame, {'codes': ['Code128']}).codes == ()
    assert [item.text for item in with_extras(reading, frame, {'codes': ['QRCode']}).codes] == ['EM1-2U1']


def test_a_code_found_in_a_piece_of_the_frame_lies_where_it_is_in_the_frame():
    frame = drawn('EM1-2U1', 'DataMatrix')
    whole = read_codes(frame, ['DataMatrix'])[0]
    shifted = np.array([[1.0, 0.0, 30.0], [0.0, 1.0, 40.0]])
    piece = read_codes(frame, ['DataMatrix'], [(frame[40:, 30:].copy(), shifted)])[0]
    assert np.allclose(piece.polygon, whole.polygon, atol=2.0)


def test_a_code_that_agrees_makes_the_verdict_more_certain():
    heard = WITNESS.judge('EM1-2U1', printed(Verdict.MATCH, 'EM1-2U1'), [code('EM1-2U1;lot 7')])
    assert heard.decision.verdict is Verdict.MATCH and heard.decision.score > 0.98 and not heard.by_code
    assert heard.decision.candidates[0] == ('EM1-2U1', heard.decision.score)


@pytest.mark.parametrize(
    ('verdict', 'part', 'text'),
    [
        (Verdict.MATCH, 'EM1-2U1', 'EM1-2UI'),
        (Verdict.MISMATCH, 'G8NB-17SU', 'EM1-2U1'),
        (Verdict.MISMATCH, 'G8NB-17SU', '4711'),
    ],
)
def test_a_code_that_contradicts_the_print_never_leaves_a_match(verdict, part, text):
    heard = WITNESS.judge('EM1-2U1', printed(verdict, part), [code(text)])
    assert heard.decision.verdict is Verdict.AMBIGUOUS and not heard.decision.part_number
    assert part in heard.decision.reason and text in heard.decision.reason


@pytest.mark.parametrize(('text', 'verdict'), [('EM1-2U1', Verdict.MATCH), ('EM1-2UI', Verdict.MISMATCH)])
def test_twins_are_told_apart_by_their_codes(text, verdict):
    twins = printed(Verdict.AMBIGUOUS, candidates=['EM1-2U1', 'EM1-2UI'])
    heard = WITNESS.judge('EM1-2U1', twins, [code(text)])
    assert (heard.decision.verdict, heard.decision.part_number, heard.by_code) == (verdict, text, True)


def test_a_code_of_a_third_part_does_not_decide_between_twins():
    heard = WITNESS.judge('EM1-2U1', printed(Verdict.AMBIGUOUS, candidates=['EM1-2U1', 'EM1-2UI']), [code('4711')])
    assert heard.decision.verdict is Verdict.AMBIGUOUS and 'G8NB-17SR' in heard.decision.reason


def test_two_codes_of_two_parts_in_view_are_ambiguous_whatever_is_printed():
    heard = WITNESS.judge('EM1-2U1', printed(Verdict.MATCH, 'EM1-2U1'), [code('EM1-2U1'), code('4711')])
    assert heard.decision.verdict is Verdict.AMBIGUOUS


def test_a_code_that_no_part_carries_says_nothing():
    decision = printed(Verdict.MATCH, 'EM1-2U1')
    assert WITNESS.judge('EM1-2U1', decision, [code('serial 0815')]).decision is decision


def test_a_strong_code_decides_when_nothing_can_be_read_and_a_weak_one_does_not():
    nothing = printed(Verdict.UNREADABLE)
    assert WITNESS.judge('EM1-2U1', nothing, [code('EM1-2U1')]).decision.verdict is Verdict.MATCH
    assert WITNESS.judge('EM1-2U1', nothing, [code('EM1-2U1', 'Code39')]).decision.verdict is Verdict.UNREADABLE


def test_print_that_is_of_no_part_is_not_overruled_by_a_code():
    heard = WITNESS.judge('EM1-2U1', printed(Verdict.UNKNOWN), [code('EM1-2U1')])
    assert heard.decision.verdict is Verdict.UNKNOWN and 'EM1-2U1' in heard.decision.reason
