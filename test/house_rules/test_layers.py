"""Pure modules stay pure: what knows a rule or a protocol knows neither ROS nor sockets nor the clock."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {'rclpy', 'socket', 'requests', 'asyncio', 'aiohttp', 'http', 'subprocess', 'threading', 'multiprocessing'}
CLOCKS = {
    ('time', 'time'),
    ('time', 'monotonic'),
    ('time', 'sleep'),
    ('time', 'time_ns'),
    ('time', 'monotonic_ns'),
    ('datetime', 'now'),
    ('datetime', 'utcnow'),
}
PURE = {
    'cell_common': ['catalogue.py', 'commands.py'],
    'cell_vision': ['matching*.py', 'geometry.py', 'reading.py', 'verdict*.py', 'multipart.py'],
    'cell_robot': [
        '**/framing.py',
        '**/codec.py',
        '**/trigger*.py',
        'motion/*.py',
        'recovery.py',
        'rtde/view.py',
        'description.py',
        'backends/ros_driver_picture.py',
    ],
    'cell_inventory': ['rules.py', 'ledger.py', 'legacy.py'],
    'cell_coordinator': ['job_machine*.py', 'alarm_*.py'],
    'cell_weighing': [
        'framing.py',
        'codecs/*.py',
        'units.py',
        'validation.py',
        'jobs.py',
        'stability.py',
        'spc.py',
        'report.py',
        'report_figures.py',
    ],
    'cell_web': ['allow*.py'],
    'cell_sim': [
        'world.py',
        'arm_hand.py',
        'ur_controller/[a-r]*.py',
        'ur_driver/[a-s]*.py',
        'ur_driver/trajectory.py',
        'pieces.py',
        'stock_keeper.py',
        'ur_program.py',
        'indicator.py',
        'platform_load.py',
        'filler.py',
        'line_faults.py',
        'faults.py',
        'label.py',
        'camera_scene.py',
        'photo_scene.py',
    ],
}


def pure_modules() -> Iterator[Path]:
    for package, patterns in PURE.items():
        for pattern in patterns:
            yield from (ROOT / 'src' / package / package).glob(pattern)


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split('.')[0])
    return names


def clock_calls(tree: ast.AST) -> list[str]:
    return [
        f'{node.func.value.id}.{node.func.attr}'
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCKS
    ]


@pytest.mark.parametrize('path', sorted(set(pure_modules())), ids=lambda p: str(p.relative_to(ROOT / 'src')))
def test_a_pure_module_knows_no_ros_no_socket_and_no_clock(path: Path):
    tree = ast.parse(path.read_text())
    assert not imports(tree) & FORBIDDEN
    assert not clock_calls(tree)


def test_every_package_with_rules_has_pure_modules():
    found = {path.relative_to(ROOT / 'src').parts[0] for path in pure_modules()}
    assert found == set(PURE)


def test_the_check_sees_a_forbidden_import_and_a_clock():
    tree = ast.parse('import rclpy.node\nfrom time import x\nimport time\ntime.monotonic()')
    assert imports(tree) & FORBIDDEN
    assert clock_calls(tree) == ['time.monotonic']


def test_nothing_under_src_knows_on_which_ground_it_stands():
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
