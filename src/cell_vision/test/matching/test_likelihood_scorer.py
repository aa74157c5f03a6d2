"""Scores of a catalogue's numbers on the strips of a line."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Part
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.likelihood_score import EDGE_COST
from cell_vision.matching.likelihood_scorer import LikelihoodScorer
from cell_vision.matching.patterns import patterns_of

WEIGHTS = load_weights()


def scores(numbers: list[str], *strips: list, **rules: tuple[str, ...]) -> dict[str, float]:
    patterns = [pattern for number in numbers for pattern in patterns_of(Part(number, 'A', (), **rules), WEIGHTS)]
    found = LikelihoodScorer(patterns, WEIGHTS).scores(strips)
    return {pattern.text: round(score, 3) for pattern, score in found.items()}


def test_a_number_with_a_makers_prefix_and_suffix_scores_zero_and_far_numbers_are_left_out(rendering):
    assert scores(['74LS12', '74LS12', '8'], [rendering('SN74LS12N')]) == {'74LS12': 0.0}


@pytest.mark.parametrize('text', ['74LS192', 'X174LS19', '74LS19B1'])
def test_a_letter_or_digit_beside_the_number_that_no_rule_allows_costs_as_much_as_an_error(text, rendering):
    assert scores(['74LS19'], [rendering(text)]) == {'74LS19': -EDGE_COST}


def test_a_suffix_of_the_catalogue_is_free(rendering):
    assert scores(['74LS09'], [rendering('T74LS09B1')], suffixes=('B1',), prefixes=('T',)) == {'74LS09': 0.0}


def test_what_typefaces_print_alike_scores_alike(rendering):
    assert scores(['EM1-2U1', 'EM1-2UI'], [rendering('EM1-2U1')]) == {'EM1-2U1': 0.0, 'EM1-2UI': 0.0}


def test_renderings_of_a_strip_are_averaged_and_the_best_strip_counts(rendering):
    sure, doubtful = rendering('74LS12'), rendering('74LS12', {5: {'3': -2.0}})
    assert scores(['74LS13'], [doubtful, rendering('74LS13')]) == {'74LS13': -1.0}
    assert scores(['74LS13'], [sure], [doubtful])['74LS13'] == -2.0


def test_no_strip_gives_no_score():
    assert scores(['74LS13']) == {} and scores(['74LS13'], []) == {}
