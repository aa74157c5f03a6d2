"""The operator role permits exactly the names that the page uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cell_web.roles import OPERATOR

HMI = Path(__file__).resolve().parents[1] / 'hmi'
CODE = '\n'.join(path.read_text(encoding='utf-8') for path in sorted((HMI / 'src' / 'core').glob('*.ts')))


@pytest.mark.parametrize(
    ('kind', 'allowed'), [('msg', OPERATOR.topics), ('srv', OPERATOR.services), ('action', OPERATOR.actions)]
)
def test_the_role_allows_exactly_what_the_page_uses(kind: str, allowed: frozenset[str]) -> None:
    used = set(re.findall(rf"'([a-z_/]+)'\)?, 'cell_interfaces/{kind}/", CODE))
    assert used == allowed
