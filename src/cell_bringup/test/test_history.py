import csv
import json

import pytest
from cell_bringup.cli import main
from cell_history.testing import JOB, PICTURE, make_sample


@pytest.fixture(scope='module')
def sample(tmp_path_factory):
    """State folder of the sample history."""
    folder = tmp_path_factory.mktemp('sample')
    make_sample(f'sqlite:///{folder}/cell.db', folder)
    return folder


@pytest.fixture
def run(sample, capsys, monkeypatch):
    """Runs `cell history`; returns exit code, output and error output."""
    monkeypatch.setenv('COLUMNS', '240')
    monkeypatch.setenv('TZ', 'UTC')

    def run(*arguments, url=f'sqlite:///{sample}/cell.db'):
        with pytest.raises(SystemExit) as ended:
            main(['history', *arguments, '--database-url', url])
        output = capsys.readouterr()
        return ended.value.code, output.out, output.err

    return run


def test_why_names_reason_picture_clip_and_steps(run, sample):
    code, output, state = run('why', '--job', JOB, '--piece', '7')
    assert code == 0 and 'recognized as EM1-2U4, not as X1' in output
    assert str(sample / 'kept_frames' / PICTURE) in output and 'clips/20261130T140312_reject_0001' in output
    assert 'REJECT 01900000' in output and 'entry 7: REJECT X1' in output
    assert 'state:' in state and 'cell.db' in state


def test_why_finds_the_piece_by_time_and_without_a_number(run):
    for arguments in (('--at', '2026-11-30T14:03Z', '--piece', '7'), ('--job', 'last'), ()):
        code, output, _ = run('why', *arguments, '--json')
        assert code == 0 and json.loads(output)['id'] == f'{JOB}/7'


def test_why_of_an_unknown_piece_and_a_wrong_time(run):
    assert run('why', '--job', JOB, '--piece', '70')[0] == 1
    assert run('why', '--at', 'noon')[0] == 2


def test_lists_as_table_json_and_csv(run):
    assert 'EM1-2U4' in run('pieces', '--faults')[1]
    rows = json.loads(run('pieces', '--part', 'X1', '--limit', '3', '--json')[1])
    assert [row['piece'] for row in rows['items']] == [8, 7, 6] and rows['items'][1]['clip']
    following = json.loads(run('pieces', '--limit', '10', '--cursor', rows['next'], '--json')[1])
    assert [row['piece'] for row in following['items']] == [5, 4, 3, 2, 1] and not following['next']
    table = list(csv.DictReader(run('commands', '--csv')[1].splitlines()))
    assert [row['command'] for row in table] == ['run_job', 'set_job'] and table[0]['origin'] == '10.0.0.7'


@pytest.mark.parametrize('kind', ['jobs', 'bags', 'alarms', 'stock'])
def test_other_lists(run, kind):
    code, output, _ = run(kind, '--since', '2026-11-30T13:00Z')
    assert code == 0 and 'Nothing found' not in output
    assert 'Nothing found' in run(kind, '--until', '2026-01-01')[1]


def test_a_missing_database_and_a_wrong_cursor(run, tmp_path):
    code, output, _ = run('jobs', url=f'sqlite:///{tmp_path}/missing.db')
    assert code == 1 and 'missing.db' in output and not (tmp_path / 'missing.db').exists()
    assert run('jobs', '--cursor', 'x')[0] == 2
    assert run('jobs', url='nonsense')[0] == 1
