"""Add, change, list and remove the people who may log in on the page."""

from __future__ import annotations

import getpass
import sys
from datetime import datetime, timezone
from pathlib import Path

from cell_web.passwords import PasswordError, PasswordHashes, check_password
from cell_web.user import User
from cell_web.user_file import UserError, UserFile
from rich.console import Console
from rich.markup import escape

__all__ = ['work_with_users']


def work_with_users(action: str, name: str, role: str, path: Path, console: Console) -> int:
    """Run `cell user`; return the exit code.

    Args:
        action: "add", "role", "password", "remove" or "list".
        name: Person; "" only for "list".
        role: New role for "add" and "role".
        path: User file.
        console: Output.
    """
    users = UserFile(path)
    try:
        if action == 'list':
            for user in users.users():
                console.print(escape(f'{user.name}  {user.role}  changed {user.changed_at}'), highlight=False)
            if not users.users():  # not on stdout: scripts read the list there
                Console(stderr=True).print(f'no users in {escape(str(path))}', soft_wrap=True)
            return 0
        console.print(escape(_change(users, action, name, role)), highlight=False, soft_wrap=True)
    except (UserError, PasswordError) as error:
        text = str(error) if str(path) in str(error) else f'{error} (user file {path})'
        console.print(f'[red]{escape(text)}[/]', soft_wrap=True)
        return 1
    return 0


def _change(users: UserFile, action: str, name: str, role: str) -> str:
    """Change the file and return what was done.

    Raises:
        UserError: See `UserFile`.
        PasswordError: The password cannot be used.
    """
    now = datetime.now(timezone.utc).isoformat(timespec='seconds')
    if action == 'add':
        if users.find(name):  # before the question for a password
            raise UserError(f'user {name} exists already: choose another name, or change the role or the password')
        users.add(User(name, role, _new_hash(name), now))
        return f'{name} may log in as {role}.'
    if action == 'remove':
        users.remove(name)
        return f'{name} may not log in any more; open pages end.'
    user = users.find(name)
    if user is None:
        raise UserError(f'user {name} does not exist: see cell user list')
    if action == 'role':
        users.change(User(user.name, role, user.password_hash, now))
        return f'{user.name} is {role} now and must log in again.'
    users.change(User(user.name, user.role, _new_hash(user.name), now))
    return f'{user.name} has a new password and must log in again.'


def _new_hash(name: str) -> str:
    """Ask for a password, twice at a terminal, and return its hash.

    Raises:
        PasswordError: It cannot be used, or the second one differs.
    """
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip('\n')
        check_password(password, name)
        return PasswordHashes().hash(password)
    password = getpass.getpass(f'Password or PIN of {name}: ')
    check_password(password, name)
    if getpass.getpass('Once more: ') != password:
        raise PasswordError('the two passwords differ')
    return PasswordHashes().hash(password)
