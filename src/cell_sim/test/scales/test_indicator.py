"""What an indicator shows, prints and answers, and what a filler fills; no network."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from cell_sim.faults import FaultInjector
from cell_sim.scales.filler import Filler, FillOrder
from cell_sim.scales.indicator import Indicator
from cell_sim.scales.line_faults import FAULTS, LineCorruptor, line_of
from cell_sim.scales.platform import ScalePlatform

LONG_AFTER = 1000.0


def loaded(kilograms: float, **options: Any) -> Indicator:
    indicator = Indicator('3', **options)
    indicator.platform.fill(kilograms, now=0.0, duration=1.0)
    return indicator


@pytest.mark.parametrize(
    ('kilograms', 'unit', 'line'),
    [
        (12.5, 'kg', b'3,12.500 kg\r\n'),
        (12.5024, 'kg', b'3,12.500 kg\r\n'),
        (12.5026, 'kg', b'3,12.505 kg\r\n'),
        (0.0, 'kg', b'3,0.000 kg\r\n'),
        (1.2, 'g', b'3,1200 g\r\n'),
        (1.0, 'lb', b'3,2.20 lb\r\n'),
        (1.0, 'oz', b'3,35.2 oz\r\n'),
        (12.5, 't', b'3,0.012500 t\r\n'),
    ],
)
def test_a_line_is_rounded_to_the_division_of_its_unit(kilograms: float, unit: str, line: bytes) -> None:
    assert loaded(kilograms).print_line(LONG_AFTER, unit=unit) == line


def test_the_extended_format_has_motion_and_tare() -> None:
    indicator = loaded(10.0, print_format='extended')
    assert indicator.print_line(LONG_AFTER) == b'3,G,S,10.000,kg, 0.000,NT\r\n'
    assert indicator.print_line(0.5).startswith(b'3,G,M,')
    indicator.reply('T', LONG_AFTER)
    assert indicator.print_line(LONG_AFTER) == b'3,N,S, 0.000,kg,10.000,T\r\n'
    indicator.reply('T2.5', LONG_AFTER)
    assert indicator.print_line(LONG_AFTER) == b'3,N,S, 7.500,kg, 2.500,PT\r\n'


def test_an_overloaded_scale_shows_dashes() -> None:
    assert loaded(70.0, print_format='extended').print_line(LONG_AFTER) == b'3,G,O,------,kg, 0.000,NT\r\n'


@pytest.mark.parametrize(
    ('kilograms', 'now', 'reply'),
    [
        (12.5, LONG_AFTER, b'\n 1G      12.500kg \r'),
        (0.0, LONG_AFTER, b'\nZ1G       0.000kg \r'),
        (70.0, LONG_AFTER, b'\nO1G    ------  kg \r'),
    ],
)
def test_sma_replies_have_weight_zero_and_overload(kilograms: float, now: float, reply: bytes) -> None:
    assert loaded(kilograms).reply('W', now) == reply
    assert len(reply) == 20


def test_sma_replies_have_motion() -> None:
    assert loaded(10.0).reply('W', 0.5)[4:5] == b'M'


def test_sma_high_resolution_has_a_digit_more() -> None:
    assert loaded(1.2345).reply('H', LONG_AFTER) == b'\n 1g      1.2345kg \r'


def test_sma_tare_is_set_reported_and_cleared() -> None:
    indicator = loaded(10.0)
    assert indicator.reply('T', LONG_AFTER) == b'\nZ1N       0.000kg \r'
    assert indicator.reply('M', LONG_AFTER) == b'\n 1T      10.000kg \r'
    assert indicator.reply('C', LONG_AFTER) == b'\n 1G      10.000kg \r'


def test_sma_does_not_tare_in_motion() -> None:
    indicator = loaded(10.0)
    assert indicator.reply('T', 0.5).startswith(b'\nT')
    assert b'------' in indicator.reply('T', 0.5)
    assert indicator.reply('W', LONG_AFTER) == b'\n 1G      10.000kg \r'


def test_sma_sets_a_little_to_zero_but_not_much() -> None:
    little, much = loaded(0.2), loaded(20.0)
    assert little.reply('Z', LONG_AFTER).startswith(b'\nZ1G       0.000')
    assert much.reply('Z', LONG_AFTER).startswith(b'\nE')
    assert much.reply('W', LONG_AFTER) == b'\n 1G      20.000kg \r'


def test_sma_changes_the_unit() -> None:
    indicator = loaded(1.0)
    assert indicator.reply('U', LONG_AFTER) == b'\n 1G        2.20lb \r'
    assert indicator.reply('U', LONG_AFTER) == b'\n 1G       1.000kg \r'


def test_sma_replies_to_an_about_request_line_by_line() -> None:
    indicator = loaded(0.0)
    replies = [indicator.reply('A', 0.0), *(indicator.reply('B', 0.0) for _ in range(4))]
    assert (replies[0], replies[-1]) == (b'\nSMA:2/1.0\r', b'\nEND:\r')
    assert indicator.reply('I', 0.0) == b'\nSMA:2/1.0\r'
    assert indicator.reply('D', 0.0) == b'\n    \r'


@pytest.mark.parametrize('command', ['', 'X', 'WW', 'T1e3', 'T-1', 'T٣', 'Tnan'])
def test_sma_does_not_know_every_command(command: str) -> None:
    assert loaded(1.0).reply(command, LONG_AFTER) == b'\n?\r'


def test_a_bag_fills_settles_and_lies_still() -> None:
    platform = ScalePlatform()
    platform.fill(10.0, now=5.0, duration=2.0)
    assert (platform.load(5.0), platform.moving(5.0)) == (0.0, True)
    assert 4.9 < platform.load(5.75) < 5.1
    assert abs(platform.load(6.8) - 10.0) < 0.2
    assert (platform.load(7.0), platform.moving(7.0)) == (10.0, False)
    platform.clear()
    assert (platform.load(7.0), platform.moving(7.0)) == (0.0, False)


def test_bags_come_near_the_target_and_seldom_far_off() -> None:
    order = FillOrder(1, 12.5, 'kg')
    filler = Filler(1, 'A', out_share=0.1)
    bags = [filler.next_weight(order) for _ in range(2000)]
    far = sum(abs(bag / 12.5 - 1) > 0.1 for bag in bags) / 2000
    assert 0.08 < far < 0.13
    assert abs(sum(bags) / 2000 - 12.5) < 0.1


def test_the_same_seed_fills_the_same_bags() -> None:
    order = FillOrder(1, 12.5, 'kg')
    one, same, other = (Filler(seed, 'A') for seed in (1, 1, 2))
    bags = [[filler.next_weight(order) for _ in range(20)] for filler in (one, same, other)]
    assert bags[0] == bags[1]
    assert bags[0] != bags[2]


@pytest.fixture
def faults() -> FaultInjector:
    return FaultInjector(FAULTS)


LINE = b'3,12.500 kg\r\n'


def test_a_line_without_fault_goes_out_whole(faults: FaultInjector) -> None:
    assert LineCorruptor(faults, '3').chunks(LINE) == [LINE]


def test_a_split_line_arrives_byte_by_byte_and_only_as_often_as_requested(faults: FaultInjector) -> None:
    wire = LineCorruptor(faults, '3')
    faults.inject('split', 1)
    assert wire.chunks(LINE) == [LINE[at : at + 1] for at in range(len(LINE))]
    assert wire.chunks(LINE) == [LINE]


def test_glued_lines_arrive_together(faults: FaultInjector) -> None:
    wire = LineCorruptor(faults, '3')
    faults.inject('glue', 3)
    assert [wire.chunks(LINE) for _ in range(4)] == [[], [], [3 * LINE], [LINE]]


def test_noise_comes_before_the_line_and_the_line_is_whole(faults: FaultInjector) -> None:
    faults.inject('noise', 1)
    whole = LineCorruptor(faults, '3').chunks(LINE)[0]
    noise = whole.removesuffix(LINE)
    assert noise.endswith(b'\r\n')
    assert not set(noise[:-2]) & set(b'\r\n')


def test_an_endless_line_is_as_long_as_requested(faults: FaultInjector) -> None:
    faults.inject('endless', 700)
    assert LineCorruptor(faults, '3').chunks(LINE) == [b'7' * 700 + b'\r\n' + LINE]


def test_a_character_that_was_hit_is_no_ascii_and_the_end_comes_through(faults: FaultInjector) -> None:
    faults.inject('garble', 20)
    wire = LineCorruptor(faults, '3')
    for line in (LINE, b'\n 1G      12.500kg \r') * 10:
        [hit] = wire.chunks(line)
        assert len(hit) == len(line)
        assert not hit.isascii()
        assert (hit[:1] == b'\n', hit[-1:]) == (line[:1] == b'\n', line[-1:])
    assert wire.chunks(LINE) == [LINE]


@pytest.mark.parametrize(
    ('fault', 'reply'),
    [('wrong_unit', b'\n 1G       22.05lb \r'), ('dashes', b'\n 1G    ------  kg \r'), ('motion', b'\n 1GM      9.300kg \r')],
)
def test_the_display_errs_in_sma_too(faults: FaultInjector, fault: str, reply: bytes) -> None:
    indicator = loaded(10.0, print_format='sma')
    faults.inject(fault)
    assert line_of(indicator, LONG_AFTER, faults) == reply
    assert line_of(indicator, LONG_AFTER, faults) == b'\n 1G      10.000kg \r'


def test_a_print_format_may_be_typed_in(faults: FaultInjector) -> None:
    indicator = loaded(10.0, print_format='{id};{weight:>8};{unit};{date} {time}', decimal_comma=True)
    indicator.clock_offset = 1_700_000_000.0
    assert line_of(indicator, LONG_AFTER, faults) == b'3;  10,000;kg;14/11/2023 22:30:00\r\n'
    faults.inject('clock_jump')
    assert line_of(indicator, LONG_AFTER, faults) == b'3;  10,000;kg;14/11/2023 21:30:00\r\n'
    assert line_of(indicator, LONG_AFTER + 1, faults) == b'3;  10,000;kg;14/11/2023 21:30:01\r\n'


@pytest.mark.parametrize('template', ['', 'legcay', '{id},{unit}', '{weight', '{weight} {color}'])
def test_a_print_format_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match='token'):
        Indicator('3', print_format=template)


@pytest.mark.parametrize(
    ('fault', 'line'), [('wrong_unit', b'3,22.05 lb\r\n'), ('dashes', b'3,------ kg\r\n'), ('motion', b'3,9.300 kg\r\n')]
)
def test_the_display_errs_once(faults: FaultInjector, fault: str, line: bytes) -> None:
    indicator = loaded(10.0)
    faults.inject(fault)
    assert line_of(indicator, LONG_AFTER, faults) == line
    assert line_of(indicator, LONG_AFTER, faults) == b'3,10.000 kg\r\n'


def test_an_unsettled_print_says_so_where_the_format_can(faults: FaultInjector) -> None:
    faults.inject('motion')
    assert line_of(loaded(10.0, print_format='extended'), LONG_AFTER, faults) == b'3,G,M, 9.300,kg, 0.000,NT\r\n'


def test_the_division_is_exact() -> None:
    indicator = Indicator('1', division=Decimal('0.1'))
    indicator.platform.fill(0.3, 0.0, 0.0)
    assert indicator.print_line(LONG_AFTER) == b'1,0.3 kg\r\n'
