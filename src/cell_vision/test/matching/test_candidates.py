"""Candidates by likelihood: what counts as the number, and which others stay possible."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.likelihoods import pack
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.types import Reading

CHIPS = ('74LS12', '74LS112', '74LS13', '74LS19', '74LS83')
BOX = ((100.0, 100.0), (400.0, 100.0), (400.0, 140.0), (100.0, 140.0))


def decide(numbers: tuple[str, ...], text: str, *strips: list, score: float = 0.9) -> Decision:
    judge = Matcher(Catalogue({number: Part(number, 'A', ()) for number in numbers}), load_weights())
    return judge.match(numbers[0], [Reading(text, score, BOX, tuple(pack(strip) for strip in strips))])


def test_the_number_that_the_picture_says_is_matched_though_the_text_is_misspelled(rendering):
    decision = decide(CHIPS, 'SN74LSI2N', [rendering('SN74LS12N')], score=0.4)
    assert decision.verdict is MatchOutcome.MATCH, decision.reason


def test_a_text_that_spells_the_number_counts_for_nothing_against_the_picture(rendering):
    assert decide(CHIPS, 'SN74LS12N', [rendering('SN74LS99N')], score=0.99).verdict is not MatchOutcome.MATCH


@pytest.mark.parametrize('doubt, verdict', [(-3.0, MatchOutcome.AMBIGUOUS), (-5.0, MatchOutcome.MATCH)])
def test_another_number_must_be_clearly_worse(rendering, doubt, verdict):
    decision = decide(CHIPS, '74LS12', [rendering('74LS12', {5: {'3': doubt}})])
    assert decision.verdict is verdict, decision.reason


@pytest.mark.parametrize('doubt, verdict', [(-4.5, MatchOutcome.AMBIGUOUS), (-6.0, MatchOutcome.MATCH)])
def test_a_number_with_one_character_more_must_be_worse_still(rendering, doubt, verdict):
    values = rendering('74LS12')
    # Between the 1 and the 2 the recognizer sees a trace of a second 1.
    values[3 * 4 + 3, 1] = doubt
    decision = decide(CHIPS, '74LS12', [values])
    assert decision.verdict is verdict, decision.reason


def test_a_number_of_which_one_character_is_another_is_not_taken(rendering):
    assert decide(('74LS13', '74LS83'), '74LS19', [rendering('74LS19', {5: {'3': -5.0}})]).verdict is MatchOutcome.UNKNOWN


def test_a_strip_that_shows_more_of_the_print_decides(rendering):
    decision = decide(CHIPS, '4LS12', [rendering('4LS12')], [rendering('SN74LS12N')])
    assert decision.verdict is MatchOutcome.MATCH, decision.reason


def test_the_scores_of_candidates_share_one_probability(rendering):
    decision = decide(CHIPS, '74LS12', [rendering('74LS12', {5: {'3': 0.0}})])
    assert decision.verdict is MatchOutcome.AMBIGUOUS
    assert [score < 0.5 for _, score in decision.candidates[:2]] == [True, True]
    assert decision.candidates[0][1] == pytest.approx(decision.candidates[1][1])


def test_a_text_without_likelihoods_is_judged_as_text():
    assert decide(CHIPS, '74LS12', score=0.97).verdict is MatchOutcome.MATCH
