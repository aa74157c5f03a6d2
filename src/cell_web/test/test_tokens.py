from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cell_web.tokens import TokenError, TokenFile


def test_a_token_is_stored_as_a_hash_readable_by_the_owner_only(tokens: TokenFile, token: str, tmp_path: Path) -> None:
    text = (tmp_path / 'tokens.json').read_text()
    assert token not in text and hashlib.sha256(token.encode()).hexdigest() in text
    assert (tmp_path / 'tokens.json').stat().st_mode & 0o077 == 0
    assert tokens.client_name(token) == 'filler' and tokens.client_name(token + 'x') == ''


def test_token_names_are_unique_and_plain(tokens: TokenFile, token: str) -> None:
    for name in ('filler', '', '../x', 'a b'):
        with pytest.raises(TokenError):
            tokens.create(name, '')
    with pytest.raises(TokenError, match='does not exist'):
        tokens.revoke('other')


def test_a_damaged_token_file_is_reported_and_admits_no_client(tmp_path: Path) -> None:
    (tmp_path / 'tokens.json').write_text('{"tokens": 1}')
    with pytest.raises(TokenError, match='token file'):
        TokenFile(tmp_path / 'tokens.json').client_name('x')
