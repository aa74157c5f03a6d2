"""The verdict: what is accepted, and above all what is not."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.alignment import align, normalize
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.confusions import equivalence_classes, parse_pairs, parse_weights
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.types import UNREAD, Reading

CHIPS = ('74LS00', '74LS01', '74LS05', '74LS06', '74LS11', '74LS112', '74LS19', '74LS190', '74LS191', '74LS192', '74LS83')
RELAYS = ('EM1-2U1', 'EM1-2U4', 'EM1-2U10', 'G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'HF115F-024', 'DT04-2P', 'DT04-4P')


def catalogue(*numbers: str, **details: dict[str, tuple[str, ...]]) -> Catalogue:
    return Catalogue({number: Part(number, 'A', (), **details.get(number.replace('-', '_'), {})) for number in numbers})


def matcher(*numbers: str, benchmarks: dict[str, Benchmark] | None = None, **details: dict[str, tuple[str, ...]]) -> Matcher:
    return Matcher(catalogue(*numbers, **details), load_weights(), benchmarks or {})


def at(text: str, x: float, y: float, *, high: float = 30.0, score: float = 0.97) -> Reading:
    """A reading whose box is as wide as such text is."""
    wide = 0.6 * high * len(text)
    return Reading(text, score, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def lines(*texts: str, score: float = 0.97) -> list[Reading]:
    return [at(text, 100, 100 + 60 * i, score=score) for i, text in enumerate(texts)]


def verdict(numbers: tuple[str, ...], expected: str, *texts: str, score: float = 0.97) -> MatchOutcome:
    return matcher(*numbers).match(expected, lines(*texts, score=score)).verdict


@pytest.mark.parametrize(
    'text', ['EM1-2U1', 'em1-2u1', 'EM1-2U1 24VDC', 'RELAY EM1-2U1', 'EM1 2U1', 'EM1-2U1.', 'EMl-2U1', 'EM1-2UI']
)
def test_the_ordered_part_is_matched_in_what_ocr_makes_of_it(text):
    decision = matcher(*RELAYS).match('EM1-2U1', lines('MADE IN JAPAN', text))
    assert decision.verdict is MatchOutcome.MATCH, decision.reason
    assert decision.part_number == 'EM1-2U1' and decision.score > 0.5 and len(decision.polygon) == 4


@pytest.mark.parametrize(
    'text', ['SN74LS192N', 'HD74LS192P', '74LS192N A', 'SSN74LS192N', 'SN74LS192AN', '5N74L5192N', '74LS192']
)
def test_a_makers_prefix_and_suffix_are_allowed_around_a_number_that_begins_with_a_digit(text):
    assert verdict(CHIPS, '74LS192', text, '20B5XBLE4') is MatchOutcome.MATCH


@pytest.mark.parametrize(
    'part, text',
    [
        ('74LS19', 'SN74LS192N'),
        ('74LS11', 'SN74LS112N'),
        ('74LS192', 'SN74LS19N'),
        ('74LS19', '74LS19Z'),
        ('74LS00', '74LS0O0'),
        ('EM1-2U1', 'EM1-2U10'),
        ('EM1-2U1', 'EM1-2U1O'),
        ('EM1-2U1', 'EM1-2U1S'),
        ('EM1-2U1', 'XEM1-2U1'),
        ('EM1-2U1', 'EM1-2U1-A'),
        ('DT04-4P', 'DT04-2P'),
        ('G8NB-17SR', 'G8NB-17SU'),
        ('HF115F-012', 'HF115F-024'),
        ('74LS05', '74LS06'),
        ('74LS83', '74LS33'),
        ('74LS192', 'S192N'),
        ('74LS05', 'S05N'),
        ('74LS192', '92N'),
        ('HF115F-012', '012'),
        ('EM1-2U1', '2U1'),
        ('74LS192', '74LS1921'),
        ('74LS00', '174LS00'),
        ('EM1-2U1', 'EM12-U1'),
        ('EM1-2U1', 'EM-12U1'),
        ('HF115F-012', 'HF115F-0123'),
        ('74LS19', '74LS19 2'),
    ],
)
def test_what_is_not_the_part_is_never_matched(part, text):
    assert verdict((part,), part, text) is not MatchOutcome.MATCH
    assert verdict(tuple({part, *CHIPS, *RELAYS}), part, text) is not MatchOutcome.MATCH


def test_another_part_of_the_catalogue_is_named():
    decision = matcher(*RELAYS).match('G8NB-17SR', lines('G8NB-17SU'))
    assert (decision.verdict, decision.part_number) == (MatchOutcome.MISMATCH, 'G8NB-17SU')
    assert 'not G8NB-17SR' in decision.reason


@pytest.mark.parametrize('text', ['EM1-2U1', 'EM1-2UI'])
@pytest.mark.parametrize('expected', ['EM1-2U1', 'EM1-2UI'])
def test_twins_are_ambiguous_whatever_is_read(text, expected):
    decision = matcher('EM1-2U1', 'EM1-2UI', 'EM1-2U4').match(expected, lines(text))
    assert decision.verdict is MatchOutcome.AMBIGUOUS
    assert {name for name, _ in decision.candidates} == {'EM1-2U1', 'EM1-2UI'}
    assert 'EM1-2U1' in decision.reason and 'EM1-2UI' in decision.reason


def test_lookalikes_are_distinguished_by_another_print():
    apart = matcher('EM1-2U1', 'EM1-2UI', EM1_2UI={'prints': ('EMI-ITALY',)})
    assert apart.match('EM1-2UI', lines('EMI-ITALY')).verdict is MatchOutcome.MATCH


def test_two_parts_in_view_are_ambiguous():
    assert verdict(RELAYS, 'DT04-2P', 'DT04-2P', 'DT04-4P') is MatchOutcome.AMBIGUOUS


def test_a_second_part_in_view_with_a_character_misread_is_ambiguous_too():
    assert verdict((*RELAYS, *CHIPS), 'DT04-2P', 'DT04-2P', 'HD74LS81N') is MatchOutcome.AMBIGUOUS
    assert verdict((*RELAYS, *CHIPS), 'DT04-2P', 'DT04-2P', 'COIL 24VDC', 'M2610') is MatchOutcome.MATCH


@pytest.mark.parametrize('text', ['EM1-2V1', 'EM1-2U1', 'EM1-2UI'])
def test_twins_stay_ambiguous_when_a_misread_letter_makes_the_second_too_dear_to_be_accepted_alone(text):
    decision = matcher('EM1-2V1', 'EM1-2VI').match('EM1-2V1', [at(text, 0, 0)])
    assert decision.verdict is MatchOutcome.AMBIGUOUS and {name for name, _ in decision.candidates} == {'EM1-2V1', 'EM1-2VI'}
    alone = matcher('EM1-2V1', 'EM1-2V4').match('EM1-2V1', [at(text, 0, 0)]).verdict
    assert alone is (MatchOutcome.UNKNOWN if text == 'EM1-2UI' else MatchOutcome.MATCH)


@pytest.mark.parametrize(
    'x, y, wanted',
    [
        (100, 160, MatchOutcome.MATCH),
        (300, 160, MatchOutcome.MATCH),
        (900, 100, MatchOutcome.AMBIGUOUS),
        (100, 500, MatchOutcome.AMBIGUOUS),
    ],
)
def test_print_that_stands_apart_from_the_number_is_a_further_part(x, y, wanted):
    decision = matcher(*RELAYS).match('DT04-2P', [at('DT04-2P', 100, 100), at('3FF-01', x, y)])
    assert decision.verdict is wanted, decision.reason
    assert ('3FF-01' in decision.reason) == (wanted is MatchOutcome.AMBIGUOUS)


def test_print_between_joins_what_would_else_stand_apart():
    above, below = at('DT04-2P', 100, 100), at('MADE IN JAPAN', 100, 400)
    assert matcher(*RELAYS).match('DT04-2P', [above, below]).verdict is MatchOutcome.AMBIGUOUS
    assert matcher(*RELAYS).match('DT04-2P', [above, at('COIL 24VDC', 100, 260), below]).verdict is MatchOutcome.MATCH


def test_the_same_number_apart_is_no_other_part():
    assert matcher(*RELAYS).match('DT04-2P', [at('DT04-2P', 100, 100), at('DT04-2P', 900, 500)]).verdict is MatchOutcome.MATCH


def test_a_further_part_that_could_not_be_read_leaves_it_undecided():
    readings = [at('DT04-2P', 100, 100), at(UNREAD, 900, 100, score=1.0)]
    decision = matcher(*RELAYS).match('DT04-2P', readings)
    assert decision.verdict is MatchOutcome.AMBIGUOUS and 'could not be read' in decision.reason
    assert matcher(*RELAYS).match('DT04-4P', readings).verdict is MatchOutcome.MISMATCH


@pytest.mark.parametrize(
    'texts, wanted',
    [
        ((), MatchOutcome.UNREADABLE),
        (('E4',), MatchOutcome.UNREADABLE),
        (('S05N',), MatchOutcome.UNREADABLE),
        (('ABCXYZ-77',), MatchOutcome.UNKNOWN),
        (('SN74LS999N',), MatchOutcome.UNKNOWN),
    ],
)
def test_too_little_text_is_unreadable_and_foreign_text_is_unknown(texts, wanted):
    assert verdict(CHIPS, '74LS05', *texts) is wanted


def test_an_uncertain_line_decides_nothing():
    assert verdict(CHIPS, '74LS05', 'SN74LS05N', score=0.55) is MatchOutcome.UNREADABLE


@pytest.mark.parametrize('score, expected', [(0.92, MatchOutcome.AMBIGUOUS), (0.94, MatchOutcome.MATCH)])
def test_a_number_one_like_digit_from_another_parts_needs_a_sure_reading(score, expected):
    assert verdict(CHIPS, '74LS00', 'SN74LS00N', score=score) is expected  # 74LS05 stands beside it in the catalogue


def test_a_number_with_no_such_part_beside_it_needs_no_more_than_a_readable_line():
    assert verdict(('74LS00', '74LS01', 'EM1-2U1'), '74LS00', 'SN74LS00N', score=0.7) is MatchOutcome.MATCH


@pytest.mark.parametrize('score, expected', [(0.86, MatchOutcome.AMBIGUOUS), (0.5, MatchOutcome.MATCH)])
def test_a_second_line_that_is_nearly_another_parts_number_is_no_match(score, expected):
    both = [*lines('EM1-2U1'), at('4LS192N', 100, 200, score=score)]
    assert matcher('EM1-2U1', '74LS192').match('EM1-2U1', both).verdict is expected


def test_a_number_that_is_another_one_with_a_character_lost_needs_a_certain_reading():
    assert verdict(CHIPS, '74LS11', 'SN74LS11N', score=0.97) is MatchOutcome.MATCH
    decision = matcher(*CHIPS).match('74LS11', lines('SN74LS11N', score=0.8))
    assert decision.verdict is MatchOutcome.AMBIGUOUS and '74LS112' in decision.reason


def test_the_ignored_text_alone_is_not_taken_for_a_foreign_part():
    with_dates = matcher('74LS05', **{'74LS05': {'ignore': ('[0-9A-Z]{7}E4',)}})
    assert with_dates.match('74LS05', lines('20B5XBLE4')).verdict is MatchOutcome.UNREADABLE
    assert with_dates.match('74LS05', lines('20B5XBLE4', 'SN74LS05N')).verdict is MatchOutcome.MATCH


def test_a_part_that_is_not_in_the_catalogue_cannot_be_expected():
    with pytest.raises(KeyError):
        matcher(*CHIPS).match('NOT-THERE', lines('74LS05'))


@pytest.mark.parametrize('numbers', [CHIPS, RELAYS])
def test_over_all_pairs_only_the_right_part_is_matched(numbers):
    judge = matcher(*numbers)
    for printed, expected in itertools.product(numbers, numbers):
        is_match = judge.match(expected, lines(printed)).verdict is MatchOutcome.MATCH
        assert is_match == (printed == expected), (printed, expected)


def test_no_single_misread_digit_is_ever_forgiven():
    judge = matcher(*RELAYS, *CHIPS)
    for number in (*RELAYS, *CHIPS):
        for i, character in enumerate(number):
            for other in set('0123456789') - {character}:
                if character.isdigit():
                    misread = number[:i] + other + number[i + 1 :]
                    assert judge.match(number, lines(misread)).verdict is not MatchOutcome.MATCH, misread


def test_boxes_of_one_line_are_joined_and_those_of_two_lines_are_not():
    judge = matcher(*CHIPS)
    close = [at('SN74LS', 100, 100), at('192N', 100 + 6 * 18 + 4, 102)]
    assert judge.match('74LS192', close).verdict is MatchOutcome.MATCH
    below = [at('SN74LS', 100, 100), at('192N', 100, 160)]
    assert judge.match('74LS192', below).verdict is not MatchOutcome.MATCH


def test_a_number_cut_in_two_is_never_taken_for_the_shorter_part():
    cut = [at('SN74LS19', 100, 100), at('2N', 100 + 8 * 18 + 3, 101)]
    judge = matcher(*CHIPS)
    assert judge.match('74LS19', cut).verdict is not MatchOutcome.MATCH
    assert judge.match('74LS192', cut).verdict is MatchOutcome.MATCH


def test_a_date_code_after_a_gap_does_not_hide_the_part():
    apart = [at('SN74LS112N', 100, 100), at('1918', 100 + 10 * 18 + 60, 100)]
    assert matcher(*CHIPS).match('74LS112', apart).verdict is MatchOutcome.MATCH


def test_a_hyphen_carries_a_number_over_to_the_next_line():
    judge = matcher(*RELAYS)
    assert judge.match('HF115F-012', [at('HF115F-', 100, 100), at('012', 100, 140)]).verdict is MatchOutcome.MATCH
    assert judge.match('HF115F-012', [at('HF115F', 100, 100), at('012', 100, 140)]).verdict is not MatchOutcome.MATCH


def turned(reading: Reading) -> Reading:
    """The same text upside down, as if the part lay the other way round in a frame of 1000 x 600."""
    polygon = tuple((1000 - x, 600 - y) for x, y in reading.polygon)
    return Reading(reading.text, reading.score, polygon)  # type: ignore[arg-type]


def test_joining_works_upside_down():
    boxes = [at('SN74LS', 100, 100), at('192N', 100 + 6 * 18 + 4, 102)]
    assert matcher(*CHIPS).match('74LS192', [turned(box) for box in boxes]).verdict is MatchOutcome.MATCH


def benchmark(part: str, *identifying: str) -> dict[str, Benchmark]:
    return {part: Benchmark(part, 1, identifying, identifying)}


def test_a_benchmark_lets_a_longer_print_be_the_part():
    texts = lines('HF115F-012-1ZS3B', 'MALAYSIA')
    assert matcher(*RELAYS).match('HF115F-012', texts).verdict is not MatchOutcome.MATCH
    decision = matcher(*RELAYS, benchmarks=benchmark('HF115F-012', 'HF115F-012-1ZS3B')).match('HF115F-012', texts)
    assert decision.verdict is MatchOutcome.MATCH and decision.by_benchmark


@pytest.mark.parametrize('text', ['HF115F-012-1ZS4B', 'HF115F-024-1ZS3B', 'HF115F-012-1ZS3BX', 'MALAYSIA'])
def test_a_benchmark_accepts_nothing_else(text):
    judge = matcher(*RELAYS, benchmarks=benchmark('HF115F-012', 'HF115F-012-1ZS3B'))
    assert judge.match('HF115F-012', lines(text)).verdict is not MatchOutcome.MATCH


def test_a_benchmark_does_not_part_twins():
    judge = matcher('EM1-2U1', 'EM1-2UI', benchmarks=benchmark('EM1-2U1', 'EM1-2U1'))
    assert judge.match('EM1-2U1', lines('EM1-2U1')).verdict is MatchOutcome.AMBIGUOUS


def test_only_texts_with_the_number_identify_a_benchmark():
    judge = matcher(*RELAYS)
    assert judge.identifying_texts(['HF115F-012-1ZS3B', 'MALAYSIA', '20B5XBLE4'], 'HF115F-012') == ['HF115F-012-1ZS3B']


@pytest.mark.parametrize(
    'pattern, line, cost',
    [
        ('EM1-2U1', 'EM1-2U1', 0.0),
        ('EM1-2U1', 'EMI-2U1', load_weights().substitution('1', 'I')),
        ('EM1-2U1', 'EM1 2U1', 0.15),
        ('EM1-2U1', 'EM12U1', 0.4),
        ('74LS192', 'SN74LS192N', 0.0),
        ('74LS192', '74LS193', 1.0),
    ],
)
def test_alignment_prices(pattern, line, cost):
    assert align(pattern, normalize(line), load_weights()).cost == pytest.approx(cost)


@pytest.mark.parametrize(
    'pairs', [{'0OO': 0.1}, {'06': 0.1}, {'0O': 0.0}, {'0O': 0.1}, {'0>6': 0.1}, {'V>': 0.1}, {'V>V': 0.1}]
)
def test_weights_that_could_forgive_too_much_or_lack_something_are_refused(pairs):
    with pytest.raises(ValueError, match='confusions'):
        parse_weights({'pairs': pairs})


def test_a_pair_of_one_direction_forgives_only_that_one():
    pairs = parse_pairs({'V>U': 0.4, '0O': 0.1})
    assert pairs == {('V', 'U'): 0.4, ('0', 'O'): 0.1, ('O', '0'): 0.1}
    weights = replace(load_weights(), pairs=pairs, classes=equivalence_classes(pairs))
    assert weights.substitution('V', 'U') == 0.4 and weights.substitution('U', 'V') == 1.0
    assert Matcher(catalogue('G8NB-17SV'), weights).match('G8NB-17SV', lines('G8NB-17SU')).verdict is MatchOutcome.MATCH
    assert Matcher(catalogue('G8NB-17SU'), weights).match('G8NB-17SU', lines('G8NB-17SV')).verdict is MatchOutcome.UNKNOWN


@pytest.mark.parametrize(('character', 'may_be'), [('7', True), ('Z', True), ('O', True), ('V', False)])
def test_a_letter_that_is_read_as_a_digit_in_any_direction_may_be_one(character, may_be):
    pairs = parse_pairs({'V>U': 0.4, '0O': 0.1, 'Z>2': 0.3})
    assert replace(load_weights(), pairs=pairs, classes=equivalence_classes(pairs)).digit_like(character) is may_be


REREAD = [at('SN74LS09N', 100, 100, score=0.90), at('SN74LS09N', 100, 100, score=0.99)]
MIXED = [
    *lines('SN74LS112N', '20B5XBLE4', 'MALAYSIA'),
    at('SN74LS112N', 102, 101, score=0.91),
    at('SN74LS12N', 101, 99, score=0.92),
    at('EM1-', 100, 600),
    at('2U1', 250, 600),
    at('2U1', 100, 650, score=0.8),
]


@pytest.mark.parametrize('readings', [REREAD, [*REREAD, REREAD[0]], lines('DT04-2P', 'DT04-4P', 'EM1-2U1'), MIXED])
@pytest.mark.parametrize('expected', ['74LS09', 'DT04-2P', 'EM1-2U1', '74LS112'])
def test_a_verdict_does_not_depend_on_the_order_or_repetition_of_readings(readings, expected):
    judge = matcher(*CHIPS, *RELAYS, '74LS09', '74LS12')
    shuffled = itertools.islice(itertools.permutations(readings), 0, 40_320, 337)
    decisions = {judge.match(expected, order) for order in (*shuffled, readings, readings[::-1], readings + readings)}
    assert len(decisions) == 1, {decision.reason for decision in decisions}


def test_of_equal_texts_the_more_certain_reading_counts():
    for readings in (REREAD, REREAD[::-1]):
        assert matcher(*CHIPS, '74LS09').match('74LS09', readings).verdict is MatchOutcome.MATCH


@pytest.mark.parametrize('text', ['lm317t', 'LM317T', 'Im317t'])
def test_a_number_in_lower_case_with_an_l_is_matched_in_either_case(text):
    assert matcher('lm317t', 'lm337t').match('lm317t', lines(text)).verdict is MatchOutcome.MATCH
