"""What the catalogue's rules let pass, what they settle, and what the lint says of a catalogue."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.catalogue_lint import lint_catalogue
from cell_vision.matching.confusions import parse_weights
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.types import Reading

WEIGHTS = load_weights()


def catalogue(*parts: Part) -> Catalogue:
    return Catalogue({part.part_number: part for part in parts})


def part(number: str, **rules) -> Part:
    return Part(number, 'A', (), **rules)


def lines(*texts: str) -> list[Reading]:
    return [
        Reading(
            text,
            0.98,
            ((10, 10 + 60 * i), (10 + 18 * len(text), 10 + 60 * i), (10 + 18 * len(text), 40 + 60 * i), (10, 40 + 60 * i)),
        )
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    'text, verdict',
    [
        ('SN74LS05N', MatchOutcome.MATCH),
        ('HD74LS05', MatchOutcome.MATCH),
        ('74LS05', MatchOutcome.MATCH),
        ('DM74LS05N', MatchOutcome.UNKNOWN),
        ('SN74LS05P', MatchOutcome.UNKNOWN),
        ('SN74LS05NN', MatchOutcome.UNKNOWN),
    ],
)
def test_a_parts_own_rules_replace_the_usual_prefixes_and_suffixes(text, verdict):
    judge = Matcher(catalogue(part('74LS05', prefixes=('SN|HD',), suffixes=('N',))), WEIGHTS)
    assert judge.match('74LS05', lines(text)).verdict is verdict


def test_rules_allow_what_is_not_usual():
    usual, ruled = (Matcher(catalogue(part('EM1-2U1', suffixes=rule)), WEIGHTS) for rule in (None, ('[BK]',)))
    assert usual.match('EM1-2U1', lines('EM1-2U1K')).verdict is not MatchOutcome.MATCH
    assert ruled.match('EM1-2U1', lines('EM1-2U1K')).verdict is MatchOutcome.MATCH
    assert ruled.match('EM1-2U1', lines('EM1-2U1X')).verdict is not MatchOutcome.MATCH


TWINS = catalogue(
    part('EM1-2U1', distinguishing_patterns=('KESTREL',)),
    part('EM1-2UI', distinguishing_patterns=('NORD ?WERK',)),
    part('EM1-2U4'),
)


@pytest.mark.parametrize(
    'texts, verdict, named',
    [
        (('EM1-2U1', 'KESTREL'), MatchOutcome.MATCH, 'EM1-2U1'),
        (('EM1-2UI', 'KESTREL'), MatchOutcome.MATCH, 'EM1-2U1'),
        (('EM1-2U1', 'NORDWERK'), MatchOutcome.MISMATCH, 'EM1-2UI'),
        (('EM1-2U1',), MatchOutcome.AMBIGUOUS, ''),
        (('EM1-2U1', 'KESTREL', 'NORDWERK'), MatchOutcome.AMBIGUOUS, ''),
        (('EM1-2U4', 'KESTREL'), MatchOutcome.MISMATCH, 'EM1-2U4'),
        (('EM1-2U4', 'EM1-2U1', 'KESTREL'), MatchOutcome.AMBIGUOUS, ''),
    ],
)
def test_lookalikes_are_distinguished_by_a_mark_of_one_of_them_and_by_nothing_less(texts, verdict, named):
    decision = Matcher(TWINS, WEIGHTS).match('EM1-2U1', lines(*texts))
    assert (decision.verdict, decision.part_number) == (verdict, named), decision.reason


def test_the_lint_names_lookalikes_and_the_means_to_distinguish_them():
    (sentence,) = lint_catalogue(catalogue(part('EM1-2U1'), part('EM1-2UI'), part('EM1-2U4')), WEIGHTS)
    assert 'EM1-2U1 and EM1-2UI print alike' in sentence and 'tells_apart' in sentence and 'barcode' in sentence
    (sentence,) = lint_catalogue(TWINS, WEIGHTS)
    assert 'they are distinguished by the text' in sentence


def test_the_lint_finds_nothing_in_distinct_parts():
    assert lint_catalogue(catalogue(part('74LS190'), part('74LS191'), part('DT04-2P'), part('DT04-4P')), WEIGHTS) == []


def test_the_lint_finds_near_twins_rules_that_swallow_and_numbers_ignored():
    assert len(lint_catalogue(catalogue(part('0X-10I'), part('OX-101')), WEIGHTS)) == 1
    (swallows,) = lint_catalogue(catalogue(part('74LS19', suffixes=('[0-9N]+',)), part('74LS192')), WEIGHTS)
    assert 'Narrow the rule' in swallows
    (ignored,) = lint_catalogue(catalogue(part('74LS19', ignore=('74LS[0-9]+',))), WEIGHTS)
    assert 'ignore' in ignored


def test_a_score_falls_with_the_price_and_with_the_doubt_of_the_reader():
    assert WEIGHTS.confidence(0.98, 0.0) > WEIGHTS.confidence(0.98, 0.4) > WEIGHTS.confidence(0.98, 2.0)
    assert WEIGHTS.confidence(0.98, 0.0) > WEIGHTS.confidence(0.7, 0.0)
    assert 0 < WEIGHTS.confidence(0.0, 9.0) < WEIGHTS.confidence(1.0, 0.0) < 1


def test_the_likeliest_part_is_named_at_whatever_price():
    judge = Matcher(catalogue(part('74LS190'), part('DT04-2P')), WEIGHTS)
    named = judge.most_likely(lines('DT04-3P'))
    assert named is not None and named.part_number == 'DT04-2P' and named.cost == pytest.approx(1.0)
    assert judge.most_likely(lines('A')) is None


def test_weights_without_calibration_are_refused():
    with pytest.raises(ValueError, match='calibration'):
        parse_weights({'pairs': {'0O': 0.1}, 'calibration': {'bias': 1.0}})
