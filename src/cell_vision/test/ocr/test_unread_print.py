"""Print beside a line that was not read: a character that stands alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.unread_print import print_beyond
from cell_vision.types import Polygon


def picture(text: str, read: slice) -> tuple[np.ndarray, Polygon]:
    """Draw monospaced text and return the box around the part that was read."""
    image = np.full((300, 900, 3), 190, np.uint8)
    for i, character in enumerate(text):
        cv2.putText(image, character, (100 + 37 * i, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (30,) * 3, 4, cv2.LINE_AA)
    left, right = 95.0 + 37 * read.start, 93.0 + 37 * read.stop
    return image, ((left, 115.0), (right, 115.0), (right, 172.0), (left, 172.0))


def test_a_character_alone_after_or_before_the_line_is_found():
    assert print_beyond(*picture('MY4N J', slice(0, 4)), []) == (False, True)
    assert print_beyond(*picture('8 MY4N', slice(2, 6)), []) == (True, False)


def test_the_ends_follow_the_direction_of_the_text():
    image, (a, b, c, d) = picture('MY4N J', slice(0, 4))
    assert print_beyond(image, (c, d, a, b), []) == (True, False)


def test_print_that_was_read_is_no_unread_print():
    image, box = picture('MY4N J', slice(0, 4))
    read: Polygon = ((280.0, 115.0), (330.0, 115.0), (330.0, 172.0), (280.0, 172.0))
    assert print_beyond(image, box, [read]) == (False, False)


@pytest.mark.parametrize('text', ['MY4N', 'MY4N     J', 'MY4N -'])
def test_empty_ground_far_print_and_a_dash_are_none(text):
    assert print_beyond(*picture(text, slice(0, 4)), []) == (False, False)


def test_an_edge_or_a_surface_beside_the_line_is_no_print():
    image, box = picture('MY4N', slice(0, 4))
    image[:, 270:276] = 30
    assert print_beyond(image, box, []) == (False, False)
    image[:, 270:] = 30
    assert print_beyond(image, box, []) == (False, False)


def worn(kept: float, *, noise: float = 2.0, text: str = 'MY4NJ') -> tuple[np.ndarray, Polygon]:
    """Draw a number whose last character kept only a share of its contrast, and return the box around the others."""
    image, box = picture(text[:-1], slice(0, len(text) - 1))
    ink = round(190 - 160 * kept)
    at = (100 + 37 * (len(text) - 1), 160)
    cv2.putText(image, text[-1], at, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (ink,) * 3, 4, cv2.LINE_AA)
    grain = np.random.default_rng(5).normal(0, noise, image.shape[:2])[..., None]
    return np.clip(image + grain, 0, 255).astype(np.uint8), box


@pytest.mark.parametrize('last', 'J8-1')
@pytest.mark.parametrize('kept', [0.08, 0.15, 0.3])
def test_a_worn_last_character_leaves_a_trace(last, kept):
    # A dash alone ends no number, so it is none.
    assert print_beyond(*worn(kept, text=f'MY4N{last}'), []) == (False, last != '-')


def test_a_worn_first_character_leaves_a_trace():
    image, (a, b, c, d) = worn(0.15)
    assert print_beyond(np.ascontiguousarray(image[::-1, ::-1]), tuple((899 - x, 299 - y) for x, y in (a, b, c, d)), []) == (
        False,
        True,
    )
    assert print_beyond(image, (c, d, a, b), []) == (True, False)


@pytest.mark.parametrize('noise', [0.5, 2.0, 6.0])
def test_grain_alone_is_no_trace(noise):
    assert print_beyond(*worn(0.0, noise=noise), []) == (False, False)


def test_the_texture_of_the_surface_is_no_trace():
    image, box = worn(0.0)
    texture = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 60, image.shape[:2]).astype(np.float32), (0, 0), 3)
    image = np.clip(image + texture[..., None], 0, 255).astype(np.uint8)
    assert print_beyond(image, box, []) == (False, False)
    slope = np.linspace(-40, 40, image.shape[1])[None, :, None]
    assert print_beyond(np.clip(worn(0.0)[0] + slope, 0, 255).astype(np.uint8), box, []) == (False, False)
