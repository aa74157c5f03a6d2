"""The docs name every node, interface, parameter, table and file, and name none that does not exist."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'


def parameter_docs():
    spec = importlib.util.spec_from_file_location('parameter_docs', ROOT / 'tools' / 'parameter_docs.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_parameter_page_is_what_the_nodes_declare():
    assert (DOCS / 'parameters.md').read_text(encoding='utf-8') == parameter_docs().page(), 'run tools/parameter_docs.py'


def executables() -> set[str]:
    return {
        name
        for setup in ROOT.glob('src/cell_*/setup.py')
        for name in re.findall(r"'(\w+) = [\w.]+_?node:main'", setup.read_text())
    }


def test_the_parameter_page_has_every_node():
    named = {node for _, node in parameter_docs().parameter_classes()}
    assert executables() <= named


@pytest.mark.parametrize('kind', ['msg', 'srv', 'action'])
def test_every_interface_is_named_in_the_docs(kind):
    text = (DOCS / 'interfaces.md').read_text(encoding='utf-8')
    missing = [path.stem for path in (ROOT / 'src' / 'cell_interfaces' / kind).iterdir() if f'`{path.stem}`' not in text]
    assert not missing


def test_every_node_has_its_row_in_the_interface_page():
    text = (DOCS / 'interfaces.md').read_text(encoding='utf-8')
    assert not {name for name in executables() if f'`{name}`' not in text}


def test_every_launch_argument_is_explained():
    text = (DOCS / 'integrate.md').read_text(encoding='utf-8')
    declared = re.findall(r"DeclareLaunchArgument\(\s*'(\w+)'", (ROOT / 'launch' / 'cell.launch.py').read_text())
    assert declared
    assert not [name for name in declared if f'`{name}`' not in text]


PAGES = sorted([*DOCS.rglob('*.md'), *ROOT.glob('*.md'), ROOT / 'underlay' / 'README.md'])


@pytest.mark.parametrize('page', PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r'\]\((?!https?:|#|mailto:)([^)#]+)', page.read_text(encoding='utf-8'))
    assert not [target for target in targets if not (page.parent / target).exists()]


def defines(source: str, name: str) -> bool:
    """Return whether a Python or TypeScript source defines each part of a dotted name; an import or a call does not."""
    return all(
        re.search(
            rf'^\s*(?:export )?(?:async )?(?:def|class|function|const|let) {part}\b'
            rf'|^\s*(?:self\.)?{part}(?:: [^=\n]+)? = '
            rf'|^\s*(?:async )?{part}\([^)\n]*\).*\{{$',
            source,
            re.MULTILINE,
        )
        for part in name.split('.')
    )


def test_an_import_or_a_call_is_no_definition():
    assert defines('class Matcher:\n    async def match(self):\n', 'Matcher.match')
    assert defines('OPERATOR: Role = 1\n', 'OPERATOR') and defines('  stop(now: boolean): void {\n', 'stop')
    assert not defines('from x import (\n    is_verified,\n)\nif is_verified(job):\n    pass\n', 'is_verified')
    assert not defines('class Other:\n    def match(self):\n', 'Matcher.match')


def test_the_function_that_a_page_names_is_in_the_linked_file():
    for page in PAGES:
        text = page.read_text(encoding='utf-8')
        for names, target in re.findall(r'((?:`[\w.]+`(?: and )?)+)\s+(?:in|of)(?:\s+the)?\s+\[[^\]]+\]\(([^)#]+)\)', text):
            source = (page.parent / target).read_text(encoding='utf-8')
            for name in re.findall(r'`([\w.]+)`', names):
                assert defines(source, name), f'{page.name}: {target} does not define {name}'


def test_every_pinned_library_has_its_reason():
    text = (DOCS / 'decisions' / '0002-pinned-libraries.md').read_text(encoding='utf-8').lower()
    names = [
        re.split(r'[=\[]', line)[0].lower()
        for name in ('runtime', 'installed_ros')
        for line in (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
        if line and not line.startswith('#')
    ]
    package = json.loads((ROOT / 'src' / 'cell_web' / 'hmi' / 'package.json').read_text(encoding='utf-8'))
    names += [*package['dependencies'], *package['devDependencies']]
    assert not [name for name in names if name not in text]


@pytest.mark.parametrize('module', ['letters.client', 'camera.http_server', 'scales.line_faults'])
def test_every_fault_of_the_simulated_devices_is_explained(module):
    text = (DOCS / 'simulated-world.md').read_text(encoding='utf-8')
    faults = importlib.import_module(f'cell_sim.{module}').FAULTS
    assert not [name for name in faults if f'`{name}`' not in text]


def test_every_package_has_the_version_of_the_workspace():
    spec = importlib.util.spec_from_file_location('set_version', ROOT / 'tools' / 'set_version.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    version = (ROOT / 'VERSION').read_text(encoding='utf-8').strip()
    assert {path for path, declared in module.declared().items() if declared != version} == set()
    assert f'\n## {version} - ' in (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')


def test_every_decision_record_is_listed_and_has_three_parts():
    folder = DOCS / 'decisions'
    index = (folder / 'README.md').read_text(encoding='utf-8')
    records = sorted(folder.glob('0*.md'))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding='utf-8')
        assert f'({path.name})' in index
        assert text.index('## Context') < text.index('## Decision') < text.index('## Consequence')


def test_every_file_that_contributing_names_exists():
    text = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    named = [
        name
        for name in re.findall(r'`([\w./]+/[\w./]*)`', text)
        if name.startswith(('src/', 'test/', 'docs/', 'tools/', 'launch/'))
    ]
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_documentation_and_page_have_the_texts_of_the_alarms():
    spec = importlib.util.spec_from_file_location('alarm_docs', ROOT / 'tools' / 'alarm_docs.py')
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding='utf-8') == module.page(), 'run tools/alarm_docs.py'
    assert module.STOP_TEXTS.read_text(encoding='utf-8') == module.stop_texts(), 'run tools/alarm_docs.py'


def test_a_text_is_either_raised_as_an_alarm_or_the_reason_of_a_job():
    from cell_common.alarm_texts import ALARM_TEXTS, REASONS

    sources = [path.read_text(encoding='utf-8') for path in (ROOT / 'src').glob('cell_*/cell_*/**/*.py')]
    raised = {key for source in sources for key in re.findall(r"raise_known\(\s*f?'(\w+)'", source)}
    raised |= {'flood'}  # by the node `alarms` itself, which has no reporter
    assert {key for key in ALARM_TEXTS if key.partition('/')[2] not in raised} == REASONS
    job = ''.join(
        path.read_text(encoding='utf-8') for path in (ROOT / 'src/cell_coordinator/cell_coordinator/job').glob('*.py')
    )
    assert [key for key in REASONS if not re.search(rf"'({key}|{key.partition('/')[2]})'", job)] == []


def test_no_node_words_an_alarm_itself():
    sources = [path for path in (ROOT / 'src').glob('cell_*/cell_*/**/*.py') if path.name not in ('alarms.py', 'book.py')]
    own = [path.name for path in sources if re.search(r'larms?\.raise_alarm\(', path.read_text(encoding='utf-8'))]
    assert own == []


def test_every_table_has_its_owner_on_the_architecture_page():
    text = (DOCS / 'architecture.md').read_text(encoding='utf-8').partition('## Tables')[2]
    sources = [path.read_text(encoding='utf-8') for path in (ROOT / 'src').glob('cell_*/cell_*/**/*.py')]
    tables = {
        name for source in sources for name in re.findall(r"__tablename__ = '(\w+)'|\bTable\(\s*'(\w+)',\s*MetaData", source)
    }
    names = {first or second for first, second in tables}
    listed = {name for row in re.findall(r'^\| (`.*?) \|', text, re.MULTILINE) for name in re.findall(r'`(\w+)`', row)}
    assert len(names) > 10
    assert listed == names


# Heading on the architecture page: the most modules that a reader has to open.
WAYS = {
    'From the camera to PLACE': 25,
    'From a trigger to the robot and back': 12,
    'From an indicator to the web application': 16,
}


@pytest.mark.parametrize('heading', WAYS)
def test_a_way_through_the_cell_opens_few_modules(heading: str):
    page = (ROOT / 'docs' / 'architecture.md').read_text(encoding='utf-8')
    section = page.split(f'### {heading}\n')[1].split('\n#')[0]
    # A line is one step; alternatives such as `http.py or opencv.py` stand in one line.
    modules = re.findall(r'\]\((\S+\.py)\)', section)
    either = section.count(' or [')
    assert len(set(modules)) == len(modules)
    assert 10 <= len(modules) - either <= WAYS[heading]
