"""The operator role permits exactly the names that the page uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cell_web.roles import MAINTAINER, NODES_ONLY, OPERATOR, ROLES, SUPERVISOR, TEACHING, VIEWER

HMI = Path(__file__).resolve().parents[1] / 'hmi'
INTERFACES = (Path(__file__).resolve().parents[3] / 'docs' / 'interfaces.md').read_text(encoding='utf-8')
WORDS = {'empty'}
"""What else stands in back quotes on the lines of services and actions."""
DRIVER = 'ur_driver'
"""Its services are those of the official driver, in another namespace."""
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


def offered() -> set[str]:
    """Return the services and actions of all nodes, as the docs list them."""
    nodes = re.split(r'^- `', INTERFACES, flags=re.MULTILINE)[1:]
    lines = [
        line for node in nodes if not node.startswith(DRIVER) for line in node.splitlines() if 'services and actions:' in line
    ]
    return {name for line in lines for name in re.findall(r'`([a-z_]+(?:/[a-z_]+)*)`', line)} - WORDS


def test_every_service_and_action_says_who_may_use_it() -> None:
    listed = OPERATOR.services | OPERATOR.actions | TEACHING | set(NODES_ONLY)
    assert offered() == listed


def test_nothing_is_both_allowed_and_for_nodes_only() -> None:
    assert not (OPERATOR.services | OPERATOR.actions | TEACHING) & set(NODES_ONLY)


def test_only_a_maintainer_teaches_the_arm() -> None:
    assert MAINTAINER.services >= TEACHING
    assert not TEACHING & (SUPERVISOR.services | OPERATOR.services | VIEWER.services)
    assert not any(role.services & set(NODES_ONLY) for role in ROLES.values())
