"""Several frames of one part vote on each character of its print."""

from __future__ import annotations

import pytest
from cell_vision.ocr.fusion import fuse_frames, is_certain, merge_passes
from cell_vision.types import UNREAD, Reading


def box(x, y, text, score, *, letter=20.0, high=30.0):
    wide = letter * len(text)
    return Reading(text, score, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def texts(readings):
    return [reading.text for reading in readings]


def test_the_majority_of_the_frames_decides_each_character():
    frames = [[box(100, 50, 'EM1-2U1', 0.8)], [box(104, 51, 'EN1-2U1', 0.8)], [box(108, 52, 'EM1-2U4', 0.8)]]
    voted = fuse_frames(frames)
    assert texts(voted) == ['EM1-2U1']
    assert 0.5 < voted[0].score < 0.8, 'what the frames do not agree on costs score'
    assert voted[0].polygon == frames[-1][0].polygon, 'the place is that of the newest frame'


def test_a_confident_frame_outvotes_two_that_guess():
    frames = [[box(0, 0, 'HF3FF-0l2', 0.55)], [box(0, 0, 'HF3FF-012', 0.99)], [box(0, 0, 'HF3FF-0l2', 0.55)]]
    assert texts(fuse_frames(frames)) == ['HF3FF-012']


def test_two_frames_that_contradict_each_other_leave_no_usable_score():
    voted = fuse_frames([[box(0, 0, 'EM1-2U1', 0.95)], [box(0, 0, 'EM1-2U4', 0.95)]])
    assert voted[0].score < 0.6


def test_frames_that_agree_keep_the_best_score_and_make_no_more_of_it():
    voted = fuse_frames([[box(0, 0, 'EM1-2U1', 0.7)], [box(2, 1, 'EM1-2U1', 0.8)], [box(4, 2, 'EM1-2U1', 0.75)]])
    assert texts(voted) == ['EM1-2U1'] and voted[0].score == pytest.approx(0.8)


def test_a_character_that_one_frame_lost_is_there_again():
    frames = [[box(0, 0, 'G8NB-17S', 0.8)], [box(0, 0, 'G8NB-17SR', 0.85)], [box(0, 0, 'G8NB-17SR', 0.8)]]
    assert texts(fuse_frames(frames)) == ['G8NB-17SR']


def test_at_a_tie_the_longer_text_wins_with_a_low_score():
    voted = fuse_frames([[box(0, 0, 'EM1-2U1', 0.9)], [box(0, 0, 'EM1-2U1S', 0.9)]])
    assert texts(voted) == ['EM1-2U1S'] and voted[0].score < 0.6


def test_a_text_cut_into_pieces_in_one_frame_votes_as_one():
    frames = [[box(0, 0, 'EM1-2U1', 0.7)], [box(0, 0, 'EM1-', 0.9), box(80, 0, '2U1', 0.9)], [box(0, 0, 'EM1-2U1', 0.7)]]
    assert texts(fuse_frames(frames)) == ['EM1-2U1']


def test_texts_at_different_places_stay_apart_and_in_order():
    lines = [box(0, 0, 'KESTREL', 0.9), box(0, 60, 'EM1-2U1', 0.8), box(0, 120, '10A 250V', 0.8)]
    moved = [box(25, 12, 'KESTREL', 0.9), box(25, 72, 'EM1-2UI', 0.7), box(25, 132, '10A 250V', 0.8)]
    assert texts(fuse_frames([lines, moved])) == ['KESTREL', 'EM1-2U1', '10A 250V']


def test_a_part_that_moved_further_than_its_print_is_high_is_still_the_same():
    frames = [[box(0, 0, 'EM1-2U1', 0.8)], [box(0, 40, 'EM1-2U1', 0.8)], [box(0, 80, 'EM1-2U4', 0.6)]]
    assert texts(fuse_frames(frames)) == ['EM1-2U1']


def test_other_looks_of_one_frame_that_contradict_count_against_its_best():
    doubtful = [box(0, 0, 'EM1-2U1', 0.93), box(0, 0, 'EM1-2U4', 0.92)]
    assert fuse_frames([doubtful, doubtful])[0].score < 0.6


def test_one_frame_and_empty_frames_are_nothing_to_vote_on():
    one = [box(0, 0, 'EM1-2U1', 0.4)]
    assert fuse_frames([one]) == one
    assert fuse_frames([[], []]) == []
    assert texts(fuse_frames([[], one])) == ['EM1-2U1']


def test_nothing_is_certain_beside_a_part_that_could_not_be_read():
    assert not is_certain([box(0, 0, 'EM1-2U1', 0.99), box(600, 0, UNREAD, 1.0)])


@pytest.mark.parametrize(
    ('text', 'score', 'certain'),
    [('EM1-2U1', 0.95, True), ('EM1-2U1', 0.85, False), ('KESTREL', 0.99, False), ('12', 0.99, False)],
)
def test_only_a_number_read_with_confidence_is_certain(text, score, certain):
    assert is_certain([box(0, 0, text, score)]) is certain


def test_a_rating_read_with_confidence_does_not_make_an_uncertain_number_certain():
    rating = box(0, 100, '10A 250VAC', 0.99)
    assert not is_certain([box(0, 0, 'EM1-2U1', 0.7), rating])
    assert is_certain([box(0, 0, 'EM1-2U1', 0.95), rating])


def test_small_print_that_is_hard_to_read_needs_no_further_frame():
    assert is_certain([box(0, 0, 'EM1-2U1', 0.95), box(0, 100, 'lot 240512', 0.6, letter=8.0, high=12.0)])


def test_a_piece_of_a_line_has_no_strip_of_the_whole_line():
    whole, piece = (
        Reading('74LS 0', 0.98, ((0, 0), (120, 0), (120, 30), (0, 30)), (b'\0whole',)),
        Reading('0', 0.92, ((100, 0), (120, 0), (120, 30), (100, 30)), (b'\0piece',)),
    )
    merged = merge_passes([[whole], [piece]], keep_contradictions=True)
    assert {reading.text: reading.likelihoods for reading in merged}.get('0', (b'\0piece',)) == (b'\0piece',)
    assert merged[0].likelihoods == (b'\0whole',)
