"""Tests are found by their module's name, wait with a deadline, and use public members only."""

import ast
from pathlib import Path

import pytest
from house_rules.test_public_api import foreign_private_use
from house_rules.workspace import PACKAGES, ROOT, SRC, called_name, modules, parsed

TESTS = sorted(
    p
    for folder in ('src/*/test', 'test', 'underlay/*/test')
    for p in ROOT.glob(f'{folder}/**/*.py')
    if 'house_rules' not in p.parts
)
# Folders of tests that look at several modules together, by what they look at.
TOGETHER = {'links', 'nodes', 'browser', 'faults', 'package'}
# file: why it must pause for a given time
SLEEPS: dict[str, str] = {
    'src/cell_weighing/test/delivery/test_http_client.py': 'the peer sends its answer in parts',
    'src/cell_weighing/test/delivery/killed_station.py': 'paces the bags of the station that is killed',
    'test/truth_cell.py': 'paces the moves, locks and retries of processes that are killed',
}
# file: why it must use a private member of something else
PRIVATE: dict[str, str] = {}


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def sleeps(tree: ast.AST) -> list[int]:
    """Return the lines that pause for a given time; `sleep(0)` only yields."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and called_name(node) == 'sleep'
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


@pytest.mark.parametrize('path', TESTS, ids=label)
def test_a_test_waits_with_a_deadline_instead_of_sleeping(path: Path):
    found = sleeps(parsed(path))
    assert bool(found) == (label(path) in SLEEPS), f'lines {found}: use wait_until, or give a reason in SLEEPS'


@pytest.mark.parametrize('path', TESTS, ids=label)
def test_a_test_uses_no_private_member_of_another(path: Path):
    found = foreign_private_use(parsed(path))
    assert bool(found) == (label(path) in PRIVATE), f'{found}: test the behavior, or give a reason in PRIVATE'


@pytest.mark.parametrize('package', PACKAGES)
def test_a_test_file_is_named_after_its_module(package: str):
    """`test/<sub-package>/test_<module>.py` or `test/<sub-package>/test_<module>_<aspect>.py`, or a folder of TOGETHER."""
    folder = SRC / package / 'test'
    stray = []
    for path in folder.rglob('test_*.py'):
        parts = path.relative_to(folder).parts
        if TOGETHER & set(parts):
            continue
        inside = [m.name.split('.', 1)[1] for m in modules().values() if m.package == package and '.' in m.name]
        prefix = '.'.join([*parts[:-1], ''])
        stem = path.stem.removeprefix('test_')
        named = [n.removeprefix(prefix) for n in inside if n.startswith(prefix)]
        if not any('.' not in name and (stem == name or stem.startswith(f'{name}_')) for name in named):
            stray.append(str(path.relative_to(folder)))
    assert not stray


def test_a_sleep_is_found():
    assert sleeps(ast.parse('time.sleep(0.1)')) == [1]
    assert not sleeps(ast.parse('await asyncio.sleep(0)'))
