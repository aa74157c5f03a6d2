"""Gaps between characters, measured on the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.engines.ink_gaps import gaps_of_text, ink_gaps, wide_gaps

PITCH, HIGH = 40, 70


def strip(text: str, *, ground: int = 200, ink: int = 40, noise: float = 0.0) -> tuple[np.ndarray, list[float]]:
    """Draw a monospaced line; return it with the center of each character that is not a blank."""
    image = np.full((HIGH, PITCH * (len(text) + 1), 3), ground, np.uint8)
    for i, character in enumerate(text):
        cv2.putText(image, character, (20 + PITCH * i, 52), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (ink,) * 3, 4, cv2.LINE_AA)
    grain = np.random.default_rng(1).normal(0, noise, image.shape)
    places = [(20 + PITCH * i + 14) / image.shape[1] for i, character in enumerate(text) if character != ' ']
    return np.clip(image + grain, 0, 255).astype(np.uint8), places


@pytest.mark.parametrize(('ground', 'ink', 'noise'), [(200, 40, 0), (40, 220, 0), (120, 80, 6)])
def test_a_character_that_is_missing_leaves_a_wide_gap(ground, ink, noise):
    image, places = strip('74LS1 2N', ground=ground, ink=ink, noise=noise)
    assert wide_gaps('74LS12N', ink_gaps(image, places)) == [4]


@pytest.mark.parametrize('text', ['74LS112N', 'MY4N2', 'HF115F012', '1111111'])
def test_a_whole_number_has_none(text):
    assert wide_gaps(text, ink_gaps(*strip(text))) == []


def test_print_without_contrast_cannot_be_measured():
    image, places = strip('74LS1 2N', ground=120, ink=117)
    assert ink_gaps(image, places) == [] and wide_gaps('74LS12N', []) == []


def test_two_gaps_are_too_few_to_know_the_usual_one():
    image, places = strip('7 42')
    assert wide_gaps('742', ink_gaps(image, places)) == []


def test_an_l_whose_foot_is_faint_leaves_more_room_than_other_characters():
    gaps = [0.15, 0.15, 0.75, 0.2, 0.2]
    assert wide_gaps('74LS12', gaps) == [] and wide_gaps('74HS12', gaps) == [2]


@pytest.mark.parametrize(
    'printed, text, gaps', [('74LS1 2N', '74LS12N', [4]), ('74LS 12N', '74LS12N', [3]), ('HF11 F01', 'HF11F01', [3])]
)
def test_a_gap_is_found_without_the_places_of_the_characters(printed, text, gaps):
    assert gaps_of_text(strip(printed)[0], text) == gaps


@pytest.mark.parametrize('text', ['74LS112N', 'MY4N2', '74LS1 12N'])
def test_a_whole_number_and_a_blank_that_was_read_leave_no_gap(text):
    assert gaps_of_text(strip(text)[0], text) == []


def test_faint_print_or_a_short_text_has_no_gaps_that_could_be_found():
    assert gaps_of_text(strip('74LS1 2N', ground=120, ink=117)[0], '74LS12N') == []
    assert gaps_of_text(strip('7 4')[0], '74') == []
