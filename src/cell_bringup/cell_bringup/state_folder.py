"""State folder of the running cell, found by the command line of its launch process.

`cell report`, `cell token` and `cell user` need no node; both go through `find_state`, so that they read the same folder.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

__all__ = ['CellState', 'find_state', 'running_states']

LAUNCH_FILE = b'cell.launch.py'
HERE = Path('state')
AT_HOME = Path('.local') / 'state' / 'cell'
DOMAIN = 'ROS_DOMAIN_ID'
FILES = ('catalogue_file', 'recipe_file', 'params_file', 'settings_file')
"""Launch arguments that name a file."""
DATABASE, TOKENS, USERS = 'cell.db', 'api_tokens.json', 'users.json'


@dataclass(frozen=True)
class CellState:
    """Where a cell keeps its persistent data.

    Attributes:
        folder: The state folder.
        database_url: SQLAlchemy URL of the database.
        reason: Why this folder was chosen, for messages.
        files: Launch argument -> file that the running cell was started with.
        environment: Environment of its launch process; empty when it belongs to another user.
    """

    folder: Path
    database_url: str
    reason: str
    files: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> Path:
        """File of the API tokens."""
        return self.folder / TOKENS

    @property
    def users(self) -> Path:
        """File of the users who may log in."""
        return self.folder / USERS


def find_state(namespace: str, proc: Path = Path('/proc')) -> CellState:
    """Return the state of the running cell; without one ./state if it exists, else the folder in the home folder.

    Args:
        namespace: Namespace of the cell, e.g. "cell".
        proc: Folder of the process table.
    """
    if found := running_states(proc).get(namespace.strip('/')):
        return found
    if (HERE / DATABASE).exists():
        return _in_folder(HERE.resolve(), 'no cell is running; ./state exists')
    return _in_folder(Path.home() / AT_HOME, 'no cell is running; the usual folder')


def running_states(proc: Path) -> dict[str, CellState]:
    """Return namespace -> state of every cell that runs on this machine in the ROS domain of this process.

    A process that ends meanwhile, or that belongs to another user and hides its command line, is left out.
    """
    found: dict[str, CellState] = {}
    for process in sorted(proc.glob('[0-9]*'), key=lambda path: int(path.name)):
        try:
            words = (process / 'cmdline').read_bytes().split(b'\0')
            home = pwd.getpwuid(process.stat().st_uid).pw_dir
        except (OSError, KeyError):
            continue
        if not any(word == LAUNCH_FILE or word.endswith(b'/' + LAUNCH_FILE) for word in words):
            continue
        environment = _environment_of(process)
        if environment is not None and environment.get(DOMAIN, '0') != os.environ.get(DOMAIN, '0'):
            continue
        arguments = dict(os.fsdecode(word).split(':=', 1) for word in words if b':=' in word)
        home = (environment or {}).get('HOME', home)
        state = _of_launch(arguments, process, Path(home))
        files = {name: _absolute(arguments[name], process) for name in FILES if arguments.get(name)}
        found[arguments.get('namespace', 'cell').strip('/')] = replace(state, files=files, environment=environment or {})
    return found


def _of_launch(arguments: Mapping[str, str], process: Path, home: Path) -> CellState:
    state = _in_folder(home / AT_HOME, f'the cell runs as process {process.name}')
    if folder := arguments.get('state_dir'):
        state = _in_folder(_absolute(folder, process), state.reason)
    return CellState(state.folder, arguments.get('database_url') or state.database_url, state.reason)


def _in_folder(folder: Path, reason: str) -> CellState:
    return CellState(folder, f'sqlite:///{folder / DATABASE}', reason)


def _environment_of(process: Path) -> dict[str, str] | None:
    """Return the environment of a process; None when it belongs to another user."""
    try:
        entries = (process / 'environ').read_bytes().split(b'\0')
    except OSError:
        return None
    return dict(os.fsdecode(entry).split('=', 1) for entry in entries if b'=' in entry)


def _absolute(folder: str, process: Path) -> Path:
    """Return a folder of the command line; a relative one starts where the process was started."""
    try:
        return (process / 'cwd').resolve() / folder
    except OSError:
        return Path(folder)
