"""The users in their file."""

import json
import stat

import pytest
from cell_web.user import User
from cell_web.user_file import UserError, UserFile

ANN = User('Ann Müller', 'operator', '$argon2id$x', '2026-01-01T00:00:00+00:00')


@pytest.fixture
def users(tmp_path):
    return UserFile(tmp_path / 'state' / 'users.json')


def test_a_user_is_found_by_the_name_in_any_case(users):
    assert users.users() == [] and users.find('ann') is None
    users.add(ANN)
    assert users.find(' ANN MÜLLER ') == ANN == UserFile(users.path).find('Ann Müller')
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600


def test_a_change_of_another_process_is_seen(users):
    users.add(ANN)
    other = UserFile(users.path)
    other.change(User('Ann Müller', 'maintainer', '$argon2id$y', 'now'))
    assert users.find('Ann Müller').role == 'maintainer'
    other.remove('ann müller')
    assert users.users() == []


@pytest.mark.parametrize('name', ['', '   ', 'x' * 41, 'a\nb', 'a\x00', 'ANN MÜLLER'])
def test_a_name_that_is_no_name_or_taken_is_refused(users, name):
    users.add(ANN)
    with pytest.raises(UserError):
        users.add(User(name, 'operator', 'x', 'now'))
    assert users.users() == [ANN]


def test_an_unknown_role_or_user_is_refused(users):
    with pytest.raises(UserError, match='role boss is unknown: use viewer, operator, supervisor, maintainer'):
        users.add(User('bob', 'boss', 'x', 'now'))
    with pytest.raises(UserError, match='bob does not exist'):
        users.change(User('bob', 'viewer', 'x', 'now'))
    with pytest.raises(UserError, match='bob does not exist'):
        users.remove('bob')


@pytest.mark.parametrize('text', ['', '{', '[]', '{"users": [{"name": "ann"}]}', '{"users": 5}', '\x00'])
def test_a_damaged_file_is_an_error_that_quotes_nothing(users, text):
    users.path.parent.mkdir()
    users.path.write_text(text)
    with pytest.raises(UserError, match='cannot read the user file') as caught:
        users.find('ann')
    assert caught.value.__cause__ is None


def test_a_folder_that_cannot_be_written_is_named(users, tmp_path):
    (tmp_path / 'state').write_text('a file, no folder')
    with pytest.raises(UserError, match=r'cannot (write|read) the user file'):
        users.add(ANN)


def test_hashes_only_are_in_the_file(users):
    users.add(ANN)
    assert json.loads(users.path.read_text())['users'][0].keys() == {'name', 'role', 'password_hash', 'changed_at'}
