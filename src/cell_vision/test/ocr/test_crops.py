"""The region that was read, turned upright, and the text that decided."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from cell_vision.ocr.crops import evidence_crop
from cell_vision.ocr.matched_region import matched_region
from cell_vision.types import Barcode, Reading
from PIL import Image

SIZE = (640, 480)


def scene(turn):
    """Return a gray frame with a white and a black square on one line, turned, and the reading of that line."""
    frame = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    frame[220:260, 220:320], frame[220:260, 320:420] = 255, 0
    spin = cv2.getRotationMatrix2D((320, 240), turn, 1.0)
    corners = cv2.transform(np.array([[(220.0, 220.0), (420.0, 220.0), (420.0, 260.0), (220.0, 260.0)]]), spin)[0]
    return cv2.warpAffine(frame, spin, SIZE, borderValue=(120, 120, 120)), Reading('A', 0.9, tuple(map(tuple, corners)))


def decoded(data):
    return np.array(Image.open(io.BytesIO(data)).convert('L'))


@pytest.mark.parametrize('turn', [0, 30, 90, 180, -135])
def test_the_crop_is_upright_whatever_way_the_part_lies(turn):
    frame, reading = scene(turn)
    crop = evidence_crop(frame, [reading], 640)
    picture = decoded(crop.jpeg)
    high, wide = picture.shape
    assert wide > 2 * high
    assert picture[high // 2, wide // 3] > 230 and picture[high // 2, 2 * wide // 3] < 25
    a, b, _, d = np.array(crop.polygon)
    assert np.linalg.norm(b - a) == pytest.approx(wide, abs=1) and np.linalg.norm(d - a) == pytest.approx(high, abs=1)


def test_a_large_region_is_scaled_down_to_the_side_asked_for():
    frame, reading = scene(10)
    assert max(decoded(evidence_crop(frame, [reading], 100).jpeg).shape) == 100


def test_there_is_no_crop_without_text_or_when_none_is_wanted():
    frame, reading = scene(0)
    assert evidence_crop(frame, [], 640) is None and evidence_crop(frame, [reading], 0) is None


def test_a_code_beside_the_print_is_in_the_crop_so_that_it_can_be_shown_when_it_decides():
    frame, reading = scene(0)
    code = Barcode('QRCode', 'A', ((500.0, 300.0), (540.0, 300.0), (540.0, 340.0), (500.0, 340.0)))
    crop = evidence_crop(frame, [reading], 640, [code])
    assert matched_region(crop.jpeg, crop.polygon, code.polygon)
    assert not matched_region(
        evidence_crop(frame, [reading], 640).jpeg, evidence_crop(frame, [reading], 640).polygon, code.polygon
    )


def test_a_region_that_reaches_out_of_the_frame_is_cut_with_black():
    frame, _ = scene(0)
    crop = evidence_crop(frame, [Reading('A', 0.9, ((600.0, 10.0), (700.0, 10.0), (700.0, 40.0), (600.0, 40.0)))], 640)
    assert decoded(crop.jpeg)[20, -20] < 10


@pytest.mark.parametrize('turn', [0, 40, 180])
def test_the_text_that_decided_is_cut_out_of_the_crop(turn):
    frame, line = scene(turn)
    a, b, c, d = map(np.array, line.polygon)
    right = tuple(map(tuple, ((a + b) / 2, b, c, (c + d) / 2)))
    crop = evidence_crop(frame, [line], 200)
    piece = decoded(matched_region(crop.jpeg, crop.polygon, right))
    high, wide = piece.shape
    assert piece[high // 2, wide // 2] < 25
    assert wide < 0.7 * decoded(crop.jpeg).shape[1]


@pytest.mark.parametrize(
    'spoil',
    [
        lambda jpeg, where, text: (b'', where, text),
        lambda jpeg, where, text: (b'no picture', where, text),
        lambda jpeg, where, text: (jpeg, where, ()),
        lambda jpeg, where, text: (jpeg, [(0.0, 0.0)] * 4, text),
        lambda jpeg, where, text: (jpeg, where, [(9000.0, 9000.0), (9100.0, 9000.0), (9100.0, 9020.0), (9000.0, 9020.0)]),
    ],
)
def test_what_cannot_be_cut_out_is_empty_and_no_error(spoil):
    frame, line = scene(0)
    crop = evidence_crop(frame, [line], 300)
    assert matched_region(*spoil(crop.jpeg, crop.polygon, line.polygon)) == b''
