from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cell_history.queries.service import History, HistoryFolders
from cell_history.testing import JOB, PICTURE, START_NS, make_sample
from cell_web.request_session import Session
from cell_web.roles import VIEWER
from cell_web.server_history import HistoryRoutes
from cell_weighing.reader import open_reader

pytestmark = pytest.mark.slow
CLIP = '20261130T140312_reject_0001'


@pytest.fixture(scope='module')
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('state')
    make_sample(f'sqlite:///{folder}/cell.db', folder)
    (folder / 'recordings' / 'clips' / CLIP).mkdir()
    (folder / 'recordings' / 'clips' / CLIP / 'clip.mcap').write_bytes(b'not a bag')
    return folder


def get(folder: Path, *paths: str, known: bool = True) -> list[tuple[int, str, Any]]:
    """Return status, type and body of each path."""

    def session_of(_request: web.Request) -> Session:
        if not known:
            raise web.HTTPUnauthorized
        return Session(VIEWER)

    async def fetch() -> list[tuple[int, str, Any]]:
        engine = open_reader(f'sqlite:///{folder}/cell.db')
        app = web.Application()
        folders = HistoryFolders(folder / 'kept_frames', folder / 'recordings' / 'clips')
        HistoryRoutes(History(engine, folders), lambda: START_NS + 3600 * 10**9).add_routes(app.router, session_of)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, '127.0.0.1', 0)
            await site.start()
            root = f'http://127.0.0.1:{runner.addresses[0][1]}/api/history/'
            answers = []
            async with ClientSession() as session:
                for path in paths:
                    async with session.get(root + path) as response:
                        body = await response.read()
                        json_type = response.content_type == 'application/json'
                        answers.append((response.status, response.content_type, json.loads(body) if json_type else body))
            return answers
        finally:
            await runner.cleanup()
            engine.dispose()

    return asyncio.run(fetch())


def test_lists_pages_and_tables(state: Path) -> None:
    first, rejects, table = get(state, 'pieces?limit=3', 'pieces?faults=1&text=em1', 'commands.csv?limit=1')
    assert [row['piece'] for row in first[2]['items']] == [8, 7, 6] and first[2]['items'][1]['clip'] == CLIP
    (rest,) = get(state, f'pieces?cursor={first[2]["next"]}')
    assert [row['piece'] for row in rest[2]['items']] == [5, 4, 3, 2, 1] and rest[2]['next'] == ''
    assert [row['piece'] for row in rejects[2]['items']] == [7]
    assert table[1] == 'text/csv' and table[2].decode().splitlines()[1].split(',')[2] == 'run_job'


def test_one_piece_its_picture_and_one_bag(state: Path) -> None:
    piece, picture, bag = get(state, f'pieces/{JOB}/7', f'pictures/{PICTURE}', 'bags/1')
    assert piece[2]['id'] == f'{JOB}/7' and 'not as X1' in piece[2]['why'][0] and len(piece[2]['triggers']) == 2
    assert piece[2]['pictures'][0]['file'] == PICTURE and picture[1] == 'image/jpeg' and picture[2][:2] == b'\xff\xd8'
    assert bag[2]['delivery']['state'] == 'DELIVERED'


def test_the_report_of_a_job_and_of_a_time(state: Path) -> None:
    page, time_page, table = get(state, f'report.html?job={JOB}', 'report.html', f'report.csv?job={JOB}')
    assert page[1] == 'text/html' and f'pictures/{PICTURE}' in page[2].decode() and '7 placed, 1 rejected' in page[2].decode()
    assert '7 placed, 1 rejected' in time_page[2].decode() and b'rejected,1,pieces' in table[2]
    wrong = ('report.html?job=none', 'report.html?since=2020-01-01', 'report.csv?until=2020-01-01&since=2021-01-01')
    assert [answer[0] for answer in get(state, *wrong)] == [404, 400, 400]


def test_what_is_not_there_and_what_is_wrong(state: Path) -> None:
    missing = ('pieces/none/1', 'bags/99', 'pictures/none.jpg', 'pictures/..%2Fcell.db', f'clips/{CLIP[:-1]}2.mcap', 'tables')
    assert [answer[0] for answer in get(state, *missing)] == [404] * len(missing)
    wrong = ('pieces?limit=x', 'pieces?cursor=x', 'jobs?since=noon')
    assert [answer[0] for answer in get(state, *wrong)] == [400] * len(wrong)


def test_a_clip_is_downloaded_and_a_damaged_one_is_not_played(state: Path) -> None:
    load, play = get(state, f'clips/{CLIP}.mcap', f'clips/{CLIP}.mjpg')
    assert (load[0], load[2], play[0]) == (200, b'not a bag', 404)


def test_without_a_session_nothing_is_answered(state: Path) -> None:
    paths = ('pieces', 'pieces.csv', f'pieces/{JOB}/7', f'pictures/{PICTURE}', f'clips/{CLIP}.mcap', 'bags/1', 'openapi.json')
    assert [answer[0] for answer in get(state, *paths, known=False)] == [401] * len(paths)


def test_a_database_without_tables_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / 'cell.db').touch()
    assert get(tmp_path, 'pieces')[0][0] == 503
