"""A line of likelihoods: its best text, joined boxes, and where numbers may begin and end."""

from __future__ import annotations

import numpy as np
from cell_vision.likelihoods import NOTHING
from cell_vision.matching.evidence_line import APART, GLUED, edge_costs, evidence_line, join_boxes
from cell_vision.matching.likelihood_score import EDGE_COST

STEP = 3


def test_the_best_text_holds_letters_digits_separators_and_blanks(rendering):
    line = evidence_line(rendering('EM1-2U1 24VDC'))
    assert line.text == 'EM1-2U1 24VDC' and line.firsts[:2] == (1, 1 + STEP)


def test_a_blank_or_separator_counts_as_nothing_printed_between_the_characters_of_a_number(rendering):
    line = evidence_line(rendering('A-B'))
    assert line.values[1 + STEP, NOTHING] == 0 and line.values[1, NOTHING] < -10


def test_boxes_of_a_line_are_joined_with_or_without_a_blank(rendering):
    boxes = [rendering('3RT'), rendering('2016')]
    assert evidence_line(join_boxes(boxes, [APART])).text == '3RT 2016'
    assert evidence_line(join_boxes(boxes, [GLUED])).text == '3RT2016'


def test_edges_are_charged_where_the_rules_forbid_them(rendering):
    line = evidence_line(rendering('AB'))
    begin, end = edge_costs(line, lambda j: j != 1, lambda j: j == 2)
    assert begin[1] == 0 and begin[1 + STEP] == -EDGE_COST
    assert end[1] == -EDGE_COST and end[1 + STEP] == 0


def test_an_empty_line_has_no_text():
    assert evidence_line(np.zeros((0, 39), np.float32)).text == ''
