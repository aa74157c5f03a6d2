"""A replay reaches nothing outside its own folder: no socket, no file, no row of the live cell."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cell_history.bags.reader import BagReader
from cell_history.replay.decide_again import ReplaySession, SessionOptions
from cell_history.replay.recording import Recording

RECORDINGS = Path(__file__).resolve().parents[4] / 'test' / 'data' / 'recordings'


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('name', ['normal_job', 'scale_shift'])
def test_a_replay_opens_no_socket_and_writes_into_its_folder_only(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, own = tmp_path / 'home', tmp_path / 'own'
    (home / '.local' / 'state' / 'cell').mkdir(parents=True)
    # Settings of a live cell that would post bags, where weigh_station looks for them.
    settings = '{"site_url": "http://127.0.0.1:1/", "controller": "c", "function": "f", "api_key": "k"}'
    for folder in (home / '.local' / 'state' / 'cell', tmp_path):
        (folder / 'settings.json').write_text(settings, encoding='utf-8')
    before = files_below(tmp_path)
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.chdir(tmp_path)
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, 'connect', lambda *arguments: opened.append(arguments))
    monkeypatch.setattr(socket.socket, 'bind', lambda *arguments: opened.append(arguments))
    with BagReader(RECORDINGS / name) as bag:
        recording = Recording.read(bag)
        with ReplaySession(recording, SessionOptions(folder=own)) as session:
            assert list(session.run())
    assert opened == []
    written = files_below(tmp_path) - before
    assert written and all(path.is_relative_to(own) for path in written)
