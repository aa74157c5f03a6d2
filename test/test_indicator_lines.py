"""The scale bridge parses the lines of the simulated indicators; both sides are tested without a network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cell_sim.faults import FaultInjector
from cell_sim.scales.indicator import Indicator
from cell_sim.scales.line_faults import FAULTS, LineCorruptor, line_of
from cell_weighing.bridge.codecs import make_codec
from cell_weighing.bridge.framing import LineFramer, MalformedLine
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightMode

CODEC = {'legacy': 'legacy', 'extended': 'template', 'sma': 'sma'}
STILL, MOVING = 100.0, 0.5


def indicator(print_format: str, kilograms: float = 12.5) -> Indicator:
    result = Indicator('3', print_format=print_format)
    result.platform.fill(kilograms, now=0.0, duration=1.0)
    return result


def parsed(print_format: str, sent: bytes) -> list[ParsedLine]:
    codec, framer = make_codec(CODEC[print_format]), LineFramer()
    return [codec.parse(line.data if isinstance(line, MalformedLine) else line) for line in framer.feed(sent)]


@pytest.mark.parametrize('print_format', CODEC)
@pytest.mark.parametrize('unit', ['kg', 'lb'])
def test_a_weight_arrives_as_it_is_shown(print_format: str, unit: str) -> None:
    scale = indicator(print_format)
    scale.select_unit(unit)
    [weighing] = parsed(print_format, scale.print_line(STILL))
    assert (weighing.status, weighing.weight, weighing.unit) == (ReadingStatus.VALID, scale.show(STILL).weight, unit)


@pytest.mark.parametrize(
    ('print_format', 'still', 'moving'),
    [
        ('legacy', Stability.UNKNOWN, Stability.UNKNOWN),
        ('extended', Stability.STABLE, Stability.IN_MOTION),
        ('sma', Stability.STABLE, Stability.IN_MOTION),
    ],
)
def test_motion_arrives_if_the_format_contains_it(print_format: str, still: Stability, moving: Stability) -> None:
    scale = indicator(print_format)
    [at_rest], [in_motion] = (parsed(print_format, scale.print_line(now)) for now in (STILL, MOVING))
    assert (at_rest.stability, in_motion.stability) == (still, moving)


@pytest.mark.parametrize('print_format', ['extended', 'sma'])
def test_net_arrives_as_net(print_format: str) -> None:
    scale = indicator(print_format)
    scale.reply('T2.5', STILL)
    [weighing] = parsed(print_format, scale.print_line(STILL))
    assert (weighing.weight, weighing.mode) == ('10.000', WeightMode.NET)


@pytest.mark.parametrize('print_format', CODEC)
def test_overload_is_no_weight(print_format: str) -> None:
    [weighing] = parsed(print_format, indicator(print_format, kilograms=80.0).print_line(STILL))
    assert (weighing.status, weighing.weight) == (ReadingStatus.OUT_OF_RANGE, '')


@pytest.mark.parametrize('print_format', CODEC)
def test_dashes_are_no_weight(print_format: str) -> None:
    faults = FaultInjector(FAULTS)
    faults.inject('dashes')
    [weighing] = parsed(print_format, line_of(indicator(print_format), STILL, faults))
    assert (weighing.status, weighing.weight) == (ReadingStatus.OUT_OF_RANGE, '')


@pytest.mark.parametrize('command', ['A', 'B', 'D', 'I', 'M', 'N', 'X'])
def test_an_sma_reply_that_is_no_weight_is_never_one(command: str) -> None:
    replies = parsed('sma', indicator('sma').reply(command, STILL))
    assert all(weighing.status is ReadingStatus.MALFORMED for weighing in replies)


def disturbed(print_format: str) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the written chunks and the original line for every line fault."""
    for fault, amount in (('split', 1), ('glue', 3), ('noise', 1), ('endless', 5000)):
        faults = FaultInjector(FAULTS)
        corruptor, line = LineCorruptor(faults, '3'), indicator(print_format).print_line(STILL)
        faults.inject(fault, amount)
        yield [piece for _ in range(3) for piece in corruptor.chunks(line)], line


@pytest.mark.parametrize('print_format', CODEC)
def test_no_line_fault_loses_or_creates_a_weight(print_format: str) -> None:
    codec = make_codec(CODEC[print_format])
    for chunks, meant in disturbed(print_format):
        framer = LineFramer()
        lines = [line for piece in chunks for line in framer.feed(piece)]
        valid = [
            line for line in lines if not isinstance(line, MalformedLine) and codec.parse(line).status is ReadingStatus.VALID
        ]
        assert valid == [meant.strip(b'\r\n')] * 3
