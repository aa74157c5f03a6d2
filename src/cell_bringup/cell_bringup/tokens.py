"""Create, list and revoke the tokens of programs that post bags to the cell."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from cell_web.tokens import TokenError, TokenFile
from rich.console import Console
from rich.markup import escape


def work_with_tokens(action: str, name: str, path: Path, console: Console) -> int:
    """Run `cell token`; return the exit code. A new token is shown once and stored nowhere.

    Args:
        action: "new", "list" or "revoke".
        name: What the token is for; "" only for "list".
        path: Token file.
        console: Output.
    """
    tokens = TokenFile(path)
    try:
        if action == 'list':
            entries = tokens.entries()
            for entry in entries:
                console.print(escape(f'{entry.name}  made {entry.made_at}'), highlight=False)
            if not entries:  # not on stdout: scripts read the list there
                Console(stderr=True).print(f'no tokens in {escape(str(path))}', soft_wrap=True)
        elif action == 'new':
            token = tokens.create(name, datetime.now(timezone.utc).isoformat(timespec='seconds'))
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
