"""Replies of the dashboard."""

from __future__ import annotations

import pytest
from cell_robot.protocols.dashboard.codec import DashboardError, encode, parse_bool, require_ok


def test_a_refusal_of_the_dashboard_is_an_error():
    assert encode('stop') == b'stop\n'
    require_ok('stop', 'Stopped')
    with pytest.raises(DashboardError, match='refused "stop"'):
        require_ok('stop', 'Failed to execute: stop')


def test_only_true_and_false_are_accepted():
    assert parse_bool('true') and not parse_bool('false')
    with pytest.raises(DashboardError, match='maybe'):
        parse_bool('maybe')
