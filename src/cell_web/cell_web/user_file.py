"""The users of the cell in a file: name, role and the hash of the password, never the password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cell_web.roles import ROLES
from cell_web.secret_file import SecretFile
from cell_web.user import User

__all__ = ['UserError', 'UserFile']

LONGEST_NAME = 40


class UserError(Exception):
    """The file or a name cannot be used; the text says what to do and contains no secret."""


class UserFile:
    """The users in a file; `cell user` and the gateway write it, and each sees the other's change at the next call."""

    def __init__(self, path: Path) -> None:
        """Remember the path; the file may not exist yet."""
        self._file = SecretFile(path)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._file.path

    def users(self) -> list[User]:
        """Return the users in file order; none when there is no file.

        Raises:
            UserError: The file cannot be read.
        """
        try:
            return [
                User(str(e['name']), str(e['role']), str(e['password_hash']), str(e['changed_at']))
                for e in self._file.entries('users')
            ]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f'cannot read the user file {self.path}: {type(error).__name__}. Check its permissions, or restore it from a '
                'backup; without the file there are no users.'
                # The cause could quote the contents of the file.
            ) from None

    def find(self, name: str) -> User | None:
        """Return the user of a name, None if there is none.

        Raises:
            UserError: The file cannot be read.
        """
        wanted = _key(name)
        return next((user for user in self.users() if _key(user.name) == wanted), None)

    def add(self, user: User) -> None:
        """Add a user.

        Raises:
            UserError: The name is taken or invalid, the role unknown, or the file cannot be read or written.
        """
        name = user.name.strip()
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise UserError(f'user name: use 1 to {LONGEST_NAME} printable characters')
        if self.find(name):
            raise UserError(f'user {name} exists already: choose another name, or change the role or the password')
        self._write([*self.users(), replace(user, name=name)])

    def change(self, user: User) -> None:
        """Replace role and password of a user.

        Raises:
            UserError: There is no such user, the role is unknown, or the file cannot be read or written.
        """
        self._require(user.name)
        self._write([user if _key(one.name) == _key(user.name) else one for one in self.users()])

    def remove(self, name: str) -> None:
        """Remove a user, whose sessions end.

        Raises:
            UserError: There is no such user, or the file cannot be read or written.
        """
        self._require(name)
        self._write([user for user in self.users() if _key(user.name) != _key(name)])

    def _require(self, name: str) -> None:
        if self.find(name) is None:
            raise UserError(f'user {name} does not exist: see cell user list')

    def _write(self, users: Sequence[User]) -> None:
        """Replace the file.

        Raises:
            UserError: A role is unknown, or the file cannot be written.
        """
        for user in users:
            if user.role not in ROLES:
                raise UserError(f'role {user.role} is unknown: use {", ".join(ROLES)}')
        try:
            self._file.write({'users': [asdict(user) for user in users]})
        except OSError as error:
            raise UserError(f'cannot write the user file {self.path}: {error.strerror}') from error


def _key(name: str) -> str:
    return name.strip().casefold()
