"""Marks tests that bring up ROS nodes, a backend with its controller, or a browser as slow, wherever they stand.

Other files whose tests wait for real time, for a process or for a network say so themselves: `pytestmark = pytest.mark.slow`.
"""

from __future__ import annotations

import pytest

SLOW_FOLDERS = {'links', 'nodes', 'browser'}
SLOW_FILES = ('test_node', 'test_nodes')
SLOW_FIXTURES = {'graph'}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of those folders and files, so that `make fast` holds the quick ones only."""
    for item in items:
        fixtures = set(getattr(item, 'fixturenames', ()))
        if SLOW_FOLDERS & set(item.path.parts) or item.path.stem.startswith(SLOW_FILES) or SLOW_FIXTURES & fixtures:
            item.add_marker(pytest.mark.slow)
