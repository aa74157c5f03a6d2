"""Scores of numbers on likelihoods: what the picture says against each."""

from __future__ import annotations

import numpy as np
import pytest
from cell_vision.matching.likelihood_score import EDGE_COST, NumberTable, best_path


def score(number: str, values: np.ndarray, begin: float = 0.0) -> float:
    table, free = NumberTable([number]), np.zeros((1, len(values)), np.float32)
    return float(table.scores(values, np.array([0]), free + begin, free)[0])


def test_the_number_that_was_read_scores_zero_wherever_it_stands(rendering):
    assert score('74LS12', rendering('SN74LS12N')) == 0 and score('12', rendering('74LS12')) == 0


def test_a_character_in_doubt_costs_its_doubt_and_a_certain_one_much(rendering):
    values = rendering('74LS12', {5: {'3': -1.5}})
    assert score('74LS13', values) == -1.5 and score('74LS19', values) < -10


def test_a_character_too_many_or_too_few_costs_what_the_picture_says_against_it(rendering):
    assert score('74LS12', rendering('74LS112')) < -10
    assert score('74LS112', rendering('74LS12')) < -10
    assert score('74LS12', rendering('74LS112', {5: {'': -2.0}})) == -2.0


def test_equal_neighbors_need_something_between_them(rendering):
    values = rendering('4')
    assert score('44', values) < -10 and score('44', rendering('44')) == 0


def test_numbers_are_scored_alike_alone_and_together(rendering):
    numbers = ['74LS12', '74LS112', '7', 'LS1', '9']
    values = rendering('SN74LS112N', {6: {'7': -3.0}})
    table, free = NumberTable(numbers), np.zeros((5, len(values)), np.float32)
    together = table.scores(values, np.arange(5), free, free).tolist()
    assert together == [score(number, values) for number in numbers]


def test_the_upper_bound_is_never_below_the_score(rendering):
    numbers = ['74LS12', '74LS21', '21SL47', '8', 'Z9']
    values = rendering('SN74LS112N', {6: {'8': -3.0}, 2: {'Z': -1.0}})
    table, free = NumberTable(numbers), np.zeros((5, len(values)), np.float32)
    assert (table.upper_bounds(values) >= table.scores(values, np.arange(5), free, free)).all()


@pytest.mark.parametrize('cost', [0.0, -EDGE_COST])
def test_a_begin_that_the_rules_forbid_is_charged(cost, rendering):
    assert score('74LS12', rendering('74LS12'), cost) == cost


@pytest.mark.parametrize('number, text', [('74LS12', 'SN74LS12N'), ('112', '74LS112'), ('44', '44'), ('7', '7')])
def test_the_path_of_a_number_leads_through_its_characters(rendering, number, text):
    values = rendering(text)
    free = np.zeros(len(values), np.float32)
    path = best_path(number, values, free, free)
    first = 3 * text.index(number) + 1
    assert path.score == 0 == score(number, values)
    assert path.centers == pytest.approx([first + 3 * i for i in range(len(number))], abs=0.01)
    assert path.begin <= first < path.end <= first + 3 * len(number)


def test_the_path_of_a_doubtful_number_scores_as_the_table_does(rendering):
    values = rendering('74LS112', {5: {'': -2.0}, 6: {'3': -1.0}})
    free = np.zeros(len(values), np.float32)
    for number in ('74LS12', '74LS13', '74LS113'):
        assert best_path(number, values, free, free).score == pytest.approx(score(number, values))
