import io

import pytest
from cell_bringup.cli import parser, run_command
from cell_history.testing import JOB, make_sample
from cell_weighing.testing import open_store, start_job
from rich.console import Console


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """Run the cell command in an empty folder; returns exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))

    def run(*arguments):
        out = io.StringIO()
        return run_command(parser().parse_args(arguments), Console(file=out, width=200)), out.getvalue()

    return run


@pytest.fixture
def job_id(tmp_path):
    return start_job(open_store(f'sqlite:///{tmp_path}/state/cell.db')).job_id


def test_a_report_is_written_as_page_and_table(cell, job_id, tmp_path):
    code, said = cell('report', str(job_id))
    assert code == 0 and f'weigh_job_{job_id}.html' in said
    assert 'ACME' in (tmp_path / f'weigh_job_{job_id}.html').read_text()
    assert (tmp_path / f'weigh_job_{job_id}.csv').read_bytes().endswith(b'reading_id\r\n')


def test_a_job_that_is_not_there_has_no_report(cell, job_id, tmp_path):
    assert cell('report', '99') == (1, f'there is no weigh job 99 in sqlite:///{tmp_path}/state/cell.db\n')
    assert not list(tmp_path.glob('*.html'))


def test_without_a_database_it_says_how_to_name_one(cell):
    code, said = cell('report', '1')
    assert code == 1 and '--database-url' in said and '.local/state/cell/cell.db' in said


def test_a_folder_that_cannot_be_written_is_reported(cell, job_id):
    code, said = cell('report', str(job_id), '--folder', 'none')
    assert code == 1 and 'none' in said


def test_a_token_is_made_listed_and_revoked(cell, tmp_path):
    code, said = cell('token', 'new', 'filler')
    token = said.split()[-1]
    assert code == 0 and len(token) == 43
    assert token not in (tmp_path / '.local/state/cell/api_tokens.json').read_text()
    assert cell('token', 'list')[1].startswith('filler  bags only  made ')
    assert cell('token', 'revoke', 'filler')[0] == 0 and cell('token', 'list') == (0, '')


def test_an_empty_list_and_an_error_name_the_token_file(cell, capsys):
    assert cell('token', 'list') == (0, '')
    assert '.local/state/cell/api_tokens.json' in capsys.readouterr().err
    code, said = cell('token', 'revoke', 'filler')
    assert code == 1 and '.local/state/cell/api_tokens.json' in said


def test_a_token_of_a_taken_name_or_none_is_refused(cell):
    cell('token', 'new', 'filler')
    assert cell('token', 'new', 'filler')[0] == cell('token', 'new')[0] == cell('token', 'revoke', 'x')[0] == 1


def test_the_reports_of_a_pick_job_and_of_a_shift_hold_their_pictures(cell, tmp_path):
    make_sample(f'sqlite:///{tmp_path}/state/cell.db', tmp_path / 'state')
    for arguments, name in (
        (('job', 'last'), f'job_{JOB}'),
        (('shift', '--since', '2026-11-30T13:00Z', '--until', '2026-11-30T15:00Z'), 'shift_2026'),
    ):
        code, said = cell('report', *arguments)
        assert code == 0 and name in said
        page = next(tmp_path.glob(f'{name}*.html')).read_text()
        assert '7 placed, 1 rejected' in page and 'data:image/jpeg;base64,' in page
        assert next(tmp_path.glob(f'{name}*.csv')).read_text().startswith('section,name')


def test_wrong_words_of_a_report_are_refused(cell, tmp_path):
    make_sample(f'sqlite:///{tmp_path}/state/cell.db', tmp_path / 'state')
    wrong = (('nonsense',), ('shift', '--since', 'noon'), ('shift', '--shifts', '25:00'), ('job', 'none'))
    assert [cell('report', *arguments)[0] for arguments in wrong] == [2, 2, 2, 1]
