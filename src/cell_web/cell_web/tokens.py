"""API tokens: a file with the names and hashes of tokens, never the tokens themselves.

A token has 256 random bits, so an unsalted SHA-256 resists brute force. Slow hashes are for passwords chosen by people.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from cell_web.roles import ROLES
from cell_web.secret_file import SecretFile

__all__ = ['TokenEntry', 'TokenError', 'TokenFile']

_NAME = re.compile('[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')


class TokenError(Exception):
    """The token file or a name is unusable; the text says what to do and contains no secret."""


@dataclass(frozen=True)
class TokenEntry:
    """One token.

    Attributes:
        name: Client that the token belongs to; it appears in the audit of posted bags.
        sha256: Hash of the token, 64 hexadecimal digits.
        made_at: ISO 8601.
        role: Role of its sessions at the gateway; "" = it may post bags only.
        ends_at: ISO 8601 with UTC offset; "" = never.
    """

    name: str
    sha256: str
    made_at: str
    role: str = ''
    ends_at: str = ''


class TokenFile:
    """Tokens in a file; `cell token` writes it, the gateway reads it and sees a change at the next call."""

    def __init__(self, path: Path) -> None:
        """Remember the path; the file may not exist yet."""
        self._file = SecretFile(path)

    def entries(self) -> list[TokenEntry]:
        """Return the entries in file order; none when there is no file.

        Raises:
            TokenError: The file cannot be read.
        """
        try:
            return [
                TokenEntry(
                    str(e['name']), str(e['sha256']), str(e['made_at']), str(e.get('role', '')), str(e.get('ends_at', ''))
                )
                for e in self._file.entries('tokens')
            ]
        except (OSError, ValueError, KeyError) as error:
            raise TokenError(
                f'cannot read the token file {self._file.path}: {type(error).__name__}. Check its permissions, or '
                'delete it and create new tokens with cell token new.'
                # The cause could quote the contents of the file.
            ) from None

    def client_name(self, token: str, now: datetime | None = None) -> str:
        """Return the client that a token belongs to; "" for an unknown token. See `find`."""
        entry = self.find(token, now)
        return entry.name if entry else ''

    def find(self, token: str, now: datetime | None = None) -> TokenEntry | None:
        """Return the entry of a token; None if it is unknown or has ended.

        Args:
            token: As sent by the client; "" is unknown.
            now: Time of day with UTC offset; None = now.

        Raises:
            TokenError: The file cannot be read.
        """
        digest, found = _digest(token), None
        for entry in self.entries():
            # Constant time, and no early exit: response times tell nothing about how close a guess was.
            if hmac.compare_digest(entry.sha256, digest):
                found = entry
        return None if found is None or _has_ended(found, now or datetime.now(timezone.utc)) else found

    def create(self, name: str, made_at: str, role: str = '', ends_at: str = '') -> str:
        """Add a token and return it. The token is not stored and cannot be shown again.

        Args:
            name: Client, 1 to 64 letters, digits, dots, dashes or underscores.
            made_at: ISO 8601; given by the caller, so that tests need no clock.
            role: Role of its sessions at the gateway; "" = it may post bags only.
            ends_at: ISO 8601 with UTC offset; "" = never.

        Returns:
            43 characters of URL-safe base64, 256 random bits.

        Raises:
            TokenError: The name is taken or invalid, the role unknown, or the file cannot be read or written.
        """
        if role and role not in ROLES:
            raise TokenError(f'role {role} is unknown: use {", ".join(ROLES)}')
        if not _NAME.fullmatch(name):
            raise TokenError(
                'token name: use 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit'
            )
        if any(entry.name == name for entry in self.entries()):
            raise TokenError(f'token {name} already exists: choose another name, or revoke it first')
        token = secrets.token_urlsafe(32)
        self._write([*self.entries(), TokenEntry(name, _digest(token), made_at, role, ends_at)])
        return token

    def revoke(self, name: str) -> None:
        """Remove a token; requests with it are rejected from now on.

        Raises:
            TokenError: The name is unknown, or the file cannot be read or written.
        """
        left = [entry for entry in self.entries() if entry.name != name]
        if len(left) == len(self.entries()):
            raise TokenError(f'token {name} does not exist: see cell token list')
        self._write(left)

    def _write(self, entries: list[TokenEntry]) -> None:
        """Replace the file.

        Raises:
            TokenError: The file cannot be written.
        """
        try:
            self._file.write({'tokens': [asdict(entry) for entry in entries]})
        except OSError as error:
            raise TokenError(f'cannot write the token file {self._file.path}: {error.strerror}') from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode('utf-8', 'surrogateescape')).hexdigest()


def _has_ended(entry: TokenEntry, now: datetime) -> bool:
    """Return whether a token has ended; an end that cannot be read is over."""
    if not entry.ends_at:
        return False
    try:
        return now >= datetime.fromisoformat(entry.ends_at)
    except (ValueError, TypeError):
        return True
