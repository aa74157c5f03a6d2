"""Committed sources of the page: pinned dependencies, no foreign resources, no imitation of an emergency stop."""

from __future__ import annotations

import json
import re
from pathlib import Path

HMI = Path(__file__).resolve().parents[2] / 'hmi'


def test_the_versions_are_pinned_and_the_lock_names_no_registry() -> None:
    package = json.loads((HMI / 'package.json').read_text())
    versions = [*package['dependencies'].values(), *package['devDependencies'].values()]
    assert [version for version in versions if not re.fullmatch(r'\d+\.\d+\.\d+', version)] == []
    lock = json.loads((HMI / 'package-lock.json').read_text())
    assert [name for name, entry in lock['packages'].items() if 'resolved' in entry] == []
    assert [name for name, entry in lock['packages'].items() if name and 'integrity' not in entry] == []


def test_the_page_loads_no_foreign_resources() -> None:
    sources = [HMI / 'index.html', *(path for path in (HMI / 'src').rglob('*') if path.suffix in ('.ts', '.svelte', '.css'))]
    foreign = re.compile(r'(src|href|import|url|fetch)\W{1,3}(https?:)?//')
    assert [path.name for path in sources if foreign.search(path.read_text())] == []


def test_no_translator_or_dark_mode_of_the_browser_changes_the_page() -> None:
    page = (HMI / 'index.html').read_text()
    assert 'translate="no"' in page
    assert 'content="only light"' in page


def test_the_stop_button_does_not_imitate_an_emergency_stop() -> None:
    header = (HMI / 'src' / 'components' / 'Header.svelte').read_text()
    assert 'Not an emergency stop' in header
    button = header[
        header.index('data-testid="stop-cell"') : header.index('</button>', header.index('data-testid="stop-cell"'))
    ]
    assert 'circle' not in button
    assert 'mergency' not in button
