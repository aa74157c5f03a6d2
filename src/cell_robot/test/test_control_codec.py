"""What node and control process say to each other, what the dashboard answers, and what a data package says."""

from __future__ import annotations

import pytest
from cell_robot.control_process.codec import (
    Beat,
    Begun,
    ControlError,
    Done,
    Failed,
    MoveJoints,
    MoveLine,
    Ready,
    SetOutput,
    Setup,
    Stop,
    decode_report,
    decode_request,
    encode_report,
    encode_request,
)
from cell_robot.protocols.dashboard.codec import DashboardError, check, command, truth
from cell_robot.protocols.rtde.view import Continuity, view

from cell_interfaces.msg import RobotState

SIX = (0.0, -1.5, 0.25, 1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    'request_',
    [Setup(SIX, 1.2, (0.0, 0.0, 0.06)), MoveJoints(SIX, 1.0, 2.0), MoveLine(SIX, 0.1, 0.5), SetOutput(3, True), Stop(4.0)],
)
def test_requests_arrive_as_they_were_sent(request_):
    assert decode_request(encode_request(7, request_)) == (7, request_)


@pytest.mark.parametrize('report', [Ready(), Beat(), Begun(3), Done(3, False, 'stopped'), Failed('no robot')])
def test_reports_arrive_as_they_were_sent(report):
    assert decode_report(encode_report(report)) == report


@pytest.mark.parametrize(
    'line', [b'', b'{', b'[]', b'{"kind": "Explode"}', b'{"kind": "Begun"}', b'{"kind": "Beat", "more": 1}']
)
def test_other_lines_are_refused(line):
    with pytest.raises(ControlError):
        decode_report(line)


def test_a_request_needs_a_number():
    with pytest.raises(ControlError, match='number'):
        decode_request(b'{"kind": "Stop", "deceleration": 1.0}')


def test_a_refusal_of_the_dashboard_is_told():
    assert command('stop') == b'stop\n'
    check('stop', 'Stopped')
    with pytest.raises(DashboardError, match='refused "stop"'):
        check('stop', 'Failed to execute: stop')


def test_true_and_false_are_told_from_anything_else():
    assert truth('true') and not truth('false')
    with pytest.raises(DashboardError, match='maybe'):
        truth('maybe')


def package(**changes):
    return {
        'timestamp': 100.0,
        'actual_q': SIX,
        'actual_qd': SIX,
        'actual_TCP_pose': SIX,
        'robot_mode': 7,
        'safety_mode': 1,
        'runtime_state': 2,
        'speed_scaling': 0.5,
        'actual_digital_input_bits': 1,
        'actual_digital_output_bits': 4,
        **changes,
    }


def test_a_package_is_read_in_the_words_of_the_state():
    seen = view(package())
    assert (seen.joints, seen.mode, seen.scaling, seen.outputs) == (SIX, RobotState.MODE_RUNNING, 0.5, 4)
    assert [view(package(runtime_state=number)).program for number in (1, 2, 4, 9)] == [
        RobotState.PROGRAM_STOPPED,
        RobotState.PROGRAM_PLAYING,
        RobotState.PROGRAM_PAUSED,
        RobotState.PROGRAM_UNKNOWN,
    ]


def test_missed_packages_are_counted_by_the_controllers_clock():
    count = Continuity(125.0)
    for number in (0, 1, 2, 5, 6):
        count.take(60.0 + number * 0.008 + 1e-4)
    assert (count.received, count.missed) == (5, 2)
    count.restart()
    count.take(90.0)
    assert count.missed == 2, 'what lies between two connections was not missed'
