"""The compact form in which the likelihoods of a line travel from the reader to the matcher."""

from __future__ import annotations

import numpy as np
import pytest
from cell_vision.likelihoods import (
    CLASSES,
    FLOOR,
    LARGEST,
    NOTHING,
    SPACE,
    StripEnds,
    ends_of,
    join_strips,
    pack,
    split_strips,
    unpack,
    with_blanks,
    with_ends,
)


def rendering(steps: int, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(FLOOR * 1.5, 0, (steps, CLASSES)).astype(np.float32)
    values[:, 0] = 0.0
    return values


def test_renderings_come_back_within_the_resolution_and_not_below_the_floor():
    first, second = rendering(40), rendering(52, seed=2)
    back = unpack(pack([first, second]))
    assert [len(values) for values in back] == [40, 52]
    for sent, received in zip((first, second), back, strict=True):
        assert np.abs(received - np.maximum(sent, FLOOR)).max() <= 1 / 16 and received[:, 0].max() == 0


def test_a_usual_strip_takes_little_room():
    values = np.full((60, CLASSES), FLOOR, np.float32)
    values[:, 36] = 0.0
    values[::6, 36], values[::6, 7] = FLOOR, 0.0
    assert len(pack([values])) < 200


@pytest.mark.parametrize('damage', [lambda data: b'', lambda data: data[:-6], lambda data: b'x' + data, lambda data: b'\0' * 9])
def test_damaged_bytes_are_refused(damage):
    data = damage(pack([rendering(30)]))
    with pytest.raises(ValueError, match='strip'):
        unpack(data)


def test_a_strip_that_unpacks_to_more_than_any_print_needs_is_refused():
    values = np.full((1000, CLASSES), FLOOR, np.float32)
    with pytest.raises(ValueError, match='strip'):
        unpack(pack([values] * (LARGEST // (1000 * CLASSES) + 1)))


def test_strips_in_a_row_are_split_again():
    strips = (pack([rendering(20)]), b'', pack([rendering(30)]))
    assert split_strips(join_strips(strips)) == strips and split_strips(b'') == ()


@pytest.mark.parametrize('cut', [1, 3, 7])
def test_a_row_of_strips_that_was_cut_is_refused(cut):
    with pytest.raises(ValueError, match='likelihoods end'):
        split_strips(join_strips([b'abcd', b'efgh'])[:-cut])


@pytest.mark.parametrize('ends', [StripEnds(), StripEnds(cut_end=True), StripEnds(cut_start=True, more_after=True)])
def test_what_the_picture_shows_at_the_ends_travels_with_the_strip(ends):
    strip = pack([rendering(20)])
    marked = with_ends(strip, ends)
    assert ends_of(marked) == ends and ends_of(strip) == StripEnds() and ends_of(b'') == StripEnds()
    assert (unpack(marked)[0] == unpack(strip)[0]).all()


def test_a_gap_of_the_picture_stands_as_a_blank_in_the_rendering_and_nowhere_else():
    values = np.full((10, CLASSES), FLOOR, np.float32)
    values[:, NOTHING] = 0.0
    marked = with_blanks(values, [4.4, 30.0])
    assert marked.argmax(1).tolist() == [NOTHING] * 4 + [SPACE] + [NOTHING] * 4 + [SPACE]
    assert with_blanks(values, []) is values and values.argmax(1).max() == NOTHING
