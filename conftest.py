"""Marks tests that bring up ROS nodes, a backend with its controller, or a browser as slow, wherever they stand."""

from __future__ import annotations

import pytest

SLOW_FOLDERS = {'links', 'nodes', 'browser'}
SLOW_FILES = ('test_node', 'test_nodes')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of those folders and files, so that `make fast` holds the quick ones only."""
    for item in items:
        if SLOW_FOLDERS & set(item.path.parts) or item.path.stem.startswith(SLOW_FILES):
            item.add_marker(pytest.mark.slow)
