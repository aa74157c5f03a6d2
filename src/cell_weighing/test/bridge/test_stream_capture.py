from decimal import Decimal

import pytest
from cell_weighing.bridge.stream_capture import GAP_NS, StabilitySettings, StreamCapture, StreamCaptureState
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability
from hypothesis import given, settings
from hypothesis import strategies as st

STEP_NS = 100_000_000
FIVE = StabilitySettings(count=5, spread=Decimal('0.005'), window_ns=400_000_000, empty=Decimal('0.020'))


class Scale:
    """Samples every 100 ms into a capture."""

    def __init__(self, capture=None):
        self.capture = capture or StreamCapture(FIVE)
        self.now = 0

    def show(self, *weights, unit='kg', stability=Stability.UNKNOWN, status=ReadingStatus.VALID):
        taken = []
        for weight in weights:
            self.now += STEP_NS
            result = self.capture.feed(ParsedLine('3', status, weight, unit, stability), self.now)
            if result:
                taken.append(result)
        return taken


def test_a_bag_is_captured_once_when_it_has_come_to_rest():
    scale = Scale()
    assert scale.show('0.000', '0.000', '5.1', '9.8', '12.1', '12.52', '12.500', '12.501', '12.502', '12.501') == []
    (taken,) = scale.show('12.500', '12.500', '12.500', '12.500')
    assert (taken.weight, taken.stability) == ('12.500', Stability.STABLE)
    assert scale.show(*['12.500'] * 50) == []


def test_the_next_bag_counts_only_after_the_scale_was_empty():
    scale = Scale()
    assert len(scale.show('0', *['12.500'] * 10)) == 1
    assert scale.show(*['13.000'] * 10, *['12.500'] * 10) == []
    assert [w.weight for w in scale.show('0.010', *['13.000'] * 10)] == ['13.000']


def test_a_weight_that_drifts_is_not_at_rest():
    scale = Scale()
    assert scale.show(*[f'{1 + i * 0.002:.3f}' for i in range(50)]) == []


def test_motion_reported_by_the_indicator_counts():
    scale = Scale()
    assert scale.show(*['12.5'] * 20, stability=Stability.IN_MOTION) == []
    assert len(scale.show(*['12.5'] * 5, stability=Stability.STABLE)) == 1


def test_samples_that_come_fast_must_still_span_the_time():
    capture = StreamCapture(FIVE)
    fast = [capture.feed(ParsedLine('3', ReadingStatus.VALID, '5.0', 'kg'), now) for now in range(0, 100_000_000, 10_000_000)]
    assert not any(fast)


def test_a_change_of_unit_starts_over():
    scale = Scale()
    assert scale.show('5.0', '5.0', '5.0', '5.0') == []
    assert scale.show('5000', '5000', '5000', '5000', unit='g') == []
    assert [w.unit for w in scale.show('5000', unit='g')] == ['g']


def test_dashes_are_recorded_once_a_row_and_malformed_lines_each():
    scale = Scale()
    assert len(scale.show('', '', '', status=ReadingStatus.OUT_OF_RANGE)) == 1
    scale.show('1.0')
    assert len(scale.show('', status=ReadingStatus.OUT_OF_RANGE)) == 1
    assert len(scale.show('', '', status=ReadingStatus.MALFORMED)) == 2


@pytest.mark.parametrize(('shown', 'counted'), [('12.502', 0), ('13.000', 1)])
def test_after_a_restart_only_another_weight_is_another_bag(shown, counted):
    before = Scale()
    before.show('0', *['12.500'] * 10)
    after = Scale(StreamCapture(FIVE, before.capture.state))
    taken = after.show(*[shown] * 10)
    assert len(taken) == counted and all('not seen empty' in w.message for w in taken)
    assert len(after.show('0', *['12.500'] * 10)) == 1


def test_after_a_silence_the_same_holds():
    scale = Scale()
    scale.show('0', *['12.500'] * 10)
    scale.now += GAP_NS + 1
    assert scale.show(*['12.500'] * 10) == []
    scale.now += GAP_NS + 1
    assert len(scale.show(*['9.000'] * 10)) == 1


def test_a_scale_that_was_empty_at_the_restart_is_ready():
    after = Scale(StreamCapture(FIVE, StreamCaptureState(True, '12.5')))
    assert len(after.show(*['12.500'] * 10)) == 1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(100, 30_000), st.booleans()), max_size=12), st.randoms())
def test_every_bag_is_captured_exactly_once_whatever_the_noise(bags, random):
    scale, taken = Scale(), []
    for ramp, grams, clipped in bags:
        taken += scale.show(*['0.000'] * 2)
        taken += scale.show(*[f'{grams / 1000 * i / ramp * (0.4 if clipped else 0.8):.3f}' for i in range(1, min(ramp, 4))])
        taken += scale.show(*[f'{(grams + random.randint(-2, 2)) / 1000:.3f}' for _ in range(12)])
    assert len(taken) == len(bags)
    assert all(abs(float(w.weight) * 1000 - grams) <= 2.001 for w, (_, grams, _) in zip(taken, bags, strict=True))
