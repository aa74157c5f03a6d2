"""Modules that claim to be pure are pure, with everything they import."""

import ast
import functools
import re
from pathlib import Path

import pytest
from house_rules.workspace import PACKAGES, ROOT, Module, called_name, imported_modules, imported_names, modules, with_parents

CLAIM = 'Pure: no ROS, sockets, files or clock.'
LOOSE_CLAIM = re.compile(
    r'\b(?:no|without|free of|neither|nor|know\w* nothing of) (?:ROS|rclpy|sockets?|clock)\b', re.IGNORECASE
)
FORBIDDEN = {
    *(
        'rclpy',
        'rosidl_runtime_py',
        'cv_bridge',
        'launch',
        'launch_ros',
        'socket',
        'socketserver',
        'ssl',
        'select',
        'selectors',
    ),
    *('requests', 'urllib', 'http', 'aiohttp', 'asyncio', 'subprocess', 'threading', 'multiprocessing', 'concurrent', 'signal'),
    *('sqlite3', 'sqlalchemy', 'alembic', 'rtde_control', 'rtde_receive', 'rtde_io', 'serial'),
}
GENERATED = re.compile(r'^(?:\w+_interfaces|\w+_msgs|std_srvs)$')
CLOCK_MODULES = {'time', 'datetime'}
CLOCKS = {
    *('time.time', 'time.time_ns', 'time.monotonic', 'time.monotonic_ns', 'time.perf_counter', 'time.perf_counter_ns'),
    *('time.sleep', 'time.process_time', 'time.clock_gettime', 'time.clock_gettime_ns'),
    *('datetime.now', 'datetime.utcnow', 'datetime.today', 'date.today'),
}
CLOCK_ATTRIBUTES = {name.split('.')[1] for name in CLOCKS}
FILES = {'open', 'read_text', 'read_bytes', 'write_text', 'write_bytes', 'joinpath'}
# By their name these know a protocol or a rule, so they must claim purity.
MUST_CLAIM = re.compile(r'/(?:framing|codec|codecs/\w+|grammar|rules|machine|model|kinematics|domain/\w+|trigger|session)\.py$')


def claims(module: Module) -> bool:
    return CLAIM in module.docstring


def violations(tree: ast.AST) -> list[str]:
    """Return what in one module is not pure: imports, calls of a clock, and names imported from a clock's module."""
    found = []
    for name, line in imported_modules(tree):
        top = name.split('.')[0]
        if top in FORBIDDEN or GENERATED.match(top):
            found.append(f'line {line}: imports {name}')
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in CLOCK_MODULES:
            found += [
                f'line {node.lineno}: imports {node.module}.{alias.name}'
                for alias in node.names
                if f'{node.module}.{alias.name}' in CLOCKS
            ]
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in CLOCK_ATTRIBUTES  # first: unparsing every attribute takes most of the time
            and '.'.join(ast.unparse(node).split('.')[-2:]) in CLOCKS
        ):
            found.append(f'line {node.lineno}: uses {ast.unparse(node)}')
    return found


@functools.cache
def module_violations(name: str) -> list[str]:
    """Return `violations` of a module of the workspace; many modules import the same ones."""
    return violations(modules()[name].tree)


def file_access(tree: ast.AST) -> list[str]:
    return [
        f'line {node.lineno}: calls {ast.unparse(node.func)}'
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == 'open')
            or (isinstance(node.func, ast.Attribute) and node.func.attr in FILES - {'open', 'joinpath'})
        )
    ]


def closure(module: Module) -> dict[str, list[str]]:
    """Return every workspace module that importing this one runs, with the chain of imports that leads to it."""
    known = modules()
    chains = {module.name: [module.name]}
    waiting = [module.name]
    while waiting:
        name = waiting.pop()
        needed = {name, *(imported for imported, _ in imported_modules(known[name].tree))}
        for parent in (p for n in needed for p in with_parents(n) if p in known):
            if parent not in chains:
                chains[parent] = [*chains[name], parent]
                waiting.append(parent)
    return chains


PURE = [module for module in modules().values() if claims(module)]


@pytest.mark.parametrize('module', PURE, ids=lambda m: m.label)
def test_a_module_that_claims_to_be_pure_is_pure_with_all_its_imports(module: Module):
    found = [f'{" -> ".join(chain)}: {fault}' for name, chain in closure(module).items() for fault in module_violations(name)]
    found += file_access(module.tree)
    assert not found


def test_every_package_with_rules_has_pure_modules():
    assert {module.package for module in PURE} == set(PACKAGES) - {'cell_bringup'}


@pytest.mark.parametrize('module', [m for m in modules().values() if MUST_CLAIM.search(m.label)], ids=lambda m: m.label)
def test_a_module_of_a_protocol_or_a_rule_claims_to_be_pure(module: Module):
    assert claims(module), f'add the line "{CLAIM}" to its docstring, or move what is not pure out'


@pytest.mark.parametrize('module', [m for m in modules().values() if LOOSE_CLAIM.search(m.docstring)], ids=lambda m: m.label)
def test_a_claim_in_other_words_is_made_in_the_words_that_are_checked(module: Module):
    assert claims(module), f'say "{CLAIM}"'


@pytest.mark.parametrize(
    'source',
    [
        'import rclpy.node',
        'def f():\n    import socket',
        'from time import monotonic',
        'import time\ntime.monotonic()',
        'import time as clock\nfrom datetime import datetime\ndatetime.now()',
        'import datetime\nstamp = datetime.datetime.now',
        'from cell_interfaces.msg import JobState',
        'from sensor_msgs.msg import Image',
        'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rclpy.node import Node',
    ],
)
def test_what_is_not_pure_is_found(source: str):
    assert violations(ast.parse(source))


@pytest.mark.parametrize(
    'source', ['import math', 'from datetime import timedelta', 'import time', 'from collections.abc import Iterator']
)
def test_what_is_pure_is_not_reported(source: str):
    assert not violations(ast.parse(source))


def test_an_import_of_an_import_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rules = Module('cell_x.rules', tmp_path / 'rules.py')
    helper = Module('cell_x.helper', tmp_path / 'helper.py')
    rules.path.write_text('from cell_x.helper import call\n')
    helper.path.write_text('import socket\n')
    for name, module in ((rules.name, rules), (helper.name, helper)):
        monkeypatch.setitem(modules(), name, module)
    assert closure(rules)['cell_x.helper'] == ['cell_x.rules', 'cell_x.helper']
    assert violations(helper.tree) == ['line 1: imports socket']


def test_a_read_of_a_file_is_found():
    assert file_access(ast.parse('open("x")')) and file_access(ast.parse('path.read_text()'))


def test_nothing_under_src_knows_which_installation_it_runs_on():
    word = re.compile(r'underlay|\.venv')
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ('src', 'launch', 'config')
        for path in (ROOT / folder).rglob('*')
        if path.suffix in {'.py', '.yaml', '.xml', '.cfg'}
        and 'node_modules' not in path.parts
        and word.search(path.read_text(encoding='utf-8'))
    ]
    assert not offenders


DOOR = 'cell_common.services'
SERVERS = {'create_service', 'ActionServer'}


def servers_past_the_door(tree: ast.AST) -> list[str]:
    """Return where a module creates a service or an action server of rclpy itself."""
    return [
        f'line {node.lineno}: {ast.unparse(node.func)}'
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in SERVERS)
            or (isinstance(node.func, ast.Name) and node.func.id == 'ActionServer')
        )
    ]


@pytest.mark.parametrize('module', [m for m in modules().values() if m.name != DOOR], ids=lambda m: m.label)
def test_every_service_and_action_goes_through_the_one_door(module: Module):
    assert not servers_past_the_door(module.tree), f'use {DOOR}: there no request ends the node'


def test_a_service_past_the_door_is_found():
    source = 'self.create_service(A, "a", f)\nActionServer(self, A, "a", f)\ncreate_service(self, A, "a", f)'
    assert len(servers_past_the_door(ast.parse(source))) == 2


TIME_NAME = re.compile(r'(?:_ns|stamp|_at|created)$')
# module: why an order by time is right there
BY_TIME = {
    'cell_history.replay.recording': 'requests of all services are asked again in the order of their moments',
    'cell_coordinator.job.benchmarking': 'the page shows the newest benchmark of any part; no decision depends on it',
    'cell_common.command_store': 'audits of earlier releases have no number',
    'cell_weighing.station.job_store': 'the order asks whether a job has ended, not when',
    'cell_weighing.delivery.outbox': 'dead letters are listed for people, newest first',
    'cell_coordinator.alarms.book': 'alarms of earlier releases have no number',
    'cell_coordinator.alarms.folding': 'alarms of earlier releases have no number',
}


def orders_by_time(tree: ast.AST) -> list[str]:
    """Return where rows are ordered, or the first or last of items is chosen, by a time of day."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = called_name(node)
        keys: list[ast.AST] = []
        if called == 'order_by':
            keys = list(node.args)
        elif called in {'max', 'min', 'sorted', 'sort'}:
            keys = [keyword.value for keyword in node.keywords if keyword.arg == 'key']
        names = [n.attr for key in keys for n in ast.walk(key) if isinstance(n, ast.Attribute)]
        found += [f'line {node.lineno}: {called} by {name}' for name in names if TIME_NAME.search(name)]
    return found


@pytest.mark.parametrize('module', list(modules().values()), ids=lambda m: m.label)
def test_nothing_is_ordered_by_the_time_of_day(module: Module):
    found = [] if '.migrations.' in module.name else orders_by_time(module.tree)
    assert bool(found) == (module.name in BY_TIME), f'{found}: order by a sequence, or give a reason in BY_TIME'


def test_an_order_by_time_is_found():
    source = 'select(Row).order_by(Row.created_ns.desc(), Row.id)\nmax(jobs, key=lambda job: job.stamp)\nsorted(x, key=len)'
    assert len(orders_by_time(ast.parse(source))) == 2


def lossy_timeouts(tree: ast.AST) -> list[str]:
    """Return where a module uses `asyncio.wait_for`, which loses cancellations on Python 3.10 and 3.11."""
    return [
        f'line {line}: imports it' for module, name, line in imported_names(tree) if (module, name) == ('asyncio', 'wait_for')
    ] + [
        f'line {node.lineno}'
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == 'wait_for' and ast.unparse(node.value) == 'asyncio'
    ]


@pytest.mark.parametrize('module', list(modules().values()), ids=lambda m: m.label)
def test_a_timeout_loses_no_cancellation(module: Module):
    assert not lossy_timeouts(module.tree), 'use cell_common.timeouts.with_timeout'


@pytest.mark.parametrize('source', ['await asyncio.wait_for(x, 1)', 'from asyncio import wait_for', 'f = asyncio.wait_for'])
def test_a_lossy_timeout_is_found(source: str):
    assert lossy_timeouts(ast.parse(f'async def f():\n    {source}'))


def test_a_wait_of_the_executor_is_no_lossy_timeout():
    assert not lossy_timeouts(ast.parse('async def f():\n    await wait_for(node, future, 1)\n    self.arm.wait_for(x, 1)'))
