"""Lines of a Robotiq gripper's URCap."""

from __future__ import annotations

import pytest
from cell_robot.protocols.robotiq.codec import (
    GripperStatus,
    RobotiqError,
    decode_value,
    encode_get,
    encode_move,
    is_complete,
)


def test_requests_are_lines_of_names_and_values():
    assert encode_get('OBJ') == b'GET OBJ\n'
    assert encode_move(255, 100, 20) == b'SET POS 255 SPE 100 FOR 20 GTO 1\n'


@pytest.mark.parametrize('line', ['POS 077', 'POS 77\n', ' pos 77 '])
def test_a_value_is_read_with_or_without_padding(line):
    assert decode_value('POS', line) == 77


@pytest.mark.parametrize('line', ['OBJ 3', 'POS', 'POS x', 'POS 256', '', '?', 'POS 3 4'])
def test_another_line_is_no_answer(line):
    with pytest.raises(RobotiqError, match='GET POS'):
        decode_value('POS', line)


@pytest.mark.parametrize(('answer', 'complete'), [(b'ack', True), (b'ac', False), (b'POS 3', False), (b'POS 003', True)])
def test_an_answer_without_a_line_end_is_recognized(answer, complete):
    assert is_complete(answer) is complete and is_complete(answer + b'\n')


@pytest.mark.parametrize(
    ('status', 'word'),
    [
        (GripperStatus(3, 0, 0, 3, 0), ''),
        (GripperStatus(0, 0, 0, 3, 0), 'not activated'),
        (GripperStatus(3, 0, 0, 3, 9), 'fault 9'),
    ],
)
def test_a_gripper_that_cannot_be_used_says_why(status, word):
    assert word in status.message and bool(word) == bool(status.message)
