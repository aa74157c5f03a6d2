"""`cell user` and `cell token`: people and programs that may use the gateway."""

import io
from datetime import datetime, timedelta, timezone

import pytest
from cell_bringup.cli import parser, run_command
from cell_web.passwords import PasswordHashes
from cell_web.tokens import TokenFile
from cell_web.user_file import UserFile
from rich.console import Console


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """Run `cell user` with a line on stdin; return exit code and output."""
    monkeypatch.setattr('cell_bringup.users.PasswordHashes', lambda: PasswordHashes(memory_kib=64, passes=1))

    def run(*arguments, typed=''):
        monkeypatch.setattr('sys.stdin', io.StringIO(typed))
        output = io.StringIO()
        options = parser().parse_args([*arguments, '--file', str(tmp_path / 'file.json')])
        return run_command(options, Console(file=output, width=200)), output.getvalue()

    return run


def test_a_person_is_added_changed_listed_and_removed(cell, tmp_path):
    users = UserFile(tmp_path / 'file.json')
    assert cell('user', 'add', 'Ann Müller', typed='correct horse\n') == (0, 'Ann Müller may log in as operator.\n')
    first = users.find('ann müller')
    assert PasswordHashes().is_right('correct horse', first.password_hash) and 'horse' not in users.path.read_text()
    assert cell('user', 'role', 'ann müller', 'maintainer')[0] == 0 and users.find('Ann Müller').role == 'maintainer'
    assert cell('user', 'password', 'Ann Müller', typed='482915\n')[0] == 0
    assert users.find('Ann Müller').password_hash != first.password_hash
    assert cell('user', 'list')[1].startswith('Ann Müller  maintainer  changed 20')
    assert cell('user', 'remove', 'ANN MÜLLER')[0] == 0 and users.users() == []


@pytest.mark.parametrize(
    ('arguments', 'typed', 'reason'),
    [
        (('add', 'bob'), '', 'at least 8 characters'),
        (('add', 'bob'), '123456', 'choose another'),
        (('add', 'bob', '--role', 'king'), 'correct horse', 'role king is unknown'),
        (('add', 'ann'), 'correct horse', 'exists already'),
        (('role', 'bob', 'viewer'), '', 'does not exist'),
        (('password', 'bob'), 'correct horse', 'does not exist'),
        (('remove', 'bob'), '', 'does not exist'),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(cell, tmp_path, arguments, typed, reason):
    cell('user', 'add', 'Ann', typed='correct horse\n')
    before = (tmp_path / 'file.json').read_text()
    code, output = cell('user', *arguments, typed=typed)
    assert code == 1 and reason in ' '.join(output.split()) and 'file.json' in output.replace('\n', '')
    assert (tmp_path / 'file.json').read_text() == before


def test_a_token_has_a_role_and_an_end(cell, tmp_path):
    code, output = cell('token', 'new', 'mes', '--role', 'viewer', '--days', '30')
    entry = TokenFile(tmp_path / 'file.json').find(output.split()[-1])
    assert code == 0 and entry.role == 'viewer'
    assert abs(datetime.fromisoformat(entry.ends_at) - datetime.now(timezone.utc) - timedelta(days=30)) < timedelta(hours=1)
    assert 'mes  viewer  made' in cell('token', 'list')[1]
    assert cell('token', 'new', 'plc', '--role', 'king')[0] == 1
