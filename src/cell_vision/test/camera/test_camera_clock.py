"""Timestamps of a camera's own clock: delayed, repeated and old frames, a clock that drifts or is set."""

from __future__ import annotations

import random

import pytest
from cell_vision.camera.camera_clock import CameraClock, timestamp_of

S = 1_000_000_000
PERIOD = 0.1


def times(frames, clock=None):
    """Times in seconds of (arrival, timestamp) pairs; None = rejected."""
    clock = clock or CameraClock()
    found = [clock.time_of(round(arrival * S), taken) for arrival, taken in frames]
    return [None if time is None else time / S for time in found]


def steady(count, start=100.0, boot=7.0, delay=0.02):
    return [(start + i * PERIOD + delay, boot + i * PERIOD) for i in range(count)]


def test_a_camera_without_clock_gives_times_of_arrival():
    assert times([(3.0, None), (3.1, None)]) == [3.0, 3.1]


def test_a_delay_that_begins_is_seen_at_its_first_frame():
    frames = steady(20) + [(arrival + 1.5, taken) for arrival, taken in steady(40)[20:]]
    found = times(frames)
    for (arrival, _), time in zip(frames[20:], found[20:], strict=True):
        assert arrival - time == pytest.approx(1.5, abs=0.002)


def test_jitter_of_the_network_makes_no_frame_newer_than_it_is():
    rng = random.Random(5)
    frames = [(100 + i * PERIOD + rng.uniform(0.01, 0.09), i * PERIOD) for i in range(100)]
    late = [arrival - time for (arrival, _), time in zip(frames, times(frames), strict=True)]
    assert min(late) > -1e-6 and max(late) < 0.081


def test_repeated_and_old_frames_are_rejected():
    clock = CameraClock()
    frames = [(1.0, 5.0), (1.1, 5.1), (1.2, 5.1), (1.3, 5.0), (1.4, 5.05), (1.5, 5.5)]
    assert [time is None for time in times(frames, clock)] == [False, False, True, True, True, False]
    assert clock.rejected == 3


def test_old_buffers_in_any_order_never_pass_for_new_frames():
    rng = random.Random(1)
    ring = [20 + rng.randrange(40) * PERIOD for _ in range(200)]
    found = times([*steady(30, boot=25.0), *((103 + i * PERIOD, taken) for i, taken in enumerate(ring))])
    assert all(time is None for time in found[30 + 1 :] if time is not None and time > 103 + 5)


def test_a_clock_that_was_set_back_is_followed_after_two_seconds():
    frames = steady(10) + [(101 + i * PERIOD, 2.0 + i * PERIOD) for i in range(40)]
    found = times(frames)
    assert found[10:28] == [None] * 18
    assert found[-1] == pytest.approx(frames[-1][0], abs=0.01)


def test_a_clock_that_was_set_forward_or_far_back_gives_no_delay_of_hours():
    frames = [*steady(10), (101.5, 50_000.0), (101.6, 50_000.1)]
    assert times(frames)[-1] == pytest.approx(101.6, abs=0.01)
    frames = [(1.0, 9000.0), *((1.1 + i * PERIOD, 50.0 + i * PERIOD) for i in range(40))]
    assert times(frames)[-1] == pytest.approx(frames[-1][0], abs=0.01)


def test_a_clock_that_stands_does_not_end_the_stream():
    found = times([(i * PERIOD, 0.0) for i in range(100)])
    assert found[25:] == [pytest.approx(i * PERIOD) for i in range(25, 100)]


@pytest.mark.parametrize('drift', [-100e-6, 100e-6])
def test_an_hour_of_drift_is_no_delay(drift):
    frames = [(i * 1.0, i * (1 + drift)) for i in range(3600)]
    assert max(arrival - time for (arrival, _), time in zip(frames, times(frames), strict=True)) < 0.01


@pytest.mark.parametrize(
    ('head', 'seconds'),
    [
        ({'x-timestamp': '1383360096.699690'}, 1383360096.69969),
        ({'x-timestamp': ' 17.000123 '}, 17.000123),
        ({'x-frame-timestamp': '12.345'}, 12.345),
        ({'x-timestamp': '12.95000'}, None),
        ({'x-timestamp': '1700000000'}, None),
        ({'x-timestamp': '2026-11-30T12:00:00Z'}, None),
        ({'x-timestamp': '-1.000000'}, None),
        ({'x-timestamp': 'nan'}, None),
        ({}, None),
    ],
)
def test_only_timestamps_of_known_form_are_used(head, seconds):
    assert timestamp_of(head) == seconds
