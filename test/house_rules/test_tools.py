"""The tools' tables and the checks that they run."""

import importlib
import os
import subprocess
import sys
from collections import Counter

import pytest
from house_rules.workspace import ROOT

READ_ONLY = '/proc/no/such/home'


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


REPORT = """<testsuites><testsuite>
<testcase classname="test.test_a" file="test/test_a.py" name="passes"/>
<testcase classname="test.test_a" file="test/test_a.py" name="fails[1]"><failure message="short">def fails():
        x = 1
&gt;       assert x == 2
E       assert 1 == 2

test/test_a.py:3: AssertionError</failure></testcase>
<testcase classname="test.test_a" file="test/test_a.py" name="breaks"><error message="a fixture">no such file</error></testcase>
</testsuite></testsuites>"""


def test_the_summary_ends_with_the_failed_tests_and_the_lines_that_say_why(load, tmp_path, capsys):
    report = tmp_path / 'a.xml'
    report.write_text(REPORT)
    lines = load('failed_tests').failures(report, ['much output\n'] * 100)
    assert lines == [
        'FAILED test/test_a.py::fails[1]',
        '    >       assert x == 2',
        '    E       assert 1 == 2',
        '    test/test_a.py:3: AssertionError',
        'FAILED test/test_a.py::breaks',
        '    no such file',
    ]
    check = load('check')
    result = check.CheckResult(check.Check('slow', 'a', ()), 1, 2.0, {'failed': 2}, lines)
    assert check.summarize([result], 2.0) == 1
    end = capsys.readouterr().out.partition('== failed: a\n')[2]
    assert end.startswith('\n'.join(lines)) and end.endswith('0 passed, 2 failed in 2 s\n')


@pytest.mark.parametrize('written', [None, '<testsuites', '<testsuites/>'])
def test_a_check_without_a_report_of_failed_tests_shows_the_end_of_its_output(load, tmp_path, written):
    report = tmp_path / 'a.xml'
    if written is not None:
        report.write_text(written)
    lines = load('failed_tests').failures(report, [f'{number}\n' for number in range(100)])
    assert lines == [str(number) for number in range(60, 100)]


def test_a_long_traceback_is_shown_by_its_beginning_and_its_end(load):
    module = load('failed_tests')
    short = module.shortened([f'E   {number}' for number in range(500)])
    assert len(short) == module.LINES and short[0] == 'E   0' and '...' in short and short[-1] == 'E   499'


def test_the_printed_output_lacks_the_warnings(load):
    module = load('failed_tests')
    warned = ['..F\n', '=== warnings summary ===\n', 'much\n', '-- Docs: https://docs.pytest.org\n', '1 failed\n']
    assert module.without_warnings(warned) == ['..F\n', '1 failed\n']
    assert module.without_warnings(warned[:3]) == warned[:3], 'a check that was killed'


def test_a_path_that_the_build_tools_cannot_use_is_refused_before_anything_is_made(load, tmp_path):
    setup = load('setup')
    setup.check_path(tmp_path)
    with pytest.raises(setup.SetupError, match='/opt/zelle-ü'):
        setup.check_path(setup.Path('/opt/zelle-ü'))
    with pytest.raises(setup.SetupError, match='my cell'):
        setup.check_path(setup.Path('/opt/my cell'))


def test_caches_and_logs_are_in_the_workspace_when_the_home_folder_is_read_only(load, monkeypatch, tmp_path):
    assert load('setup').npm_environment()['npm_config_cache'].startswith(str(ROOT / 'build'))
    monkeypatch.delenv('PIP_CACHE_DIR', raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert 'PIP_CACHE_DIR' not in load('setup').pip_environment()
    monkeypatch.setenv('HOME', READ_ONLY)
    assert load('setup').pip_environment()['PIP_CACHE_DIR'].startswith(str(ROOT / 'build'))
    show = ['bash', '-c', '. ./env.sh; echo "$ROS_LOG_DIR"']
    environment = {name: value for name, value in os.environ.items() if not name.startswith('ROS_')}
    asked = subprocess.run(show, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == str(ROOT / 'build' / 'ros_log')
