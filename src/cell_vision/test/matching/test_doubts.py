"""Doubts that the picture leaves about a number read without fault."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.likelihoods import StripEnds, pack, with_ends
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.types import Reading

BOX = ((100.0, 100.0), (400.0, 100.0), (400.0, 140.0), (100.0, 140.0))


def decide(numbers: tuple[str, ...], text: str, *strips: list) -> Decision:
    judge = Matcher(Catalogue({number: Part(number, 'A', ()) for number in numbers}), load_weights())
    return judge.match(numbers[0], [Reading(text, 0.99, BOX, tuple(pack(strip) for strip in strips))], frames=3)


@pytest.mark.parametrize(
    'numbers, seen',
    [
        (('74LS12', '74LS112'), 'SN74LS 12N'),
        (('74LS13', '74LS123'), '74LS1 3'),
        (('G2R-1', 'G2R-1-SND'), 'G2R-1- ND'),
        (('MY4N', 'MY4N-J'), 'MY4N J'),
    ],
)
def test_a_gap_that_any_strip_shows_leaves_the_longer_number_possible(rendering, numbers, seen):
    clean = seen.replace(' ', '')
    decision = decide(numbers, clean, [rendering(clean)], [rendering(seen)])
    assert decision.verdict is not MatchOutcome.MATCH, decision.reason


def test_without_a_longer_number_a_blank_is_none_of_its_business(rendering):
    assert decide(('74LS12', '74LS19'), '74LS12', [rendering('74LS 12')]).verdict is MatchOutcome.MATCH


def test_a_gap_where_the_number_has_its_own_separator_is_no_doubt(rendering):
    numbers = ('HF115F-012', 'HF115F-024')
    assert decide(numbers, 'HF115F\u25af012', [rendering('HF115F 012')]).verdict is MatchOutcome.MATCH


@pytest.mark.parametrize('text', ['G2R-1-', '-G2R-1'])
def test_a_separator_with_nothing_behind_it_shows_that_the_number_goes_on(rendering, text):
    longer = 'G2R-1-SND' if text.endswith('-') else 'X-G2R-1'
    assert decide(('G2R-1', longer), text, [rendering(text)]).verdict is not MatchOutcome.MATCH
    assert decide(('G2R-1', 'HF3-SND'), text, [rendering(text)]).verdict is (
        MatchOutcome.MATCH if text.endswith('-') else MatchOutcome.UNKNOWN
    )


def test_unread_print_close_beside_a_number_may_belong_to_a_longer_one(rendering):
    assert decide(('MY4N', 'MY4N-J'), 'MY4N \u25af', [rendering('MY4N')]).verdict is MatchOutcome.AMBIGUOUS
    assert decide(('MY4N', 'DT04-4P'), 'MY4N \u25af', [rendering('MY4N')]).verdict is MatchOutcome.MATCH


def test_the_stump_of_a_character_at_a_cut_end_may_be_another_one(rendering):
    assert decide(('74LS19', '74LS190'), '74LS19C\u25af', [rendering('74LS19C')]).verdict is MatchOutcome.AMBIGUOUS


@pytest.mark.parametrize(
    'ends, text', [(StripEnds(cut_end=True), 'G2R-'), (StripEnds(more_after=True), 'G2R-1'), (StripEnds(cut_end=True), '')]
)
def test_the_ends_of_the_strip_from_which_the_number_was_read_count_not_those_of_the_text(rendering, ends, text):
    strip = with_ends(pack([rendering('G2R-1')]), ends)
    for longer, verdict in (('G2R-1-SND', MatchOutcome.AMBIGUOUS), ('DT04-2P', MatchOutcome.MATCH)):
        judge = Matcher(Catalogue({number: Part(number, 'A', ()) for number in ('G2R-1', longer)}), load_weights())
        readings = [Reading(text or 'G2R-1', 0.99, BOX, (pack([rendering('R-')]), strip))]
        decision = judge.match('G2R-1', readings, frames=2)
        assert decision.verdict is verdict, decision.reason


def test_a_number_cut_off_without_a_longer_one_needs_a_second_picture(rendering):
    strip = with_ends(pack([rendering('G2R-1')]), StripEnds(cut_end=True))
    judge = Matcher(Catalogue({'G2R-1': Part('G2R-1', 'A', ())}), load_weights())
    verdicts = [judge.match('G2R-1', [Reading('G2R-1', 0.99, BOX, (strip,))], pictures).verdict for pictures in (1, 2)]
    assert verdicts == [MatchOutcome.AMBIGUOUS, MatchOutcome.MATCH]
