"""Which pictures are evidence for a piece: streams of drawn parts, with every way in which a camera shows old pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_common.time import NS_PER_S
from cell_vision.ocr.arrival import ArrivalWatch, NotStillError, Pick, View
from cell_vision.ocr.thumbnail import thumbnail_of

PERIOD = NS_PER_S // 10
SIZE = (720, 1280)
BENCH = np.random.default_rng(1).integers(90, 130, (9, 16)).astype(np.uint8)
BENCH = cv2.resize(BENCH, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
NOISE = np.random.default_rng(2).normal(0, 3, SIZE).astype(np.float32)


def picture(piece=None, seed=0, quality=90, light=1.0):
    """Return the JPEG of the empty view, or of a piece (its number and its displacement in pixels)."""
    image = BENCH.copy()
    if piece is not None:
        number, move = piece
        cv2.rectangle(image, (420 + move, 260), (860 + move, 460), 30, -1)
        cv2.putText(image, number, (440 + move, 380), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 220, 6)
    noise = np.roll(NOISE, seed % 997, axis=(0, 1))
    return encoded(np.clip(image * np.float32(light) + noise, 0, 255).astype(np.uint8), quality)


def encoded(image, quality):
    return bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def again(jpeg, quality=60):
    return encoded(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), quality)


class Stream:
    """A camera at 10 Hz whose pictures pass through the thumbnails of the node."""

    def __init__(self, **options):
        self.watch, self.now, self.sent = ArrivalWatch(0.01, **options), NS_PER_S, []

    def show(self, *jpegs):
        for jpeg in jpegs:
            self.now += PERIOD
            self.sent.append(jpeg)
            self.watch.add(self.now, thumbnail_of(jpeg), hash(jpeg))

    def view(self, piece=None, count=4):
        self.show(*(picture(piece, seed=self.now // PERIOD + k) for k in range(count)))

    def judge(self, picked, shown=None):
        return self.watch.evidence(Pick(picked, picked, self.now if shown is None else shown))

    def first_piece(self, piece=('A1', 0)):
        """Show the empty view, pick and judge a piece, and show the empty view again."""
        self.view()
        picked = self.now
        self.view(count=2)
        self.view(piece)
        judged = self.judge(picked)
        self.view()
        return judged


@pytest.fixture
def stream():
    return Stream()


def test_the_first_piece_counts_without_a_learned_empty_view(stream):
    assert stream.first_piece().counts


def test_the_next_piece_counts_though_it_has_the_same_number_and_nearly_the_same_place(stream):
    stream.first_piece()
    picked = stream.now
    stream.view(('A1', 2))
    assert stream.judge(picked).counts


def test_a_piece_counts_though_the_view_was_empty_only_before_the_command(stream):
    stream.first_piece()
    stream.view(('B2', 5), 3)
    assert stream.judge(stream.now - 3 * PERIOD).counts


def test_a_frozen_picture_of_the_piece_before_never_counts(stream):
    stream.first_piece()
    stream.view(('B2', 5))
    picked = stream.now
    stream.show(*[stream.sent[-1]] * 30)
    judged = stream.judge(picked)
    assert not judged.counts and 'same picture' in judged.message


def test_a_camera_that_was_frozen_and_shows_the_next_piece_at_once_is_no_evidence(stream):
    stream.first_piece()
    stream.view(('B2', 5))
    picked = stream.now
    stream.show(*[stream.sent[-1]] * 5)
    stream.view(('C3', 9))
    assert not stream.judge(picked).counts


def test_a_piece_that_left_and_left_an_empty_view_is_no_evidence(stream):
    stream.first_piece()
    picked = stream.now
    stream.view()
    judged = stream.judge(picked)
    assert not judged.counts and 'no part came into view' in judged.message


@pytest.mark.parametrize('copy', [lambda jpeg: jpeg, again, lambda jpeg: again(jpeg, 40)], ids=['bytes', 'again', 'poor'])
@pytest.mark.parametrize('order', ['ring', 'loop', 'back and forth'])
def test_old_pictures_never_count_in_any_order_or_compression(stream, copy, order):
    stream.first_piece(('B2', 5))
    old = list(stream.sent)
    picked = stream.now
    rng = np.random.default_rng(3)
    for step in range(60):
        index = {'ring': int(rng.integers(len(old))), 'loop': step % len(old), 'back and forth': -1 - step % len(old)}[order]
        stream.show(copy(old[index]))
        assert not stream.judge(picked).counts


def test_a_late_stream_shows_the_piece_before_and_waits_for_this_one(stream):
    stream.first_piece()
    picked = stream.now
    stream.view(('B2', 5))
    assert stream.judge(picked).counts
    picked = stream.now
    stream.view(('B2', 5), 20)
    assert not stream.judge(picked).counts
    stream.view(count=10)
    assert not stream.judge(picked).counts
    stream.view(('C3', 9))
    assert stream.judge(picked).counts


def test_a_moving_part_waits_until_it_stands(stream):
    stream.first_piece()
    picked = stream.now
    for move in (-300, -200, -100):
        stream.view(('B2', move), 1)
        assert not stream.judge(picked).counts
    stream.view(('B2', 0), 2)
    judged = stream.judge(picked)
    assert judged.counts and judged.stood_ns == stream.now - PERIOD


def test_a_picture_between_the_old_ones_does_not_stand_still(stream):
    stream.first_piece()
    old = picture(('A1', 0), 4)
    picked = stream.now
    for seed in range(10):
        stream.show(picture(('B2', 30), seed), old)
        assert not stream.judge(picked).counts


def test_after_a_pause_a_frozen_or_late_picture_does_not_count(stream):
    stream.first_piece()
    picked = stream.now
    stream.view(('B2', 5))
    resumed = stream.now
    stream.show(*[stream.sent[-1]] * 5)
    assert not stream.watch.evidence(Pick(picked, resumed)).counts
    stream.view(('B2', 5))
    assert stream.watch.evidence(Pick(picked, resumed)).counts
    stream.watch.late_ns = 3 * NS_PER_S
    assert not stream.watch.evidence(Pick(picked, stream.now - PERIOD)).counts


def test_light_that_changes_slowly_or_all_over_stays_an_empty_view(stream):
    stream.first_piece()
    for light in np.linspace(1.0, 0.8, 40):
        stream.show(picture(seed=int(light * 1e6), light=light))
    assert stream.watch.view_of(thumbnail_of(picture(light=0.7))) is View.EMPTY
    picked = stream.now
    stream.show(*(picture(('B2', 5), seed, light=0.8) for seed in range(4)))
    assert stream.judge(picked).counts


def test_the_empty_view_is_learned_from_a_still_view_only(stream):
    with pytest.raises(NotStillError, match='check the camera'):
        stream.watch.learn(stream.now)
    for move in range(0, 900, 30):
        stream.view(('A1', move - 400), 1)
    with pytest.raises(NotStillError, match='moves'):
        stream.watch.learn(stream.now)
    stream.view(count=12)
    background = stream.watch.learn(stream.now)
    later = Stream(background=background)
    later.view()
    picked = later.now
    later.view(('A1', 0))
    assert later.judge(picked).counts


def test_without_a_view_before_the_command_nothing_counts(stream):
    stream.view(('A1', 0), 10)
    judged = stream.judge(stream.now - 20 * PERIOD)
    assert not judged.counts and 'camera/learn_background' in judged.message


def test_a_hole_in_the_bench_is_empty_and_a_part_is_not(stream):
    stream.first_piece()
    shown = thumbnail_of(picture(('A1', 0), 9))
    assert stream.watch.is_region_empty(shown, [(0.05, 0.1), (0.15, 0.1), (0.15, 0.3), (0.05, 0.3)])
    assert not stream.watch.is_region_empty(shown, [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)])
