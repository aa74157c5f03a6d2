"""`cell backup` and `cell restore`: the data of a cell as one file, and back."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rich.console import Console
from rich.markup import escape
from sqlalchemy.engine import make_url

from cell_bringup.backup_archive import (
    FORMAT,
    BackupError,
    Manifest,
    Source,
    extract_archive,
    read_manifest,
    write_archive,
)
from cell_bringup.state_folder import CellState, find_state

__all__ = ['BACKUPS', 'newest_backup', 'run_backup', 'run_restore']

BACKUPS = 'backups'
PATTERN = 'cell-*.tar.gz'
FILE_ARGUMENTS = {'catalogue_file': 'parts.yaml', 'recipe_file': 'recipe.yaml', 'params_file': 'cell.yaml'}
"""Launch arguments that name files of the cell, and the file of config/ that is used without them."""
USERS_ONLY = 0o640


def run_backup(options: argparse.Namespace, console: Console) -> int:
    """Run `cell backup`; return the exit code.

    Args:
        options: `namespace`, `state_dir`, `to` and `pictures`.
        console: Output.
    """
    state = _state_of(options)
    stamp = datetime.now(timezone.utc)
    target = options.to or state.folder / BACKUPS / f'cell-{stamp:%Y%m%dT%H%M%SZ}.tar.gz'
    manifest = Manifest(FORMAT, _version(), stamp.isoformat(timespec='seconds'), options.namespace, options.pictures)
    try:
        source = Source(state.folder, _database_file(state), _files(state), options.pictures)
        whole = write_archive(source, target, manifest)
        # It is read back: a backup that cannot be restored is worse than none.
        read_manifest(target)
        target.chmod(USERS_ONLY)
    except BackupError as error:
        return _refuse(error, console)
    megabytes = target.stat().st_size / 1e6
    console.print(f'{escape(str(target))}: {len(whole.entries)} files, {megabytes:.1f} MB', soft_wrap=True, highlight=False)
    return 0


def run_restore(options: argparse.Namespace, console: Console) -> int:
    """Run `cell restore`; return the exit code. Nothing is replaced before the whole archive is checked.

    Args:
        options: `namespace`, `state_dir`, `file` and `check`.
        console: Output.
    """
    state = _state_of(options)
    try:
        if not options.check and (users := _users_of(state.folder)):
            raise BackupError(f'process {", ".join(users)} uses {state.folder}: stop the cell (systemctl stop cell) first')
        manifest = read_manifest(options.file)
        if _numbers(manifest.version) > _numbers(_version()):
            raise BackupError(
                f'{options.file} is of version {manifest.version}, this is {_version()}: update the software first'
            )
        lines = _restore(state, options.file, manifest, check_only=options.check)
    except (BackupError, OSError) as error:
        return _refuse(error, console)
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)
    return 0


def newest_backup(folder: Path) -> Path | None:
    """Return the newest backup of a state folder; None = there is none.

    Args:
        folder: The state folder.
    """
    found = sorted((folder / BACKUPS).glob(PATTERN), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _restore(state: CellState, archive: Path, manifest: Manifest, *, check_only: bool) -> list[str]:
    """Check an archive in a folder beside the data, then exchange both; return what to tell the operator."""
    database = _database_file(state)
    stamp = f'{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}'
    state.folder.mkdir(parents=True, exist_ok=True)
    fresh = state.folder / f'.restore-{stamp}'
    try:
        extract_archive(archive, fresh)
        if check_only:
            return [f'{archive} is complete: version {manifest.version}, {manifest.created}, {len(manifest.entries)} files']
        former = state.folder / f'before-restore-{stamp}'
        former.mkdir()
        for suffix in ('', '-wal', '-shm', '-journal'):
            path = database.with_name(database.name + suffix)
            if path.exists():
                path.replace(former / path.name)
        shutil.move(fresh / 'state' / 'cell.db', database)
        for path in sorted((fresh / 'state').iterdir()):
            if (state.folder / path.name).exists():
                (state.folder / path.name).replace(former / path.name)
            path.replace(state.folder / path.name)
        lines = [f'restored: {archive}, version {manifest.version}, {manifest.created}', f'former data: {former}']
        if (fresh / 'files').is_dir():
            files = state.folder / f'restored-files-{stamp}'
            (fresh / 'files').replace(files)
            # Not put back in place: they may lie in a folder of the software or of the integrator.
            origins = ', '.join(f'{files / Path(name).name} (was {path})' for name, path in manifest.origins.items())
            lines.append(f'files of the launch: {origins}')
        return lines
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _state_of(options: argparse.Namespace) -> CellState:
    if options.state_dir is None:
        return find_state(options.namespace)
    folder = options.state_dir.resolve()
    running = find_state(options.namespace)
    return running if running.folder == folder else CellState(folder, f'sqlite:///{folder / "cell.db"}', 'named')


def _database_file(state: CellState) -> Path:
    """Return the file of the database.

    Raises:
        BackupError: It is on a server.
    """
    url = make_url(state.database_url)
    if url.get_backend_name() != 'sqlite' or not url.database:
        raise BackupError(
            f'the database is on a server ({url.get_backend_name()}): back it up with its own tools (pg_dump, mysqldump)'
        )
    return Path(url.database).expanduser()


def _files(state: CellState) -> dict[str, Path]:
    """Return name -> file of catalogue, recipe, parameters and settings of the running cell, or those of config/."""
    found: dict[str, Path] = {}
    for argument, name in FILE_ARGUMENTS.items():
        if path := state.files.get(argument) or _shipped(name):
            found[f'{argument}{path.suffix}'] = path
    if path := state.files.get('settings_file'):
        found[f'settings_file{path.suffix}'] = path
    return found


def _shipped(name: str) -> Path | None:
    try:
        return Path(get_package_share_directory('cell_bringup')) / 'config' / name
    except PackageNotFoundError:
        return None


def _users_of(folder: Path, proc: Path = Path('/proc')) -> list[str]:
    """Return the ids of the processes that have a file of the folder open."""
    inside = f'{folder.resolve()}{os.sep}'
    return [
        process.name
        for process in sorted(proc.glob('[0-9]*'), key=lambda path: int(path.name))
        if int(process.name) != os.getpid() and any(path.startswith(inside) for path in _opened(process))
    ]


def _opened(process: Path) -> list[str]:
    """Return the open files of a process; none when it has ended or belongs to another user."""
    found = []
    with contextlib.suppress(OSError):
        for handle in (process / 'fd').iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found.append(str(handle.readlink()))
    return found


def _version() -> str:
    return version('cell_bringup')


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split('.') if part.isdigit())


def _refuse(error: Exception, console: Console) -> int:
    console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True, highlight=False)
    return 1
