"""Bags of test/data, and damaged copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cell_common.testing import domain, graph, node_switch_interval

__all__ = ['domain', 'graph', 'node_switch_interval']

RECORDINGS = Path(__file__).resolve().parents[3] / 'test' / 'data' / 'recordings'


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a bag of test/data into a temporary folder."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(RECORDINGS / name, tmp_path / name))

    return copy
