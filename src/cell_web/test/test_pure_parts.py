from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cell_web.origins import host_allowed, host_of, origin_allowed
from cell_web.pages import FOREVER, REVALIDATE, caching_of, file_of, folder_of

from cell_web import mjpeg as multipart

PURE = ('allow_list', 'roles', 'origins', 'multipart', 'pages')


@pytest.mark.parametrize('module', PURE)
def test_pure_modules_touch_no_network_and_no_clock(module: str) -> None:
    tree = ast.parse((Path(multipart.__file__).parent / f'{module}.py').read_text(encoding='utf-8'))
    imported = {name.name.split('.')[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {(node.module or '').split('.')[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {'rclpy', 'socket', 'asyncio', 'aiohttp', 'time', 'datetime'}


@pytest.mark.parametrize(
    ('authority', 'host'),
    [
        ('Cell7:8080', 'cell7'),
        ('[::1]:8080', '::1'),
        ('10.0.0.5', '10.0.0.5'),
        ('[::1', ''),
        ('', ''),
    ],
)
def test_the_host_is_found_in_an_authority(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize('authority', ['127.0.0.1:8080', '[::1]:8080', 'localhost', 'CELL7:8080'])
def test_addresses_and_own_names_are_hosts(authority: str) -> None:
    assert host_allowed(authority, ['cell7'])


@pytest.mark.parametrize('authority', ['evil.example', 'cell7.evil.example', ''])
def test_foreign_names_are_not(authority: str) -> None:
    assert not host_allowed(authority, ['cell7'])


@pytest.mark.parametrize('origin', [None, 'http://cell7:8080', 'https://cell7:8080', 'https://plant.example'])
def test_own_page_listed_pages_and_programs_may_connect(origin: str | None) -> None:
    assert origin_allowed(origin, 'cell7:8080', ['https://plant.example'])


@pytest.mark.parametrize('origin', ['http://evil.example', 'http://cell7', 'null', '', 'file://', 'http://cell7:8080.evil'])
def test_other_pages_may_not(origin: str) -> None:
    assert not origin_allowed(origin, 'cell7:8080', [])


def test_a_part_tells_length_time_and_age() -> None:
    part = multipart.part(b'JPEG', 12_345_678_000, 250_000_000)
    head, body = part.split(b'\r\n\r\n')
    assert body == b'JPEG\r\n'
    assert head.split(b'\r\n') == [
        b'--frame',
        b'Content-Type: image/jpeg',
        b'Content-Length: 4',
        b'X-Timestamp: 12.345678',
        b'X-Age: 0.250',
    ]


def test_the_first_folder_with_a_page_is_taken(tmp_path: Path) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'built').mkdir()
    (tmp_path / 'built' / 'index.html').write_text('page')
    assert folder_of([tmp_path / 'none', tmp_path / 'empty', tmp_path / 'built']) == tmp_path / 'built'
    assert folder_of([tmp_path / 'none']) is None


def test_files_are_found_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / 'page'
    (folder / 'assets').mkdir(parents=True)
    (folder / 'index.html').write_text('page')
    (folder / 'assets' / 'a.js').write_text('1')
    (tmp_path / 'secret').write_text('s')
    assert file_of(folder, '/') == folder / 'index.html'
    assert file_of(folder, '/assets/a.js') == folder / 'assets' / 'a.js'
    assert [file_of(folder, path) for path in ('/../secret', '//etc/passwd', '/assets', '/none', '/a\0')] == [None] * 5


def test_named_by_content_is_kept_and_the_rest_asked_for_again() -> None:
    assert (caching_of('/assets/a-1.js'), caching_of('/'), caching_of('/icon.svg')) == (FOREVER, REVALIDATE, REVALIDATE)
