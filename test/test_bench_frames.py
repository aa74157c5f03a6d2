"""The bench's frames, tables and learning: small pieces, no engine."""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from cell_vision.types import Reading

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'bench'))

import learn_confusions  # noqa: E402
import learn_ranges  # noqa: E402
import vision_frames  # noqa: E402
import vision_run  # noqa: E402
import vision_tables  # noqa: E402

PARTS = list(vision_frames.bench_catalogue(ROOT / 'config').parts)


def test_the_catalogue_holds_all_parts_and_the_chips():
    assert len(PARTS) == 47 and {'EM1-2U1', 'EM1-2UI', '74LS192', 'MY4N-24'} <= set(PARTS)


@pytest.mark.parametrize('level', vision_frames.LEVELS)
def test_a_frame_is_the_same_every_time_and_splits_share_none(level):
    one, again = (vision_frames.frame('dev', level, 3, PARTS) for _ in range(2))
    assert one == again and len(one.data) > 10_000
    assert vision_frames.frame('test', level, 3, PARTS).data != one.data


def test_moments_show_the_same_part_a_little_moved():
    first, later = (vision_frames.frame('dev', 'easy', 2, PARTS, moment) for moment in (0, 1))
    assert (first.text, first.part_number) == (later.text, later.part_number) and first.data != later.data


def test_every_kind_of_frame_occurs_and_unknown_parts_are_not_of_the_catalogue():
    shots = [vision_frames.frame('dev', 'hard', number, PARTS) for number in range(18, 32)]
    assert {shot.kind for shot in shots} == {'part', 'unknown', 'several', 'none'}
    for shot in shots:
        assert bool(shot.part_number) == (shot.kind == 'part') and bool(shot.text) == (shot.kind in {'part', 'unknown'})
        assert shot.kind != 'unknown' or not any(shot.text == part for part in PARTS)


def line(text, x=10.0):
    return Reading(text, 0.9, ((x, 10), (x + 18 * len(text), 10), (x + 18 * len(text), 40), (x, 40)))


@pytest.mark.parametrize(
    'read, exact',
    [('EM1-2U1', True), ('em1-2u1', True), ('RELAY EM1-2U1', True), ('EM1-2U4', False), ('XEM1-2U1', False), ('EM1-2U', False)],
)
def test_an_exact_read_is_the_whole_number_and_nothing_else(read, exact):
    assert vision_run.exact('EM1-2U1', [line(read)]) is exact


def rows(count, **values):
    return [vision_run.Row('x', 'easy', 'part', 'DT04-2P', 'DT04-2P', 'font', **values) for _ in range(count)]


def test_a_wrong_acceptance_and_a_slow_tail_are_said():
    good = rows(99, milliseconds=100.0, exact=True, verdict='MATCH', accepted=['DT04-2P'], pairs=47)
    bad = rows(1, milliseconds=100.0, exact=True, verdict='MATCH', accepted=['DT04-2P', 'DT04-4P'], pairs=47)
    said = {held.what: held.holds for held in vision_tables.must_hold(good + bad, [], [], {}, {})}
    assert said['false accepts 0'] is False and said['at least 100000 pairs'] is False
    assert said['p95 under 2.5 x median'] is True and said['exact reads easy >= 99.5 %'] is True
    slow = rows(90, milliseconds=100.0) + rows(10, milliseconds=300.0)
    assert {held.what: held.holds for held in vision_tables.must_hold(slow, [], [], {}, {})}['p95 under 2.5 x median'] is False


def test_being_faster_counts_only_at_equal_reads():
    slow, quick = rows(3, milliseconds=900.0, exact=True), rows(3, milliseconds=100.0, exact=False)
    assert vision_tables.faster('other', 8, slow, quick).holds is False
    assert vision_tables.faster('other', 8, slow, rows(3, milliseconds=100.0, exact=True)).holds is True
    assert vision_tables.faster('other', 8, [], quick).holds is None


def test_prices_fall_with_the_share_of_misreads_and_digits_are_never_forgiven():
    reads = [('', 'AB0', 'hard', [line('ABO')])] * 30 + [('', 'AB3', 'hard', [line('AB8')])] * 30
    seen, misread = learn_confusions.count(reads)
    assert misread == {'0O': 30, '38': 30}
    prices = learn_confusions.prices(seen, misread)
    assert prices['0>O'] < 0.2 and '38' not in prices and '3>8' not in prices
    assert learn_confusions.prices(seen, type(misread)())['0O'] > prices['0>O']


def test_a_pair_that_is_misread_in_one_direction_is_listed_for_that_one():
    seen = Counter(dict.fromkeys('UV0OQ', 300))
    prices = learn_confusions.prices(seen, Counter({'VU': 6, '0O': 20, 'O0': 2, 'Q0': 2}))
    assert {'V>U', '0O', '0Q'} <= set(prices) and 'UV' not in prices
    assert prices['V>U'] < learn_confusions.prices(seen, Counter({'VU': 3, 'UV': 3}))['UV']


def test_the_calibration_recovers_what_made_the_samples():
    samples = [
        (score, cost, number % 20 < round(20 / (1 + math.exp(-(math.log(score / (1 - score)) - 4 * cost)))))
        for score in (0.6, 0.8, 0.9, 0.97)
        for cost in (0.0, 0.3, 1.0)
        for number in range(20)
    ]
    fitted = learn_confusions.calibrate(samples)
    assert fitted['certainty'] == pytest.approx(1.0, abs=0.35) and fitted['price'] == pytest.approx(4.0, abs=1.2)


def test_the_head_of_the_learned_ranges_is_comments_only():
    assert yaml.safe_load(learn_ranges.HEADER) is None
    assert yaml.safe_load(learn_ranges.HEADER + yaml.safe_dump({'net.onnx': {'inputs': {}}})) == {'net.onnx': {'inputs': {}}}
