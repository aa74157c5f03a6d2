"""The recipe file is written as a whole, with its former versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cell_robot.teaching import recipe_store
from cell_robot.teaching.recipe_store import RecipeStore, StoreError


def make(folder: Path, text: str = 'one') -> RecipeStore:
    file = folder / 'recipe.yaml'
    file.write_text(text)
    file.chmod(0o640)
    return RecipeStore(file)


def test_the_former_version_is_kept_with_its_mode(tmp_path: Path) -> None:
    store = make(tmp_path)
    first = store.write('two', 'one')
    second = store.write('three', 'two')
    assert (store.read(), first.read_text(), second.read_text()) == ('three', 'one', 'two')
    assert store.versions() == [first, second]
    assert store.path.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(['recipe.yaml', first.name, second.name])


def test_a_file_that_was_edited_is_not_overwritten(tmp_path: Path) -> None:
    store = make(tmp_path)
    store.path.write_text('edited')
    with pytest.raises(StoreError, match='was changed'):
        store.write('two', 'one')
    assert store.read() == 'edited' and store.versions() == []


def test_a_write_that_fails_leaves_the_former_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make(tmp_path)

    def fail(_handle: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(StoreError, match='No space left'):
        store.write('two', 'one')
    assert store.read() == 'one' and not list(tmp_path.glob('.recipe*'))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match='cannot be read'):
        RecipeStore(tmp_path / 'none.yaml').read()


def test_only_the_newest_versions_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_store, 'KEPT', 3)
    store = make(tmp_path, '0')
    for number in range(6):
        store.write(str(number + 1), str(number))
    assert [path.read_text() for path in store.versions()] == ['3', '4', '5']
