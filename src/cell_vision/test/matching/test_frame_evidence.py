"""Evidence of several frames: independent ones add up, alike ones count once, in any order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cell_vision.matching.frame_evidence import add_frames, independent_frames
from hypothesis import given
from hypothesis import strategies as st

SCORE = st.floats(-12.0, 0.0)
FRAMES = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(SCORE, min_size=n, max_size=n), min_size=1, max_size=4))


def test_a_frame_alone_is_its_own_evidence():
    assert add_frames(np.array([[-1.0, -7.0, -12.0]])).tolist() == [-1.0, -7.0, -12.0]


@pytest.mark.parametrize('count', [2, 3, 10])
def test_the_same_frame_again_is_no_further_evidence(count):
    once = np.array([[-0.5, -2.5, -6.0]])
    assert add_frames(np.repeat(once, count, 0)) == pytest.approx(once[0])
    assert independent_frames(np.repeat(once, count, 0)) == pytest.approx(1.0)


def test_frames_that_err_differently_speak_louder_together():
    scores = np.array([[0.0, -2.0, -9.0], [-1.0, -6.0, -2.0], [0.0, -9.0, -6.0]])
    best, *others = add_frames(scores)
    assert best == pytest.approx(-1 / 3)
    assert all(best - other > 1.5 * (scores.mean(0)[0] - scores.mean(0)[i + 1]) for i, other in enumerate(others))


def test_an_error_that_all_frames_share_stays_one_error():
    scores = np.array([[-2.0, 0.0], [-2.2, 0.0], [-1.9, -0.1]])
    assert add_frames(scores)[1] - add_frames(scores)[0] < 2.5


def test_a_text_that_fits_no_number_gets_no_likelier_by_reading_it_often():
    assert add_frames(np.array([[-5.0, -9.0], [-9.0, -5.0], [-7.0, -8.0]])).max() <= -7.0 + 1e-9


@given(FRAMES)
def test_the_order_of_the_frames_does_not_matter(frames):
    scores = np.array(frames)
    expected = add_frames(scores).tolist()
    for order in itertools.islice(itertools.permutations(range(len(scores))), 24):
        assert add_frames(scores[list(order)]).tolist() == expected


@given(FRAMES)
def test_frames_amount_to_at_least_one_and_at_most_all(frames):
    scores = np.array(frames)
    assert 1.0 - 1e-9 <= independent_frames(scores) <= len(scores) + 1e-9
    assert int(add_frames(scores).argmax()) == int(scores.mean(0).argmax()) or np.isclose(*np.sort(scores.mean(0))[-2:])
