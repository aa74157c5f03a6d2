"""The tables of docs/migrate.md name every event, field, file and import of the code, and nothing else."""

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator

import pytest
from cell_web.socketio_gateway import events
from cell_weighing.delivery import settings
from house_rules.workspace import ROOT, SRC, public_names

PAGE = (ROOT / 'docs' / 'migrate.md').read_text(encoding='utf-8')
GATEWAY = SRC / 'cell_web' / 'cell_web' / 'socketio_gateway'
LEGACY = SRC / 'cell_legacy' / 'cell_legacy'
STATES = re.compile('^(?:same|differs|new)')


def table(heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, without its head."""
    section = PAGE.split(f'\n## {heading}\n', 1)[1].split('\n## ', 1)[0]
    rows = [line[1:-1].split('|') for line in section.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(cell: str) -> list[str]:
    return re.findall('`([^`]+)`', cell)


def literals(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def emitted(module: str) -> set[str]:
    """Return the events that a server sends: those that it and its base name, and the status of the server below it."""
    trees = [ast.parse((GATEWAY / f'{name}.py').read_text(encoding='utf-8')) for name in (module, 'port_server')]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, 'attr', '') == 'emit']
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)} | {'status'}


def listed(port: str, direction: str) -> list[str]:
    return [names(row[2])[0] for row in table('Events') if row[:2] == [port, direction]]


@pytest.mark.parametrize(
    ('port', 'direction', 'known'),
    [
        ('5001', 'in', set(events.PAGE_EVENTS)),
        ('5001', 'out', set(events.BACKEND_EVENTS)),
        ('5001', 'out', emitted('page_server')),
        ('5002', 'in', set(events.HUB_EVENTS)),
        ('5002', 'out', emitted('hub_server')),
    ],
)
def test_the_events_of_each_port_are_in_the_table(port, direction, known):
    assert sorted(listed(port, direction)) == sorted(known)


def test_each_field_of_an_event_is_in_the_code():
    modules = ('events', 'page_server', 'hub_server', 'port_server', 'server')
    sources = ''.join((GATEWAY / f'{name}.py').read_text(encoding='utf-8') for name in modules)
    known = set(literals(ast.parse(sources.replace('from __future__ import annotations', '')))) | {
        f'tray{n}' for n in range(1, 5)
    }
    assert not [field for row in table('Events') for field in names(row[3]) if field not in known]


def test_each_row_says_whether_the_old_behavior_stays_and_what_differs():
    rows = [(row[4], row[5]) for row in table('Events')] + [(row[2], row[3]) for row in table('Files')]
    assert not [row for row in rows if not STATES.match(row[0]) or (row[0] == 'differs' and not row[1])]
    assert not [row for row in table('Python modules') if not STATES.match(row[3])]


def modules() -> dict[str, list[str]]:
    """Return the old module names with the names in their `__all__`."""
    files = [path.relative_to(LEGACY).with_suffix('') for path in LEGACY.rglob('*.py') if path.name != '__init__.py']
    return {'.'.join(path.parts): public_names('.'.join(('cell_legacy', *path.parts))) or [] for path in files}


def test_the_imports_are_in_the_table():
    listed_names = [(names(row[0])[0], names(row[1])[0]) for row in table('Python modules')]
    assert sorted(listed_names) == sorted((module, name) for module, found in modules().items() for name in found)


@pytest.mark.parametrize('row', [row for row in table('Python modules') if row[2]], ids=lambda row: names(row[1])[0])
def test_the_members_in_the_table_exist(row):
    module, name = names(row[0])[0], names(row[1])[0]
    kind = getattr(importlib.import_module(f'cell_legacy.{module}'), name)
    tree = ast.parse((LEGACY / f'{module.replace(".", "/")}.py').read_text(encoding='utf-8'))
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    assert not [member for member in names(row[2]) if not hasattr(kind, member) and member not in attributes]


def test_the_fields_of_the_settings_file_are_in_the_table():
    row = next(row for row in table('Files') if names(row[0]) == ['settings.json'])
    assert set(names(row[1])) == {field.name for field in dataclasses.fields(settings.WebAppSettings)}


def test_the_parameters_and_commands_that_the_page_names_exist():
    parameters = (ROOT / 'docs' / 'parameters.md').read_text(encoding='utf-8')
    launch = (ROOT / 'launch' / 'cell.launch.py').read_text(encoding='utf-8')
    wanted = {'origins', 'listen_address', 'hub_enabled', 'role', 'allowed_peers', 'framing', 'event_letters', 'settings_file'}
    wanted |= {'key_file', 'aliases', 'log_folder', 'first_stock_file', 'frame_rate'}
    assert not [
        name
        for name in wanted
        if f'`{name}`' not in PAGE.replace(f'`{name}:', f'`{name}`') or f'| `{name}` |' not in parameters
    ]
    assert not [name for name in re.findall(r'(\w+):=', PAGE) if f"'{name}'" not in launch and name != '__ns']


def test_the_cells_unit_is_started_again_always_like_that_of_the_scale_server():
    unit = (ROOT / 'deploy' / 'cell.service').read_text(encoding='utf-8').splitlines()
    assert 'Restart=always' in unit and int(next(line[11:] for line in unit if line.startswith('RestartSec='))) <= 10


def test_a_table_that_lacks_an_event_is_found(monkeypatch):
    monkeypatch.setattr(f'{__name__}.PAGE', PAGE.replace('| 5002 | out | `ack` |', '| 5002 | out | `done` |'))
    assert set(listed('5002', 'out')) != emitted('hub_server')
