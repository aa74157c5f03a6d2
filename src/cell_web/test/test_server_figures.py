from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cell_common.database import open_database
from cell_coordinator.testing import JobState, store_job
from cell_web.request_session import Session
from cell_web.roles import VIEWER
from cell_web.server_figures import FiguresRoutes

pytestmark = pytest.mark.slow
NOW = time.time_ns()


def make_app(path: Path) -> web.Application:
    app = web.Application()
    routes = FiguresRoutes(open_database(f'sqlite:///{path}'), lambda: NOW)
    routes.add_routes(app.router, lambda _request: Session(VIEWER))
    return app


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / 'cell.db'
    states = [(JobState.RUNNING, 100), (JobState.PAUSED, 60), (JobState.RUNNING, 20), (JobState.DONE, 0)]
    store_job(f'sqlite:///{path}', NOW, states, 'robot: lost')
    return path


async def fetch(app: web.Application, path: str) -> tuple[int, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, '127.0.0.1', 0)
        await site.start()
        port = runner.addresses[0][1]
        async with ClientSession() as session, session.get(f'http://127.0.0.1:{port}{path}') as response:
            return response.status, await response.text()
    finally:
        await runner.cleanup()


def get(database: Path, path: str) -> tuple[int, str]:
    import asyncio

    return asyncio.run(fetch(make_app(database), path))


def test_figures_come_as_json_and_csv(database: Path) -> None:
    status, text = get(database, '/api/figures.json?hours=1&part=X1&shifts=06:00,14:00,22:00')
    answer: dict[str, Any] = json.loads(text)
    assert status == 200 and answer['total']['availability'] == pytest.approx(0.6, abs=0.01)
    assert answer['stops'] == [{'reason': 'robot', 'count': 1, 'seconds': pytest.approx(40)}]
    assert answer['total']['oee'] is None and answer['shifts'] and answer['jobs'][0]['name'] == 'a'
    status, text = get(database, '/api/figures.csv')
    assert status == 200 and text.splitlines()[1].startswith('total,all')
    assert json.loads(get(database, '/api/figures.json?part=OTHER')[1])['jobs'] == []


@pytest.mark.parametrize('query', ['hours=0', 'hours=x', 'hours=1e9', 'hours=nan', 'shifts=25:00', 'ideal_cycle=-1'])
def test_a_wrong_query_is_refused(database: Path, query: str) -> None:
    assert get(database, f'/api/figures.json?{query}')[0] == 400


def test_before_the_coordinator_has_run_there_are_no_figures(tmp_path: Path) -> None:
    assert get(tmp_path / 'none.db', '/api/figures.csv')[0] == 503
