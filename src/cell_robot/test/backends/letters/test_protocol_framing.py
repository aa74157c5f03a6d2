"""Lines and words from a byte stream."""

from __future__ import annotations

import random

import pytest
from cell_robot.backends.letters.protocol import BARE_WORDS, MAX_LINE, LetterLineFramer, WordFraming


@pytest.mark.parametrize('end', [b'\n', b'\r', b'\r\n'])
def test_a_whole_line_is_one_frame_whatever_its_end(end):
    assert LetterLineFramer().feed(b'ACK 1' + end) == [b'ACK 1']


def test_a_split_line_comes_out_when_its_end_has_come():
    framing = LetterLineFramer()
    assert [framing.feed(bytes([byte])) for byte in b'HB\n'] == [[], [], [b'HB']]


def test_glued_lines_come_out_one_by_one():
    assert LetterLineFramer().feed(b'ACK 1\nDONE 1\n\nHB') == [b'ACK 1', b'DONE 1']


@pytest.mark.parametrize('size', [MAX_LINE + 1, 10_000_000])
@pytest.mark.parametrize('chunk', [1000, 65536])
def test_a_line_that_is_too_long_is_dropped_and_the_next_one_is_read(size, chunk):
    framing = LetterLineFramer()
    data = b'x' * size + b'\nHB\n'
    frames = [frame for start in range(0, len(data), chunk) for frame in framing.feed(data[start : start + chunk])]
    assert frames == [b'HB']
    assert framing.overlong == 1


def test_the_longest_line_allowed_is_kept():
    framing = LetterLineFramer()
    assert framing.feed(b'x' * MAX_LINE) == []
    assert framing.feed(b'\n') == [b'x' * MAX_LINE]
    assert framing.overlong == 0


def test_random_bytes_never_make_the_framing_keep_more_than_a_line():
    rng = random.Random(7)
    framing = LetterLineFramer()
    for _ in range(300):
        assert all(len(frame) <= MAX_LINE for frame in framing.feed(rng.randbytes(5000)))
        assert framing.pending <= MAX_LINE


def test_a_known_word_needs_no_line_end():
    framing = WordFraming(BARE_WORDS)
    assert framing.feed(b'ack') == [b'ack']
    assert framing.feed(b'\n') == []
    assert framing.feed(b'Do') == []
    assert framing.feed(b'ne') == [b'Done']


def test_an_unknown_word_waits_for_its_line_end():
    framing = WordFraming(BARE_WORDS)
    assert framing.feed(b'err empty') == []
    assert framing.feed(b'\r\n') == [b'err empty']
