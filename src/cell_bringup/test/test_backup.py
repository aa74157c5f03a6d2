import json
import os
import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from cell_bringup.backup import newest_backup
from cell_bringup.backup_archive import MANIFEST, BackupError, extract_archive, read_manifest
from cell_bringup.cli import main

from cell_bringup import backup


@pytest.fixture
def state(tmp_path):
    """State folder of a stopped cell, with all kinds of content."""
    folder = tmp_path / 'state'
    for name in (
        'recordings/a/a.mcap',
        'kept_frames/1.jpg',
        'logs/log.txt',
        'sub/notes.txt',
        'settings.json',
        'cell.db.in-use',
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    with closing(sqlite3.connect(folder / 'cell.db')) as database:
        database.execute('PRAGMA journal_mode=WAL')
        database.execute('CREATE TABLE bag (id INTEGER PRIMARY KEY)')
        database.execute('INSERT INTO bag VALUES (1)')
        database.commit()
    return folder


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    return ended.value.code


def bags(folder):
    with closing(sqlite3.connect(folder / 'cell.db')) as database:
        return [row[0] for row in database.execute('SELECT id FROM bag ORDER BY id')]


@pytest.fixture
def archive(state, tmp_path):
    path = tmp_path / 'b.tar.gz'
    assert run('backup', '--state-dir', state, '--to', path) == 0
    return path


def test_a_backup_brings_the_data_back_and_keeps_the_former_state(state, archive, capsys):
    with closing(sqlite3.connect(state / 'cell.db')) as database:
        database.execute('DELETE FROM bag')
        database.commit()
    (state / 'settings.json').write_text('changed')
    assert run('restore', archive, '--state-dir', state) == 0
    assert bags(state) == [1] and (state / 'settings.json').read_text() == 'settings.json'
    former = next(state.glob('before-restore-*'))
    assert bags(former) == [] and (former / 'settings.json').read_text() == 'changed'
    assert (state / 'recordings/a/a.mcap').exists() and (state / 'kept_frames/1.jpg').exists()
    assert 'former data' in capsys.readouterr().out
    assert not list(state.glob('.restore-*'))


def test_recordings_logs_and_pictures_are_left_out_unless_asked_for(state, archive, tmp_path):
    names = set(read_manifest(archive).entries)
    assert {'state/cell.db', 'state/settings.json', 'state/sub/notes.txt', 'files/catalogue_file.yaml'} <= names
    assert not {name for name in names if 'recordings' in name or 'logs' in name or 'kept' in name or 'in-use' in name}
    with_pictures = tmp_path / 'p.tar.gz'
    assert run('backup', '--state-dir', state, '--to', with_pictures, '--pictures') == 0
    assert 'state/kept_frames/1.jpg' in read_manifest(with_pictures).entries


def test_without_a_name_it_is_in_the_state_folder_and_later_backups_leave_it_out(state):
    assert newest_backup(state) is None
    assert run('backup', '--state-dir', state) == 0
    found = newest_backup(state)
    assert found is not None and not [name for name in read_manifest(found).entries if 'backups' in name]
    assert found.stat().st_mode & 0o007 == 0


def test_a_backup_while_the_cell_writes_is_one_moment_of_it(state, tmp_path):
    done = threading.Event()

    def write():
        with closing(sqlite3.connect(state / 'cell.db', timeout=30)) as database:
            number = 1
            while not done.is_set():
                # Two rows in each transaction: a copy in between would have an odd number of them.
                database.executemany('INSERT INTO bag VALUES (?)', [(2 * number,), (2 * number + 1,)])
                database.commit()
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            path = tmp_path / f'{number}.tar.gz'
            assert run('backup', '--state-dir', state, '--to', path) == 0
            extract_archive(path, tmp_path / str(number))
            found = bags(tmp_path / str(number) / 'state')
            assert len(found) % 2 == 1, 'a transaction was cut'
    finally:
        done.set()
        writer.join()


def damaged(archive, tmp_path, change):
    """Return an archive whose unpacked content was changed."""
    folder = tmp_path / 'unpacked'
    with tarfile.open(archive) as content:
        content.extractall(folder, filter='data')
    change(folder)
    path = tmp_path / 'changed.tar.gz'
    with tarfile.open(path, 'w:gz') as content:
        for file in sorted(folder.rglob('*')):
            if file.is_file():
                content.add(file, str(file.relative_to(folder)))
    return path


def rewrite_manifest(folder, **values):
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        (lambda folder: (folder / 'state/settings.json').write_text('other content'), 'checksum differs'),
        (lambda folder: (folder / 'state/settings.json').unlink(), 'lacks state/settings.json'),
        (lambda folder: (folder / 'state/more.txt').write_text('x'), 'not in its manifest'),
        (lambda folder: (folder / MANIFEST).unlink(), 'no complete backup'),
        (lambda folder: (folder / MANIFEST).write_text('{}'), 'no complete backup'),
        (lambda folder: rewrite_manifest(folder, format=99), 'has form 99'),
        (lambda folder: rewrite_manifest(folder, version='99.0.0'), 'update the software'),
    ],
)
def test_a_backup_that_is_not_whole_replaces_nothing(state, archive, tmp_path, change, word, capsys):
    path = damaged(archive, tmp_path, change)
    assert run('restore', path, '--state-dir', state) == 1
    assert word in ' '.join(capsys.readouterr().out.split())
    assert bags(state) == [1] and not list(state.glob('before-restore-*')) and not list(state.glob('.restore-*'))


def test_a_torn_file_is_refused(state, archive, tmp_path, capsys):
    path = tmp_path / 'torn.tar.gz'
    path.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    assert run('restore', path, '--state-dir', state) == 1
    assert bags(state) == [1] and 'choose another' in ' '.join(capsys.readouterr().out.split())


def test_a_damaged_database_is_neither_backed_up_nor_restored(state, archive, tmp_path):
    data = bytearray((state / 'cell.db').read_bytes())
    data[100:400] = os.urandom(300)
    (state / 'cell.db').write_bytes(data)
    assert run('backup', '--state-dir', state, '--to', tmp_path / 'c.tar.gz') == 1
    assert not (tmp_path / 'c.tar.gz').exists()


def test_a_cell_that_runs_is_not_restored(state, archive, monkeypatch, capsys):
    monkeypatch.setattr(backup.os, 'getpid', lambda: 0)  # this process is then another one
    with closing(sqlite3.connect(state / 'cell.db')) as database:
        database.execute('SELECT * FROM bag').fetchall()
        assert run('restore', archive, '--state-dir', state) == 1
        assert 'stop the cell' in ' '.join(capsys.readouterr().out.split())
        assert run('restore', archive, '--state-dir', state, '--check') == 0
    assert bags(state) == [1]


def test_a_database_on_a_server_is_named(monkeypatch):
    from cell_bringup.state_folder import CellState

    server = CellState(Path('/nowhere'), 'postgresql://cell@db/cell', 'test')
    monkeypatch.setattr(backup, 'find_state', lambda _namespace: server)
    assert run('backup') == 1


def test_a_missing_database_is_no_backup(tmp_path):
    assert run('backup', '--state-dir', tmp_path, '--to', tmp_path / 'x.tar.gz') == 1
    assert not (tmp_path / 'x.tar.gz').exists()


def test_names_outside_of_the_archive_are_refused(tmp_path):
    path = tmp_path / 'evil.tar.gz'
    with tarfile.open(path, 'w:gz') as content:
        for name, data in (
            ('state/../../evil', b''),
            (MANIFEST, json.dumps({'format': 1, 'version': '0', 'created': '', 'namespace': '', 'pictures': False}).encode()),
        ):
            source = tmp_path / 'data'
            source.write_bytes(data)
            content.add(source, name)
    with pytest.raises(BackupError):
        extract_archive(path, tmp_path / 'out')
    assert not (tmp_path / 'evil').exists()
