"""A file that only its owner may read."""

import stat

import pytest
from cell_web.secret_file import SecretFile


@pytest.fixture
def secret(tmp_path):
    return SecretFile(tmp_path / 'state' / 'secret.json')


def test_what_was_written_is_read_also_by_another_process(secret):
    assert secret.read() is None and secret.entries('users') == []
    secret.write({'users': [{'name': 'Ann'}]})
    other = SecretFile(secret.path)
    assert other.entries('users') == [{'name': 'Ann'}]
    secret.write({'users': []})
    assert other.entries('users') == []


@pytest.mark.parametrize('earlier', [None, 0o644])
def test_only_the_owner_may_read_it(secret, earlier):
    if earlier is not None:
        secret.write({})
        secret.path.chmod(earlier)
    secret.write({'users': []})
    assert stat.S_IMODE(secret.path.stat().st_mode) == 0o600
    assert [path.name for path in secret.path.parent.iterdir()] == ['secret.json']


@pytest.mark.parametrize('text', ['', '{', '[]', '5', 'null', '{"users": 5}', '{"users": [5]}', '{}'])
def test_another_document_is_an_error(secret, text):
    secret.path.parent.mkdir()
    secret.path.write_text(text)
    with pytest.raises(ValueError):
        secret.entries('users')
