"""Rules that hold for every file of the workspace."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from house_rules.workspace import ROOT, parsed

MOST_LINES = 400
SOURCES = {'.py', '.ts', '.svelte', '.css', '.sh'}
# Import names that differ from the package they come from; None: no dependency to declare.
PROVIDED_BY = {
    'cv2': 'python3-opencv',
    'numpy': 'python3-numpy',
    'pydantic': 'python3-pydantic',
    'pydantic_core': 'python3-pydantic',
    'yaml': 'python3-yaml',
    'sqlalchemy': 'python3-sqlalchemy',
    'PIL': 'python3-pil',
    'requests': 'python3-requests',
    'urllib3': 'python3-urllib3',
    'aiohttp': 'python3-aiohttp',
    'prometheus_client': 'python3-prometheus-client',
    'rich': 'python3-rich',
    'psutil': 'python3-psutil',
    'alembic': 'python3-alembic',
    'argon2': None,
    'rapidocr': None,
    'rosbags': None,
    'paddleocr': None,  # in an environment of its own, see docs/decisions/0003-ppocr-is-the-default-ocr-engine.md
    'rapidfuzz': 'python3-rapidfuzz-pip',
    'uuid_utils': None,
    'zxingcpp': None,
    'socketio': None,
    'engineio': None,  # a part of python-socketio
    'watchdog': 'python3-watchdog',
    'openvino': None,
    'onnxruntime': None,
    'font_roboto': None,
    'rtde_control': None,
    'rtde_io': None,
    'pytest': None,
    'psycopg': None,
    'domain_coordinator': None,
    'rcl_interfaces': 'rcl_interfaces',
    'ament_index_python': 'ament_index_python',
}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_source_file_is_longer_than_400_lines():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix in SOURCES and (lines := path.read_text(encoding='utf-8').count('\n')) > MOST_LINES
    }
    assert not long


def test_no_file_names_this_machine_or_a_registry():
    forbidden = re.compile(
        r'(/work'
        + r'/|/roo'
        + r't/|/farm'
        + r'/|registry\.npm'
        + r'js|pypi\.o'
        + r'rg|files\.python'
        + r'hosted|deb\.debi'
        + r'an)'
    )
    text = {'.lock', '.json', '.toml', '.txt', '.md', '.yaml', '.yml', '.xml', '.cfg', ''} | SOURCES
    found = [
        f'{path.relative_to(ROOT)}: {match.group()}'
        for path in tracked()
        if path.suffix in text and (match := forbidden.search(path.read_text(encoding='utf-8', errors='replace')))
    ]
    assert not found


@pytest.mark.parametrize('path', sorted(ROOT.glob('*/*/package.xml')), ids=lambda p: p.parent.name)
def test_package_xml_is_well_formed_and_complete(path: Path):
    package = ElementTree.parse(path).getroot()
    assert package.get('format') == '3'
    for tag in ('name', 'version', 'description', 'maintainer', 'license', 'export/build_type'):
        assert package.findtext(tag), f'{tag} is missing'
    assert package.findtext('name') == path.parent.name
    assert package.findtext('license') == 'Apache-2.0'


@pytest.mark.parametrize('path', sorted(ROOT.glob('src/*/setup.py')), ids=lambda p: p.parent.name)
def test_package_xml_names_what_the_package_imports(path: Path):
    name = path.parent.name
    package = ElementTree.parse(path.parent / 'package.xml').getroot()
    declared = {element.text for tag in ('depend', 'exec_depend', 'build_depend') for element in package.iter(tag)}
    missing = set()
    for module in (path.parent / name).rglob('*.py'):
        for node in ast.walk(parsed(module)):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom) and node.module and not node.level
                else []
            )
            for imported in {n.split('.')[0] for n in names} - set(sys.stdlib_module_names) - {name}:
                wanted = PROVIDED_BY.get(imported, imported)
                if wanted is not None and wanted not in declared:
                    missing.add(f'{wanted} ({module.name})')
    assert not missing


# Keys of rosdistro's rosdep database that the packages use; a key that is not there stops `rosdep install`.
ROSDEP_KEYS = {
    'python3-aiohttp',
    'python3-alembic',
    'python3-numpy',
    'python3-opencv',
    'python3-pil',
    'python3-prometheus-client',
    'python3-psutil',
    'python3-pydantic',
    'python3-pytest',
    'python3-rapidfuzz-pip',
    'python3-requests',
    'python3-rich',
    'python3-sqlalchemy',
    'python3-urllib3',
    'python3-watchdog',
    'python3-yaml',
}


@pytest.mark.parametrize('path', sorted(ROOT.glob('src/*/package.xml')), ids=lambda p: p.parent.name)
def test_system_dependencies_are_keys_that_rosdep_knows(path: Path):
    package = ElementTree.parse(path).getroot()
    keys = {
        element.text for element in package if element.tag.endswith('depend') and (element.text or '').startswith('python3-')
    }
    assert keys <= ROSDEP_KEYS


@pytest.mark.parametrize('path', sorted((ROOT / 'src' / 'cell_interfaces').glob('*/*.*')), ids=lambda p: p.name)
def test_every_interface_field_is_commented(path: Path):
    fields = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
    fields = [line for line in fields if line and line != '---' and not line.startswith('#')]
    assert not [line for line in fields if '#' not in line and '=' not in line]
