"""The tools' tables and the checks that they run."""

import importlib
import sys
from collections import Counter

import pytest
from house_rules.workspace import ROOT


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Return a function that imports a module of tools/ or bench/."""
    monkeypatch.setattr(sys, 'path', [str(ROOT / 'tools'), str(ROOT / 'bench'), *sys.path])
    return importlib.import_module


def test_coverage_is_shown_per_package_and_in_total(load):
    count = Counter(num_statements=200, covered_lines=150, num_branches=10, covered_branches=5)
    lines = (
        load('coverage_table').table({'cell_b': count, 'cell_a': Counter(num_statements=100, covered_lines=100)}).splitlines()
    )
    assert [line.split() for line in lines[1:]] == [
        ['cell_a', '100.0', '100.0'],
        ['cell_b', '75.0', '50.0'],
        ['total', '83.3', '50.0'],
    ]


def test_a_coverage_file_without_data_is_an_error(load, monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv('COVERAGE_FILE', str(tmp_path / 'none'))
    assert load('coverage_table').main() == 1


def test_a_draw_has_one_row_in_the_table_of_measurements(load):
    record = load('vision_record')
    page = f'# Page\n\n{record.HEAD}\n| --- |\n| 16 | old |\n| 17 | old |\n\nend\n'
    assert record.with_row(page, '| 17 | new |') == page.replace('| 17 | old |', '| 17 | new |')
    assert record.with_row(page, '| 18 | new |') == page.replace('| 17 | old |\n', '| 17 | old |\n| 18 | new |\n')
    assert record.HEAD in (ROOT / 'docs' / 'measurements.md').read_text(encoding='utf-8')


def test_a_page_without_the_table_and_a_draw_without_frames_are_refused(load):
    record = load('vision_record')
    with pytest.raises(ValueError, match='lacks the table'):
        record.with_row('# Page\n', '| 17 |')
    with pytest.raises(ValueError, match='no frames of level easy, medium, hard'):
        record.row('17', [])


def test_a_version_that_is_none_is_refused(load, monkeypatch: pytest.MonkeyPatch):
    before = (ROOT / 'VERSION').read_text(encoding='utf-8')
    monkeypatch.setattr(sys, 'argv', ['set_version.py', 'one'])
    assert load('set_version').main() == 2
    assert (ROOT / 'VERSION').read_text(encoding='utf-8') == before


def test_types_are_checked_everywhere_and_every_test_is_run(load):
    checks = load('check').all_checks()
    mypy = next(check for check in checks if check.name == 'mypy').command
    folders = {path.parent for path in [*ROOT.glob('src/*/setup.py'), *ROOT.glob('underlay/*/setup.py')]}
    assert {f'{folder.relative_to(ROOT)}/{folder.name}' for folder in folders} | {'launch', 'bench', 'tools'} <= set(mypy)
    for group in ('fast', 'slow'):
        words = {word for check in checks if check.group == group for word in check.command}
        assert {f'src/{p.parent.name}/test' for p in ROOT.glob('src/*/setup.py')} <= words


def test_a_path_that_the_build_tools_cannot_use_is_refused_before_anything_is_made(load, tmp_path):
    setup = load('setup')
    setup.check_path(tmp_path)
    with pytest.raises(setup.SetupError, match='/opt/zelle-ü'):
        setup.check_path(setup.Path('/opt/zelle-ü'))


def test_the_cache_of_npm_is_in_the_workspace_because_the_home_folder_may_be_read_only(load):
    assert load('setup').npm_environment()['npm_config_cache'].startswith(str(ROOT / 'build'))
