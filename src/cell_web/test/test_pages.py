from __future__ import annotations

from pathlib import Path

import pytest
from cell_web.pages import IMMUTABLE, REVALIDATE, cache_control, find_page_folder, resolve_static_file


def test_the_first_folder_with_a_page_is_used(tmp_path: Path) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'built').mkdir()
    (tmp_path / 'built' / 'index.html').write_text('page')
    assert find_page_folder([tmp_path / 'none', tmp_path / 'empty', tmp_path / 'built']) == tmp_path / 'built'
    assert find_page_folder([tmp_path / 'none']) is None


def test_files_are_found_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / 'page'
    (folder / 'assets').mkdir(parents=True)
    (folder / 'index.html').write_text('page')
    (folder / 'assets' / 'a.js').write_text('1')
    (tmp_path / 'secret').write_text('s')
    assert resolve_static_file(folder, '/') == folder / 'index.html'
    assert resolve_static_file(folder, '/assets/a.js') == folder / 'assets' / 'a.js'
    assert [resolve_static_file(folder, path) for path in ('/../secret', '//etc/passwd', '/assets', '/none', '/a\0')] == [
        None
    ] * 5


@pytest.mark.parametrize('path', ['/' + 'a' * 6000, '/' + 'a/' * 3000, '/\udcff', '/' + 'ä' * 300])
def test_a_path_that_no_file_can_have_is_not_found(tmp_path: Path, path: str) -> None:
    assert resolve_static_file(tmp_path, path) is None


def test_hashed_assets_are_cached_and_other_files_revalidated() -> None:
    assert (cache_control('/assets/a-1.js'), cache_control('/'), cache_control('/icon.svg')) == (
        IMMUTABLE,
        REVALIDATE,
        REVALIDATE,
    )


BUILT = Path(__file__).resolve().parents[1] / 'hmi' / 'dist'
MAX_FIRST_LOAD = 150_000


@pytest.mark.skipif(not (BUILT / 'index.html').exists(), reason='the page is not built')
@pytest.mark.parametrize('ending', ['.gz', '.br'])
def test_the_first_load_is_small(ending: str) -> None:
    files = [file for file in BUILT.rglob('*') if file.suffix in ('.js', '.css', '.html', '.svg')]
    assert files
    assert sum(file.with_name(file.name + ending).stat().st_size for file in files) < MAX_FIRST_LOAD
