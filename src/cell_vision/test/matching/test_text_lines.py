"""Lines of print: numbers that are broken over two lines, and text that follows a number without a blank."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.types import Reading


def matcher(*numbers: str, **details: dict[str, tuple[str, ...]]) -> Matcher:
    parts = {number: Part(number, 'A', (), **details.get(number.replace('-', '_'), {})) for number in numbers}
    return Matcher(Catalogue(parts), load_weights())


def at(text: str, x: float, y: float, *, high: float = 30.0) -> Reading:
    """A reading whose box is as wide as such text is."""
    wide = 0.6 * high * len(text)
    return Reading(text, 0.97, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def verdict(numbers: tuple[str, ...], expected: str, text: str) -> MatchOutcome:
    return matcher(*numbers).match(expected, [at(text, 100, 100)]).verdict


def stacked(*texts: str) -> list[Reading]:
    """Lines of print that stand close below each other."""
    return [at(text, 100, 100 + 40 * i) for i, text in enumerate(texts)]


@pytest.mark.parametrize('upper, lower', [('3RT2016', '-1BB41'), ('3RT2016-', '1BB41')])
def test_a_number_broken_at_its_hyphen_is_joined_over_two_lines(upper, lower):
    decision = matcher('3RT2016-1BB41', '3RT2016-1BB42').match('3RT2016-1BB41', stacked(upper, lower))
    assert decision.verdict is MatchOutcome.MATCH, decision.reason


def test_a_number_is_broken_at_a_blank_where_the_catalogue_has_one_and_nowhere_else():
    stack = stacked('LMV358', 'IDGKR')
    assert matcher('LMV358IDGKR', LMV358IDGKR={'prints': ('LMV358 IDGKR',)}).match('LMV358IDGKR', stack).part_number
    assert matcher('LMV358IDGKR').match('LMV358IDGKR', stack).verdict is not MatchOutcome.MATCH


def test_lines_of_two_numbers_are_not_joined_to_a_third():
    decision = matcher('3RT2016-1BB41', '3RT2017-1BB42').match('3RT2016-1BB41', stacked('3RT2016', '-1BB42'))
    assert decision.verdict is not MatchOutcome.MATCH


@pytest.mark.parametrize('text', ['MY4N-J24VDC', 'MY4N-JDC24', 'MY4N-J230VAC'])
def test_a_rating_whose_blank_the_reader_lost_is_no_part_of_the_number(text):
    assert verdict(('MY4N-J', 'MY4N-D2'), 'MY4N-J', text) is MatchOutcome.MATCH


@pytest.mark.parametrize('text', ['MY4N-J24', 'MY4N-J2', 'MY4N-J24VX'])
def test_what_is_no_rating_is_part_of_the_number(text):
    assert verdict(('MY4N-J', 'MY4N-D2'), 'MY4N-J', text) is not MatchOutcome.MATCH


def test_a_number_that_takes_a_digit_of_the_rating_leaves_it_undecided():
    assert verdict(('MY4N-J', 'MY4N-J2'), 'MY4N-J', 'MY4N-J24VDC') is MatchOutcome.AMBIGUOUS


def test_text_that_must_stand_beside_the_number_may_follow_it_without_a_blank():
    parts = {'HF115F_012': {'required_patterns': ('1ZS1',)}}
    assert matcher('HF115F-012', **parts).match('HF115F-012', [at('HF115F-0121ZS1', 100, 100)]).verdict is MatchOutcome.MATCH
    assert matcher('HF115F-012').match('HF115F-012', [at('HF115F-0121ZS1', 100, 100)]).verdict is not MatchOutcome.MATCH
