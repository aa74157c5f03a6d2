from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.completeness import longer_numbers
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.types import MISSING, Reading

M = MISSING
NUMBERS = ('74LS12', '74LS112', '74LS19', '74LS191', 'MY4N', 'MY4N-J', 'G2R-1', 'XG2R-1', 'DT04-2P')


def line(text: str, y: float = 100.0, score: float = 0.99) -> Reading:
    wide = 18.0 * len(text)
    return Reading(text, score, ((100, y), (100 + wide, y), (100 + wide, y + 30), (100, y + 30)))


def judge(*numbers: str, **rules: tuple[str, ...]) -> Matcher:
    return Matcher(Catalogue({number: Part(number, 'A', (), **rules) for number in numbers or NUMBERS}), load_weights())  # type: ignore[arg-type]


@pytest.mark.parametrize('pictures', [1, 2, 5])
@pytest.mark.parametrize(
    ('part', 'text', 'longer'),
    [
        ('74LS12', f'SN74LS{M}12N', '74LS112'),
        ('74LS12', f'SN74LS1{M}2N', '74LS112'),
        ('74LS12', 'SN74LS 12N', '74LS112'),
        ('74LS19', f'SN74LS19{M}N', '74LS191'),
        ('74LS19', f'SN74LS19{M}', '74LS191'),
        ('MY4N', f'MY4N{M}', 'MY4N-J'),
        ('MY4N', f'MY4N{M} 24VDC', 'MY4N-J'),
        ('G2R-1', f'{M}G2R-1', 'XG2R-1'),
    ],
)
def test_an_incomplete_number_is_never_a_match_when_a_longer_one_exists(part, text, longer, pictures):
    decision = judge().match(part, [line(text)], pictures)
    assert decision.verdict is MatchOutcome.AMBIGUOUS and longer in decision.reason, decision.reason


@pytest.mark.parametrize('text', [f'MY4N-J{M}', f'{M}MY4N-J', f'MY4{M}N-J'])
def test_without_a_longer_number_it_needs_a_second_picture(text):
    first = judge().match('MY4N-J', [line(text)])
    assert first.verdict is MatchOutcome.AMBIGUOUS and 'second picture' in first.reason
    assert judge().match('MY4N-J', [line(text)], frames=2).verdict is MatchOutcome.MATCH


@pytest.mark.parametrize(
    ('part', 'text'),
    [
        ('MY4N-J', 'MY4N-J 24VDC'),
        ('MY4N-J', f'MY4N-J{M}24VDC'),
        ('MY4N-J', f'OMRON{M}MY4N-J'),
        ('MY4N', f'MY4N 24VDC{M}'),
        ('DT04-2P', f'DT04-2P 13A{M}'),
        ('74LS112', f'SN{M}74LS112N'),
    ],
)
def test_a_blank_that_the_reader_lost_and_a_cut_elsewhere_in_the_line_are_no_doubt(part, text):
    decision = judge().match(part, [line(text)])
    assert decision.verdict is MatchOutcome.MATCH, decision.reason


def test_the_longer_numbers_of_a_place_are_named():
    numbers = {'74LS112': ['7415112'], '74LS1112': ['74151112'], '74LS32': ['741532']}
    assert longer_numbers('741512', 4, {'741512'}, numbers) == ['74LS1112', '74LS112']
    assert longer_numbers('741512', 6, {'741512'}, {'A': ['74151234']}) == ['A']
    assert longer_numbers('741512', 0, {'741512'}, {'A': ['99741512']}) == ['A']


def test_text_that_must_stand_beside_the_number_is_needed_for_a_match():
    matcher = judge('MY4N-J', required_patterns=('24 ?VDC',))
    missing = matcher.match('MY4N-J', [line('MY4N-J')])
    assert missing.verdict is MatchOutcome.AMBIGUOUS and '24 ?VDC' in missing.reason
    assert matcher.match('MY4N-J', [line('MY4N-J'), line('24VDC', 150)]).verdict is MatchOutcome.MATCH
    assert matcher.match('MY4N-J', [line('MY4N-J 24 VDC')]).verdict is MatchOutcome.MATCH
    assert matcher.match('MY4N-J', [line('MY4N-J'), line('12VDC', 150)]).verdict is MatchOutcome.AMBIGUOUS


def test_parts_with_the_same_number_are_distinguished_by_further_text():
    parts = {
        name: Part(name, 'A', (), prints=('MY4N-J',), required_patterns=(voltage,))
        for name, voltage in (('MY4NJ-24', '24 ?VDC'), ('MY4NJ-12', '12 ?VDC'))
    }
    matcher = Matcher(Catalogue(parts), load_weights())
    assert matcher.match('MY4NJ-24', [line('MY4N-J'), line('24VDC', 150)]).verdict is MatchOutcome.MATCH
    assert matcher.match('MY4NJ-24', [line('MY4N-J'), line('12VDC', 150)]).verdict is MatchOutcome.MISMATCH
    assert matcher.match('MY4NJ-24', [line('MY4N-J')]).verdict is MatchOutcome.AMBIGUOUS


def test_a_gap_that_another_reading_of_the_print_shows_is_a_doubt_too():
    readings = [line('SN74LS12'), line(f'SN74LS{M}12N')]
    for order in (readings, readings[::-1]):
        assert judge().match('74LS12', order).verdict is MatchOutcome.AMBIGUOUS
