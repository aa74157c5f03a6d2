"""Triggers and replies in both framings."""

from __future__ import annotations

import pytest
from cell_robot.backends.letters.protocol import PROTOCOLS, ProgramReply, ReplyKind

LINE, BARE = PROTOCOLS['line'], PROTOCOLS['bare']


def test_a_trigger_is_one_line_with_letter_id_and_tray():
    assert LINE.encode('A', 'job-1', 3) == b'A job-1 3\n'
    assert LINE.encode('H', 'job-2', 0) == b'H job-2\n'


def test_a_bare_trigger_is_the_letter_alone():
    assert BARE.encode('A', 'job-1', 3) == b'A'


@pytest.mark.parametrize(
    ('line', 'reply'),
    [
        (b'HB', ProgramReply(ReplyKind.HEARTBEAT)),
        (b'ACK 7', ProgramReply(ReplyKind.ACK, '7')),
        (b'DONE a-1', ProgramReply(ReplyKind.DONE, 'a-1')),
        (b'ERR 7 gripper is empty', ProgramReply(ReplyKind.ERR, '7', 'gripper is empty')),
        (b'ERR 7', ProgramReply(ReplyKind.ERR, '7', '')),
        (b'ERR 7 caf\xc3\xa9\x1b[31m', ProgramReply(ReplyKind.ERR, '7', 'caf???[31m')),
    ],
)
def test_lines_are_decoded(line, reply):
    assert LINE.decode(line) == reply


@pytest.mark.parametrize(
    'line', [b'', b'ACK', b'ack 7', b'ACK 7 8', b'DONE', b'ERR', b'HB 1', b'GET / HTTP/1.1', b'\x00\xff', b'ACK  7']
)
def test_unknown_lines_are_ignored(line):
    assert LINE.decode(line) is None


@pytest.mark.parametrize(
    ('word', 'reply'),
    [
        (b'ack', ProgramReply(ReplyKind.ACK)),
        (b'ACK', ProgramReply(ReplyKind.ACK)),
        (b'done', ProgramReply(ReplyKind.DONE)),
        (b'hb', ProgramReply(ReplyKind.HEARTBEAT)),
        (b'err tray empty', ProgramReply(ReplyKind.ERR, '', 'tray empty')),
    ],
)
def test_bare_words_are_decoded(word, reply):
    assert BARE.decode(word) == reply


@pytest.mark.parametrize('word', [b'', b'ok', b'acknowledged', b'\xff'])
def test_unknown_bare_words_are_ignored(word):
    assert BARE.decode(word) is None
