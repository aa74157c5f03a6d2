from __future__ import annotations

import pytest
from cell_vision.ocr.engines.pitch import gap_ratios, gaps, mark_gaps
from cell_vision.types import MISSING as M


def test_an_even_pitch_has_no_gap():
    ratios = gap_ratios('SN74LS112N', [3.0 * i for i in range(10)])
    assert max(ratios) < 1.05 and gaps(ratios, ratios) == []


def test_a_gap_is_where_a_character_is_missing():
    centers = [3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 23.2, 26.2, 29.2]
    ratios = gap_ratios('SN74LS12N', centers)
    assert gaps(ratios, ratios) == [5] and mark_gaps('SN74LS12N', 'SN74LS12N', [5]) == f'SN74LS{M}12N'


def test_one_measurement_alone_must_be_clearer_than_the_mean_of_two():
    ratios = gap_ratios('SN74LS12N', [0, 3, 6, 9, 12, 15, 19.7, 22.7, 25.7])
    assert gaps(ratios) == [] and gaps(ratios, ratios) == [5]


def test_a_blank_that_was_read_is_no_gap_and_broad_characters_need_room():
    assert gaps(gap_ratios('EM1 2U14', [0, 4, 7, 9, 13, 16, 19, 22])) == []
    assert gaps(gap_ratios('MW74LS12', [0, 4.8, 8.6, 11.6, 14.6, 17.6, 20.6, 23.6])) == []


@pytest.mark.parametrize('text', ['', 'A', 'A1B2'])
def test_a_line_too_short_for_a_pitch_has_no_gaps(text):
    assert gap_ratios(text, [float(i) for i in range(len(text))]) == []


def test_gaps_are_marked_by_characters_whatever_the_blanks():
    assert mark_gaps('SN 74LS12N', 'SN74LS12N', [5]) == f'SN 74LS{M}12N'
    assert mark_gaps('SN74LS 12N', 'SN74LS12N', [5]) == 'SN74LS 12N'
    assert mark_gaps('SN74LS112N', 'SN74LS12N', [5]) is None
