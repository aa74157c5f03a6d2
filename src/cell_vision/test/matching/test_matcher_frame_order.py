"""A verdict is a function of the set of frames: their order and copies of them change nothing."""

from __future__ import annotations

import itertools
import random

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.likelihoods import pack
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher
from cell_vision.ocr.fusion import fuse_frames
from cell_vision.types import Reading

NUMBERS = ('74LS12', '74LS112', '74LS13', '74LS192', 'MY4N', 'MY4N-J')


@pytest.fixture(scope='module')
def matcher():
    return Matcher(Catalogue({number: Part(number, 'A', ()) for number in NUMBERS}), load_weights())


def frame(text, doubts, rendering, score, x):
    wide = 20.0 * len(text)
    place = ((x, 50.0), (x + wide, 50.0), (x + wide, 80.0), (x, 80.0))
    return [Reading(text, score, place, (pack([rendering(text, doubts)]),))]


def decided(matcher, frames):
    decision = matcher.match('74LS12', fuse_frames(frames), len(frames))
    return decision.verdict, decision.part_number, round(decision.score, 9), decision.candidates


@pytest.mark.parametrize('seed', range(20))
def test_the_order_of_the_frames_changes_no_verdict(seed, matcher, rendering):
    rng = random.Random(seed)
    number = rng.choice(NUMBERS)
    frames = [
        frame(
            number.replace('-', rng.choice(('-', ''))),
            {rng.randrange(4): {rng.choice('0123456789AJN'): rng.uniform(-8, -0.1)}},
            rendering,
            rng.uniform(0.6, 0.99),
            100.0 + rng.uniform(-4, 4),
        )
        for _ in range(rng.randint(2, 4))
    ]
    expected = decided(matcher, frames)
    assert {decided(matcher, list(order)) for order in itertools.permutations(frames)} == {expected}


@pytest.mark.parametrize('doubt', [-0.5, -3.0, -6.0])
def test_a_repeated_frame_is_no_further_evidence(doubt, matcher, rendering):
    once = frame('74LS12', {5: {'3': doubt}}, rendering, 0.95, 100.0)
    assert decided(matcher, [once, once, once])[:2] == decided(matcher, [once])[:2]
