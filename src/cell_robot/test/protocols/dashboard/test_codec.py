"""Replies of the dashboard."""

from __future__ import annotations

import pytest
from cell_robot.protocols.dashboard.codec import DashboardError, answers, clean_line, encode, parse_bool, require_ok


def test_a_refusal_of_the_dashboard_is_an_error():
    assert encode('stop') == b'stop\n'
    require_ok('stop', 'Stopped')
    with pytest.raises(DashboardError, match='refused "stop"'):
        require_ok('stop', 'Failed to execute: stop')


def test_only_true_and_false_are_accepted():
    assert parse_bool('true') and not parse_bool('false')
    with pytest.raises(DashboardError, match='maybe'):
        parse_bool('maybe')


@pytest.mark.parametrize('reply', ['TRUE', 'Program running: true', 'True '])
def test_labels_case_and_blanks_do_not_matter(reply):
    assert parse_bool(reply)


def test_extra_lines_answer_nothing():
    assert clean_line(b'  Powering   on \t\r\n') == 'Powering on'
    assert not answers('power on', '') and not answers('power on', 'Connected: Universal Robots Dashboard Server')
    assert answers('power on', 'powering on') and answers('power on', 'Failed to execute: power on')
    assert not answers('is in remote control', 'Powering on')


@pytest.mark.parametrize(
    ('command', 'answer'),
    [
        ('get robot model', 'UR5'),
        ('get robot model', 'UR8 LONG'),
        ('get serial number', '20205500001'),
        ('PolyscopeVersion', 'URSoftware 5.11.1'),
    ],
)
def test_a_line_between_question_and_answer_is_skipped(command, answer):
    assert answers(command, answer)
    assert not answers(command, 'Popup closed by the operator')
