from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.likelihoods import StripEnds, ends_of, pack
from cell_vision.ocr.completeness import cut_ends, mark_cut_ends
from cell_vision.types import MISSING, UNREAD, Polygon, Reading

HIGH, WIDE = 400, 900
LEFT = 300
"""Where the text begins, pixels."""


def picture(*, ground: int = 190, ink: int = 30) -> tuple[np.ndarray, Polygon]:
    """Draw MY4N and return the box that a detector gives it: larger than the ink by a third of its height."""
    image = np.full((HIGH, WIDE, 3), ground, np.uint8)
    cv2.putText(image, 'MY4N', (LEFT, 230), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (ink,) * 3, 6, cv2.LINE_AA)
    columns = np.flatnonzero((image[..., 0].astype(int) - ground != 0).any(0))
    rows = np.flatnonzero((image[..., 0].astype(int) - ground != 0).any(1))
    x0, x1, y0, y1 = columns[0] - 25.0, columns[-1] + 25.0, rows[0] - 12.0, rows[-1] + 12.0
    return image, ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


@pytest.mark.parametrize(('ground', 'ink'), [(190, 30), (40, 200), (250, 20), (60, 110)])
def test_print_with_ground_around_it_is_complete(ground, ink):
    assert cut_ends(*picture(ground=ground, ink=ink)) == (False, False)


def test_a_label_that_ends_well_beyond_the_print_is_complete():
    image, box = picture()
    image[:, int(box[1][0]) + 15 :] = 60
    assert cut_ends(image, box) == (False, False)


@pytest.mark.parametrize('level', [255, 40, 120])
def test_a_finger_glare_or_outline_at_the_last_character_cuts_the_end(level):
    image, box = picture()
    edge = int(box[1][0]) - 20
    image[:, edge:] = level
    assert cut_ends(cv2.GaussianBlur(image, (0, 0), 1.5), box) == (False, True)


@pytest.mark.parametrize('slope', [-0.3, 0.1, 0.3])
def test_light_that_falls_off_along_the_line_cuts_nothing(slope):
    image, box = picture(ground=150, ink=60)
    light = slope * (np.arange(WIDE, dtype=np.float32) - WIDE / 2)
    lit = np.clip(image + light[None, :, None], 0, 255).astype(np.uint8)
    assert cut_ends(lit, box) == (False, False)
    lit[:, int(box[1][0]) - 20 :] = 255
    assert cut_ends(lit, box) == (False, True)


def test_the_same_at_the_first_character_cuts_the_start():
    image, box = picture()
    image[:, : int(box[0][0]) + 20] = 255
    assert cut_ends(image, box) == (True, False)


def test_print_at_the_rim_of_the_frame_is_cut():
    image, box = picture()
    edge = int(box[1][0]) - 22
    clipped = (box[0], (edge - 0.5, box[1][1]), (edge - 0.5, box[2][1]), box[3])
    assert cut_ends(image[:, :edge], clipped) == (False, True)
    at_top = tuple((x, y - box[0][1]) for x, y in box)
    assert cut_ends(image[int(box[0][1]) :], at_top) == (True, True)  # type: ignore[arg-type]


def test_the_ends_follow_the_direction_of_the_text():
    image, (a, b, c, d) = picture()
    image[:, int(b[0]) - 20 :] = 255
    assert cut_ends(image, (c, d, a, b)) == (True, False)


def test_cut_ends_are_marked_in_the_texts_and_short_ones_left_alone():
    image, box = picture()
    image[:, int(box[1][0]) - 20 :] = 255
    texts = [reading.text for reading in mark_cut_ends(image, [Reading(text, 0.9, box) for text in ('MY4N', 'A', UNREAD)])]
    assert texts == ['MY4N' + MISSING, 'A', UNREAD]


def test_the_likelihoods_of_a_reading_carry_its_ends():
    image, box = picture()
    image[:, int(box[1][0]) - 20 :] = 255
    (marked,) = mark_cut_ends(image, [Reading('MY4N', 0.9, box, (pack([]), pack([])))])
    assert [ends_of(strip) for strip in marked.likelihoods] == [StripEnds(cut_end=True)] * 2


def test_print_that_another_pass_read_is_not_missing():
    image, (a, b, c, d) = picture()
    middle = (b[0] - a[0]) * 0.75 + a[0]
    half: Polygon = (a, (middle, a[1]), (middle, d[1]), d)
    (alone,) = mark_cut_ends(image, [Reading('MY4', 0.9, half)])
    (known,) = mark_cut_ends(image, [Reading('MY4', 0.9, half)], [Reading('MY4N', 0.9, (a, b, c, d))])
    assert alone.text == f'MY4 {MISSING}' and known.text == 'MY4'


@pytest.mark.parametrize('longer', ['MY4 N', f'MY4{MISSING}N'])
def test_a_single_character_behind_a_blank_in_another_pass_does_not_count_as_read(longer):
    image, (a, b, c, d) = picture()
    middle = (b[0] - a[0]) * 0.75 + a[0]
    half: Polygon = (a, (middle, a[1]), (middle, d[1]), d)
    (marked,) = mark_cut_ends(image, [Reading('MY4', 0.9, half)], [Reading(longer, 0.9, (a, b, c, d))])
    assert marked.text == f'MY4 {MISSING}'
