"""What a password must be, and its hash."""

import pytest
from cell_web.passwords import MOST_CHARACTERS, PasswordError, PasswordHashes, check_password


@pytest.mark.parametrize('password', ['correct horse', '8f!kd9sa', '482915', 'größer8x', '٤٨٢٩١٥'])
def test_a_password_or_pin_that_is_long_enough_is_taken(password):
    check_password(password, 'ann')


@pytest.mark.parametrize(
    ('password', 'reason'),
    [
        ('', 'at least'),
        ('short7!', 'at least 8 characters'),
        ('48291', 'at least 6 digits'),
        ('123456', 'first that a stranger'),
        ('987654', 'first that a stranger'),
        ('111111', 'first that a stranger'),
        ('Password', 'first that a stranger'),
        ('ann müller', 'first that a stranger'),
        ('x' * (MOST_CHARACTERS + 1), 'longer than'),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_and_never_quoted(password, reason):
    with pytest.raises(PasswordError, match=reason) as caught:
        check_password(password, 'Ann Müller')
    assert not password or password not in str(caught.value)


@pytest.fixture(scope='module')
def hashes():
    return PasswordHashes(memory_kib=64, passes=1)


def test_a_hash_knows_its_password_only(hashes):
    hashed = hashes.hash('correct horse')
    assert hashed.startswith('$argon2id$') and 'horse' not in hashed and hashed != hashes.hash('correct horse')
    assert hashes.is_right('correct horse', hashed)
    assert not hashes.is_right('Correct horse', hashed) and not hashes.is_right('', hashed)


@pytest.mark.parametrize('hashed', ['', 'x', '$argon2id$v=19$m=64,t=1,p=1$', '$2b$12$abc'])
def test_a_hash_that_is_missing_or_damaged_lets_nobody_in(hashes, hashed):
    assert not hashes.is_right('the password of no user', hashed) and not hashes.is_right('', hashed)


def test_the_costs_are_those_of_rfc_9106():
    assert PasswordHashes().hash('x').startswith('$argon2id$v=19$m=65536,t=3,p=1$')
