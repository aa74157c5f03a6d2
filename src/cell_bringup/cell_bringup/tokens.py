"""Create, list and revoke the tokens of programs that post bags to the cell or use its gateway."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cell_web.tokens import TokenError, TokenFile
from rich.console import Console
from rich.markup import escape


def work_with_tokens(options: argparse.Namespace, path: Path, console: Console) -> int:
    """Run `cell token`; return the exit code. A new token is shown once and stored nowhere.

    Args:
        options: action "new", "list" or "revoke"; name, role and days.
        path: Token file.
        console: Output.
    """
    tokens, action, name = TokenFile(path), str(options.action), str(options.name)
    try:
        if action == 'list':
            entries = tokens.entries()
            for entry in entries:
                use, end = entry.role or 'bags only', f'  ends {entry.ends_at}' if entry.ends_at else ''
                console.print(escape(f'{entry.name}  {use}  made {entry.made_at}{end}'), highlight=False)
            if not entries:  # not on stdout: scripts read the list there
                Console(stderr=True).print(f'no tokens in {escape(str(path))}', soft_wrap=True)
        elif action == 'new':
            now = datetime.now(timezone.utc)
            ends_at = (now + timedelta(days=options.days)).isoformat(timespec='seconds') if options.days > 0 else ''
            token = tokens.create(name, now.isoformat(timespec='seconds'), options.role, ends_at)
            console.print(f'Token of {escape(name)}, shown only once:', highlight=False)
            # One line without styles: it is copied.
            console.print(token, highlight=False, markup=False, soft_wrap=True)
        else:
            tokens.revoke(name)
            console.print(f'The token of {escape(name)} is revoked.', highlight=False)
    except TokenError as error:
        console.print(
            f'[red]{escape(str(error))}[/]' if str(path) in str(error) else f'[red]{escape(f"{error} (token file {path})")}[/]',
            soft_wrap=True,
        )
        return 1
    return 0
