"""Protocol between the node and its control process."""

from __future__ import annotations

import pytest
from cell_robot.control_process.codec import (
    BlendedMove,
    ControlError,
    ControlFailed,
    ControlReady,
    Heartbeat,
    MoveJoints,
    MoveLine,
    MovePath,
    MoveStarted,
    RequestDone,
    SetFreedrive,
    SetOutput,
    SetToolAndPayload,
    StopArm,
    TryPath,
    decode_report,
    decode_request,
    encode_report,
    encode_request,
)

SIX = (0.0, -1.5, 0.25, 1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    'request_',
    [
        SetToolAndPayload(SIX, 1.2, (0.0, 0.0, 0.06)),
        MoveJoints(SIX, 1.0, 2.0),
        MoveLine(SIX, 0.1, 0.5),
        SetOutput(3, True),
        StopArm(4.0),
        TryPath(SIX),
        SetFreedrive(True),
    ],
)
def test_requests_arrive_as_they_were_sent(request_):
    assert decode_request(encode_request(7, request_)) == (7, request_)


def test_the_moves_of_a_path_arrive_as_they_were_sent():
    path = MovePath((BlendedMove(False, SIX, 1.0, 2.0, 0.05), BlendedMove(True, SIX, 0.1, 0.5, 0.0)))
    _, received = decode_request(encode_request(8, path))
    assert received.entries == tuple((line, list(end), *rest) for line, end, *rest in path.moves)


@pytest.mark.parametrize(
    'report', [ControlReady(), Heartbeat(), MoveStarted(3), RequestDone(3, False, 'stopped'), ControlFailed('no robot')]
)
def test_reports_arrive_as_they_were_sent(report):
    assert decode_report(encode_report(report)) == report


@pytest.mark.parametrize(
    'line', [b'', b'{', b'[]', b'{"kind": "Explode"}', b'{"kind": "MoveStarted"}', b'{"kind": "Heartbeat", "more": 1}']
)
def test_other_lines_are_refused(line):
    with pytest.raises(ControlError):
        decode_report(line)


def test_a_request_needs_a_number():
    with pytest.raises(ControlError, match='number'):
        decode_request(b'{"kind": "StopArm", "deceleration": 1.0}')
