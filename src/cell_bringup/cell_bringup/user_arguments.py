"""Arguments of `cell user` and `cell token`: people and programs that may use the gateway."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ['add_token', 'add_user']


def add_user(user: argparse.ArgumentParser) -> None:
    """Add the actions of `cell user`."""
    what = user.add_subparsers(dest='action', required=True)
    add = what.add_parser('add', help='add a user; asks for the password or PIN, or reads it from a pipe')
    role = what.add_parser('role', help='give a user another role')
    password = what.add_parser('password', help='set a new password or PIN')
    remove = what.add_parser('remove', help='remove a user; open pages end at once')
    for action in (add, role, password, remove):
        action.add_argument('name', help='as shown on the page and recorded with each command')
    add.add_argument('--role', default='operator', help='viewer, operator (default), supervisor or maintainer')
    role.add_argument('role', help='viewer, operator, supervisor or maintainer')
    for action in (add, role, password, remove, what.add_parser('list', help='list names and roles')):
        action.add_argument('--file', type=Path, help='default: users.json in the state folder of the running cell')


def add_token(token: argparse.ArgumentParser) -> None:
    """Add the arguments of `cell token`."""
    token.add_argument('action', choices=['new', 'list', 'revoke'])
    token.add_argument('name', nargs='?', default='', help='what the token is for, e.g. filler-3')
    token.add_argument(
        '--role', default='', help='new: what it may do through the gateway, e.g. viewer (default: post bags only)'
    )
    token.add_argument('--days', type=int, default=0, help='new: the token ends after so many days (default: never)')
    token.add_argument('--file', type=Path, help='default: api_tokens.json in the state folder of the running cell')
