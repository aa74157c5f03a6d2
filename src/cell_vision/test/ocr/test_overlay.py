"""What the operator sees: the verdict by color and by shape, the texts beside the print."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.overlay import BAD, COLORS, GOOD, UNSURE, OverlayVerdict, VerdictIcon, draw_overlay
from cell_vision.types import Barcode, Reading

PRINT = ((300.0, 300.0), (600.0, 310.0), (598.0, 360.0), (298.0, 350.0))


def drawn(frame, readings=(), verdict=None, codes=()):
    image = frame.copy()
    draw_overlay(image, readings, verdict, codes)
    return image


@pytest.fixture
def frame():
    return np.full((720, 1280, 3), 128, np.uint8)


@pytest.mark.parametrize(
    ('shape', 'color'), [(VerdictIcon.TICK, GOOD), (VerdictIcon.CROSS, BAD), (VerdictIcon.QUESTION, UNSURE)]
)
def test_the_verdict_has_its_color_in_a_bar_across_the_frame(frame, shape, color):
    picture = drawn(frame, verdict=OverlayVerdict('MATCH EM1-2U1', shape))
    assert np.allclose(picture[20, 1270], color, atol=12) and np.allclose(picture[400, 640], 128, atol=4)


def test_the_verdicts_differ_in_shape_even_without_color(frame, monkeypatch):
    for shape in VerdictIcon:
        monkeypatch.setitem(COLORS, shape, (128, 128, 128))
    pictures = [drawn(frame, verdict=OverlayVerdict('', shape))[:70, :90] for shape in VerdictIcon]
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert (cv2.absdiff(pictures[one], pictures[other]).max(axis=2) > 60).sum() > 100


def test_a_title_longer_than_the_frame_is_wide_still_fits(frame):
    picture = drawn(frame, verdict=OverlayVerdict('MISMATCH ' + 'X' * 64, VerdictIcon.CROSS))
    assert np.allclose(picture[10:60, 1240:1275], BAD, atol=12)


def test_the_labels_cover_no_print(frame):
    lines = [Reading(text, 0.95, tuple((x, y + 60 * n) for x, y in PRINT)) for n, text in enumerate(['ONE', 'TWO', 'THREE'])]
    square = ((700.0, 200.0), (760.0, 200.0), (760.0, 260.0), (700.0, 260.0))
    picture = drawn(frame, lines, codes=[Barcode('QRCode', 'EM1-2U1', square)])
    for line in lines:
        inside = np.array(line.polygon).mean(axis=0) + (np.array(line.polygon) - np.array(line.polygon).mean(axis=0)) * 0.8
        mask = cv2.fillPoly(np.zeros((720, 1280), np.uint8), [inside.astype(np.int32)], 255)
        assert np.abs(picture[mask > 0].astype(int) - 128).max() < 40
    assert (picture < 60).all(axis=2).sum() > 3000, 'there are labels'


def test_an_uncertain_text_is_outlined_with_dashes(frame):
    def colored(score):
        return (drawn(frame, [Reading('', score, PRINT)])[:, :, 0].astype(int) - 128 > 40).sum()

    assert 0.3 < colored(0.6) / colored(0.99) < 0.8


def test_places_outside_the_frame_and_a_tiny_frame_are_drawn_all_the_same():
    far = tuple((x - 900.0, y - 900.0) for x, y in PRINT)
    tiny = np.full((16, 16, 3), 128, np.uint8)
    assert drawn(tiny, [Reading('EM1-2U1', 0.9, far)], OverlayVerdict('MATCH', VerdictIcon.TICK, far)).shape == (16, 16, 3)
