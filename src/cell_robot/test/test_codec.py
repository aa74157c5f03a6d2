"""The words of both framings."""

from __future__ import annotations

import pytest
from cell_robot.backends.letters.codec import DIALECTS, Kind, Reply

LINE, BARE = DIALECTS['line'], DIALECTS['bare']


def test_a_trigger_is_one_line_with_letter_id_and_tray():
    assert LINE.encode('A', 'job-1', 3) == b'A job-1 3\n'
    assert LINE.encode('H', 'job-2', 0) == b'H job-2\n'


def test_a_bare_trigger_is_the_letter_alone():
    assert BARE.encode('A', 'job-1', 3) == b'A'


@pytest.mark.parametrize(
    ('line', 'reply'),
    [
        (b'HB', Reply(Kind.HEARTBEAT)),
        (b'ACK 7', Reply(Kind.ACK, '7')),
        (b'DONE a-1', Reply(Kind.DONE, 'a-1')),
        (b'ERR 7 gripper is empty', Reply(Kind.ERR, '7', 'gripper is empty')),
        (b'ERR 7', Reply(Kind.ERR, '7', '')),
        (b'ERR 7 caf\xc3\xa9\x1b[31m', Reply(Kind.ERR, '7', 'caf???[31m')),
    ],
)
def test_lines_are_understood(line, reply):
    assert LINE.decode(line) == reply


@pytest.mark.parametrize(
    'line', [b'', b'ACK', b'ack 7', b'ACK 7 8', b'DONE', b'ERR', b'HB 1', b'GET / HTTP/1.1', b'\x00\xff', b'ACK  7']
)
def test_lines_of_no_sense_are_told_apart(line):
    assert LINE.decode(line) is None


@pytest.mark.parametrize(
    ('word', 'reply'),
    [
        (b'ack', Reply(Kind.ACK)),
        (b'ACK', Reply(Kind.ACK)),
        (b'done', Reply(Kind.DONE)),
        (b'hb', Reply(Kind.HEARTBEAT)),
        (b'err tray empty', Reply(Kind.ERR, '', 'tray empty')),
    ],
)
def test_bare_words_are_understood(word, reply):
    assert BARE.decode(word) == reply


@pytest.mark.parametrize('word', [b'', b'ok', b'acknowledged', b'\xff'])
def test_bare_words_of_no_sense_are_told_apart(word):
    assert BARE.decode(word) is None
