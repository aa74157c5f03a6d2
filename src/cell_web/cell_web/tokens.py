"""API tokens: a file with the names and hashes of tokens, never the tokens themselves.

A token has 256 random bits, so an unsalted SHA-256 resists brute force. Slow hashes are for passwords chosen by people.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

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
    """

    name: str
    sha256: str
    made_at: str


class TokenFile:
    """Tokens in a file; changes by other processes are seen at the next call.

    `cell token` writes the file, the gateway reads it. It is replaced in one step, so a reader
    never sees half of it. Two writers at the same time may lose one change; tokens are made by
    hand.
    """

    def __init__(self, path: Path) -> None:
        """Remember the path; the file may not exist yet."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._entries: list[TokenEntry] = []

    def entries(self) -> list[TokenEntry]:
        """Return the entries in file order; none when there is no file.

        Raises:
            TokenError: The file cannot be read.
        """
        try:
            status = self._path.stat()
            # The inode too: a replacement within the clock's resolution may have the same time and
            # size.
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                listed = json.loads(self._path.read_text(encoding='utf-8'))['tokens']
                self._entries = [TokenEntry(str(e['name']), str(e['sha256']), str(e['made_at'])) for e in listed]
                self._stamp = stamp
        except FileNotFoundError:
            self._stamp, self._entries = None, []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TokenError(
                f'cannot read the token file {self._path}: {type(error).__name__}. Check its permissions, or '
                'delete it and create new tokens with cell token new.'
                # The cause could quote the contents of the file.
            ) from None
        return self._entries

    def client_name(self, token: str) -> str:
        """Return the client that a token belongs to; "" for an unknown token.

        Args:
            token: As sent by the client; "" is unknown.

        Raises:
            TokenError: The file cannot be read.
        """
        digest, found = _digest(token), ''
        for entry in self.entries():
            # Constant time, and no early exit: response times tell nothing about how close a guess
            # was.
            if hmac.compare_digest(entry.sha256, digest):
                found = entry.name
        return found

    def create(self, name: str, made_at: str) -> str:
        """Add a token and return it. The token is not stored and cannot be shown again.

        Args:
            name: Client, 1 to 64 letters, digits, dots, dashes or underscores.
            made_at: ISO 8601; given by the caller, so that tests need no clock.

        Returns:
            43 characters of URL-safe base64, 256 random bits.

        Raises:
            TokenError: The name is taken or invalid, or the file cannot be read or written.
        """
        if not _NAME.fullmatch(name):
            raise TokenError(
                'token name: use 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit'
            )
        if any(entry.name == name for entry in self.entries()):
            raise TokenError(f'token {name} already exists: choose another name, or revoke it first')
        token = secrets.token_urlsafe(32)
        self._write([*self.entries(), TokenEntry(name, _digest(token), made_at)])
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
        """Replace the file in one step, readable by its owner only.

        Raises:
            TokenError: The file cannot be written.
        """
        new = self._path.with_name(f'{self._path.name}.{os.getpid()}')
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
                json.dump({'tokens': [asdict(entry) for entry in entries]}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            if os.geteuid() == 0:  # the service user, who owns the folder, must be able to read the file
                folder = self._path.parent.stat()
                os.chown(new, folder.st_uid, folder.st_gid)
            new.replace(self._path)
        except OSError as error:
            raise TokenError(f'cannot write the token file {self._path}: {error.strerror}') from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode('utf-8', 'surrogateescape')).hexdigest()
