"""What is committed of the page: it uses what its role allows and no more, and needs nothing from elsewhere."""

from __future__ import annotations

import json
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


def test_the_versions_are_pinned_and_the_lock_names_no_registry() -> None:
    package = json.loads((HMI / 'package.json').read_text())
    versions = [*package['dependencies'].values(), *package['devDependencies'].values()]
    assert [version for version in versions if not re.fullmatch(r'\d+\.\d+\.\d+', version)] == []
    lock = json.loads((HMI / 'package-lock.json').read_text())
    assert [name for name, entry in lock['packages'].items() if 'resolved' in entry] == []
    assert [name for name, entry in lock['packages'].items() if name and 'integrity' not in entry] == []


def test_the_page_loads_nothing_from_elsewhere() -> None:
    sources = [HMI / 'index.html', *(path for path in (HMI / 'src').rglob('*') if path.suffix in ('.ts', '.svelte', '.css'))]
    foreign = re.compile(r'(src|href|import|url|fetch)\W{1,3}(https?:)?//')
    assert [path.name for path in sources if foreign.search(path.read_text())] == []


def test_nothing_in_the_page_is_drawn_or_called_an_emergency_stop() -> None:
    header = (HMI / 'src' / 'components' / 'Header.svelte').read_text()
    assert 'Not an emergency stop' in header
    button = header[
        header.index('data-testid="stop-cell"') : header.index('</button>', header.index('data-testid="stop-cell"'))
    ]
    assert 'circle' not in button
    assert 'mergency' not in button
