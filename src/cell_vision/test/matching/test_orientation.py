from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.matching.orientation import may_be_turned, proves_direction, same_direction, turned_twins
from cell_vision.types import Reading

WEIGHTS = load_weights()
RIGHT = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))


@pytest.mark.parametrize(
    ('one', 'other'),
    [('9060-8', '8-0906'), ('NSX-6809', '6089-XSN'), ('W8', '8M'), ('HX-19', '61-XH'), ('SO-60', '09-0S'), ('1I', '11')],
)
def test_numbers_that_turn_into_each_other_are_found(one, other):
    assert may_be_turned(one, other, WEIGHTS.fold) and may_be_turned(other, one, WEIGHTS.fold)
    assert turned_twins({one: [one], other: [other], 'EM1-2U1': ['EM1-2U1']}, WEIGHTS.fold) == {one: {other}, other: {one}}


@pytest.mark.parametrize(('one', 'other'), [('9060-8', '8-0609'), ('74LS09', '60S174'), ('DT04-2P', 'DT04-4P'), ('66', '9')])
def test_other_numbers_are_no_twins(one, other):
    assert not may_be_turned(one, other, WEIGHTS.fold)


def test_a_number_that_turns_into_itself_has_no_twin():
    assert turned_twins({'H8-8H': ['H8-8H'], 'NSX': ['NSX']}, WEIGHTS.fold) == {}


@pytest.mark.parametrize(
    ('text', 'score', 'proves'),
    [
        ('OMRON', 0.99, False),
        ('KESTREL', 0.99, True),
        ('KESTREL', 0.7, False),
        ('24VDC', 0.99, True),
        ('XSNOH 906', 0.99, False),
    ],
)
def test_only_a_sure_line_that_is_no_text_upside_down_proves_a_direction(text, score, proves):
    assert proves_direction(text, score) is proves


def test_directions_are_compared_by_the_corners():
    a, b, c, d = RIGHT
    assert same_direction(RIGHT, RIGHT) and not same_direction(RIGHT, (c, d, a, b))


def line(text: str, y: float, *, turned: bool = False, score: float = 0.99) -> Reading:
    wide = 18.0 * len(text)
    a, b, c, d = (100.0, y), (100 + wide, y), (100 + wide, y + 30), (100.0, y + 30)
    return Reading(text, score, (c, d, a, b) if turned else (a, b, c, d))


def judge(*numbers: str, **rules: tuple[str, ...]) -> Matcher:
    return Matcher(Catalogue({number: Part(number, 'A', (), **rules) for number in numbers}), WEIGHTS)  # type: ignore[arg-type]


def test_a_number_that_may_be_another_upside_down_needs_proof_of_its_direction():
    matcher = judge('9060-8', '8-0906', 'EM1-2U1')
    alone = matcher.match('8-0906', [line('8-0906', 100)])
    assert alone.verdict is MatchOutcome.AMBIGUOUS and '9060-8 upside down' in alone.reason
    assert matcher.match('8-0906', [line('8-0906', 100), line('NOHX', 150)]).verdict is MatchOutcome.AMBIGUOUS
    assert matcher.match('8-0906', [line('8-0906', 100), line('KESTREL', 150)]).verdict is MatchOutcome.MATCH
    contradicted = [line('8-0906', 100), line('KESTREL', 150, turned=True)]
    assert matcher.match('8-0906', contradicted).verdict is MatchOutcome.AMBIGUOUS
    assert matcher.match('EM1-2U1', [line('EM1-2U1', 100)]).verdict is MatchOutcome.MATCH


def test_without_its_twin_in_the_catalogue_a_number_needs_no_proof():
    assert judge('8-0906', 'EM1-2U1').match('8-0906', [line('8-0906', 100)]).verdict is MatchOutcome.MATCH
