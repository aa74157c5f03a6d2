"""Tokens of programs that use the API: a file that holds their names and hashes, never the tokens themselves.

A token is 256 random bits, so that a plain SHA-256 of it cannot be searched; slow hashes are for passwords that people choose.
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

_NAME = re.compile('[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')


class TokenError(Exception):
    """The file or a name cannot be used; the text says what to do and names no secret."""


@dataclass(frozen=True)
class Entry:
    """One token."""

    name: str
    sha256: str
    made_at: str
    """ISO 8601."""


class TokenFile:
    """The tokens in a file. Changes made by others are seen at the next look."""

    def __init__(self, path: Path) -> None:
        """Take the path; the file need not be there yet."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._entries: list[Entry] = []

    def entries(self) -> list[Entry]:
        """Return what the file holds, in order.

        Raises:
            TokenError: It cannot be read.
        """
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                listed = json.loads(self._path.read_text(encoding='utf-8'))['tokens']
                self._entries = [Entry(str(e['name']), str(e['sha256']), str(e['made_at'])) for e in listed]
                self._stamp = stamp
        except FileNotFoundError:
            self._stamp, self._entries = None, []
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise TokenError(
                f'cannot read the token file {self._path}: {type(problem).__name__}. Check its permissions, or '
                'delete it and make new tokens with cell token new.'
            ) from None
        return self._entries

    def name_of(self, token: str) -> str:
        """Return whose token this is; "" when it is nobody's.

        Raises:
            TokenError: The file cannot be read.
        """
        digest, found = _digest(token), ''
        for entry in self.entries():
            if hmac.compare_digest(entry.sha256, digest):
                found = entry.name
        return found

    def make(self, name: str, made_at: str) -> str:
        """Add a token and return it: this is the only time that it can be seen.

        Raises:
            TokenError: The name is taken or not allowed, or the file cannot be read or written.
        """
        if not _NAME.fullmatch(name):
            raise TokenError("a token's name must be 1 to 64 letters, digits, dots, dashes or underscores")
        if any(entry.name == name for entry in self.entries()):
            raise TokenError(f'there is a token named {name} already: choose another name, or revoke it first')
        token = secrets.token_urlsafe(32)
        self._write([*self.entries(), Entry(name, _digest(token), made_at)])
        return token

    def revoke(self, name: str) -> None:
        """Remove a token; it is refused from now on.

        Raises:
            TokenError: There is none of this name, or the file cannot be read or written.
        """
        left = [entry for entry in self.entries() if entry.name != name]
        if len(left) == len(self.entries()):
            raise TokenError(f'there is no token named {name}')
        self._write(left)

    def _write(self, entries: list[Entry]) -> None:
        new = self._path.with_name(f'{self._path.name}.{os.getpid()}')
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
                json.dump({'tokens': [asdict(entry) for entry in entries]}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            if os.geteuid() == 0:  # the cell's own user, who owns the folder, must be able to read it
                folder = self._path.parent.stat()
                os.chown(new, folder.st_uid, folder.st_gid)
            new.replace(self._path)
        except OSError as problem:
            raise TokenError(f'cannot write the token file {self._path}: {problem.strerror}') from problem


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode('utf-8', 'surrogateescape')).hexdigest()
