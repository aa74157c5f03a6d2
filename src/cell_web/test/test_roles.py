"""The operator role permits exactly the names that the page uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cell_web.roles import OPERATOR, VIEWER

HMI = Path(__file__).resolve().parents[1] / 'hmi'
CODE = '\n'.join(path.read_text(encoding='utf-8') for path in sorted((HMI / 'src' / 'core').glob('*.ts')))


@pytest.mark.parametrize(
    ('kind', 'allowed'), [('msg', OPERATOR.topics), ('srv', OPERATOR.services), ('action', OPERATOR.actions)]
)
def test_the_role_allows_exactly_what_the_page_uses(kind: str, allowed: frozenset[str]) -> None:
    used = set(re.findall(rf"'([a-z_/]+)'\)?, '(?:cell_interfaces|std_srvs|std_msgs)/{kind}/", CODE))
    assert used == allowed


@pytest.mark.parametrize(
    'service',
    ['set_benchmark', 'capture_component', 'start_robot', 'camera/start', 'camera/stop']
    + [f'inventory/{name}' for name in ('adjust', 'reset', 'undo', 'reload')],
)
def test_a_viewer_sees_the_events_and_may_command_nothing(service: str) -> None:
    assert service in OPERATOR.services and service not in VIEWER.services
    assert {'benchmark_set', 'job_invalid', 'reload_required'} <= VIEWER.topics


def test_bookings_of_the_robot_and_benchmarks_without_the_robot_are_for_nodes_only() -> None:
    assert not {'inventory/book', 'matching/store_benchmark', 'robot/start_program'} & OPERATOR.services
