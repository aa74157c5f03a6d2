"""Archive of a cell's data: written while the cell runs, and checked before anything is restored.

One .tar.gz: `manifest.json` with checksums and versions, `state/` with the database and the files of the state folder, `files/`
with catalogue, recipe, parameters and settings of the launch.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

__all__ = ['BackupError', 'Manifest', 'Source', 'extract_archive', 'read_manifest', 'write_archive']

FORMAT = 1
MANIFEST, DATABASE = 'manifest.json', 'state/cell.db'
LEFT_OUT = {'recordings', 'logs', 'views', 'backups'}
"""Folders of the state folder that are large, or made again."""
PICTURES = 'kept_frames'
DATABASE_SUFFIXES = ('', '-wal', '-shm', '-journal', '.in-use')
CHUNK = 1 << 20


class BackupError(Exception):
    """A backup cannot be written or used; the text says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One file of the archive: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive holds.

    Attributes:
        format: Number of the archive's form.
        version: Version of the software that wrote it.
        created: UTC, ISO 8601.
        namespace: Namespace of the cell.
        pictures: Whether kept pictures are in it.
        origins: Name below `files/` -> path that it was copied from.
        entries: Name -> size and checksum of each file.
    """

    format: int
    version: str
    created: str
    namespace: str
    pictures: bool
    origins: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """What to back up.

    Attributes:
        state: State folder.
        database: SQLite file.
        files: Name -> file outside the state folder: catalogue, recipe, parameters, settings.
        pictures: Also kept pictures.
    """

    state: Path
    database: Path
    files: Mapping[str, Path]
    pictures: bool


def write_archive(source: Source, target: Path, manifest: Manifest) -> Manifest:
    """Write an archive; a file that exists is replaced only when the new one is complete.

    The database is copied by SQLite's backup API: the copy is one moment of it, also while nodes write. It is checked.

    Args:
        source: What to back up.
        target: The .tar.gz.
        manifest: Without `origins` and `entries`.

    Returns:
        The whole manifest.

    Raises:
        BackupError: There is no database, or a file cannot be read or written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix='.backup-', dir=target.parent) as folder:
            copies = {DATABASE: _copy_database(source.database, Path(folder) / 'cell.db'), **_files_of(source)}
            entries = {}
            partial = Path(folder) / target.name
            with tarfile.open(partial, 'w:gz', compresslevel=6) as archive:
                for name, path in copies.items():
                    # Read once: a file that grows meanwhile must have the size that its checksum is for.
                    data = path.read_bytes()
                    entries[name] = Entry(len(data), hashlib.sha256(data).hexdigest())
                    _add(archive, name, data)
                origins = {f'files/{name}': str(path) for name, path in source.files.items() if f'files/{name}' in entries}
                whole = Manifest(**{**vars(manifest), 'origins': origins, 'entries': entries})
                _add(archive, MANIFEST, json.dumps(asdict(whole), indent=2).encode())
            _flush(partial)
            partial.replace(target)
            _flush(target.parent)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f'the backup cannot be written to {target}: {error}') from error
    return whole


def read_manifest(archive: Path) -> Manifest:
    """Return the manifest of an archive.

    Raises:
        BackupError: The file is no backup, or one of a later release.
    """
    try:
        with tarfile.open(archive, 'r:gz') as content:
            member = content.extractfile(MANIFEST)
            data = json.loads(member.read() if member else b'')
        manifest = Manifest(**{**data, 'entries': {name: Entry(**entry) for name, entry in data['entries'].items()}})
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f'{archive} is no complete backup of a cell ({error}): choose another one') from error
    if manifest.format != FORMAT:
        raise BackupError(f'{archive} has form {manifest.format}, this software reads {FORMAT}: use the release that wrote it')
    return manifest


def extract_archive(archive: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder, checking every file and the database.

    Args:
        archive: The .tar.gz.
        folder: Is made; nothing outside of it is written.

    Raises:
        BackupError: A file is missing, has other content, is unexpected, or the database is damaged.
    """
    manifest = read_manifest(archive)
    missing = set(manifest.entries)
    try:
        with tarfile.open(archive, 'r:gz') as content:
            for member in content:
                if member.name == MANIFEST:
                    continue
                entry = manifest.entries.get(member.name)
                stream = content.extractfile(member) if member.isreg() else None
                if entry is None or stream is None or not _is_inside(member.name) or member.name not in missing:
                    raise BackupError(f'{archive}: {member.name} is not in its manifest: do not use this file')
                _write_checked(stream, folder / member.name, entry, f'{archive}: {member.name}')
                missing.discard(member.name)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BackupError(f'{archive} cannot be read to its end ({error}): choose another one') from error
    if missing:
        raise BackupError(f'{archive} lacks {", ".join(sorted(missing)[:3])}: choose another one')
    if DATABASE not in manifest.entries:
        raise BackupError(f'{archive} holds no database: choose another one')
    _check_database(folder / DATABASE)
    return manifest


def _files_of(source: Source) -> dict[str, Path]:
    """Return name -> file of everything besides the database, sorted."""
    found = {f'state/{path.relative_to(source.state).as_posix()}': path for path in _state_files(source)}
    outside = {f'files/{name}': path for name, path in source.files.items() if path.is_file()}
    return {**dict(sorted(found.items())), **outside}


def _state_files(source: Source) -> Iterator[Path]:
    left_out = LEFT_OUT if source.pictures else {*LEFT_OUT, PICTURES}
    databases = {source.database.name + suffix for suffix in DATABASE_SUFFIXES}
    for path in source.state.iterdir():
        hidden_or_former = path.name.startswith(('.', 'before-restore-', 'restored-files-'))
        if path.name in left_out or path.name in databases or hidden_or_former:
            continue
        yield from (inner for inner in ([path] if not path.is_dir() else path.rglob('*')) if _is_plain(inner))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _copy_database(database: Path, target: Path) -> Path:
    """Copy a SQLite database at one moment, and check the copy.

    Raises:
        BackupError: There is none, or it is damaged.
    """
    if not database.is_file():
        raise BackupError(f'there is no database {database}: name the namespace of the cell, or start it once')
    # In one step: a reader does not hinder the writers of a database with a write-ahead log.
    live = sqlite3.connect(f'file:{database}?mode=rw', uri=True, timeout=30.0)
    with closing(live), closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute('PRAGMA journal_mode=DELETE')
    _check_database(target)
    return target


def _check_database(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True)) as database:
            result = database.execute('PRAGMA integrity_check').fetchone()[0]
    except sqlite3.Error as error:
        result = str(error)
    if result != 'ok':
        raise BackupError(f'the database is damaged ({result})')


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    information = tarfile.TarInfo(name)
    information.size, information.mode = len(data), 0o640
    archive.addfile(information, io.BytesIO(data))


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) > 1 and parts[0] in ('state', 'files') and '..' not in parts


def _write_checked(stream: IO[bytes], path: Path, entry: Entry, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('wb') as file:
        shutil.copyfileobj(stream, file, CHUNK)
    data = path.read_bytes()
    if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise BackupError(f'{name} is damaged: its checksum differs. Choose another backup')


def _flush(path: Path) -> None:
    """Write a file or folder to the disk, so that a power cut leaves the old or the new archive."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
