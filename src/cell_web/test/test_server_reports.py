from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from cell_common.ids import new_id
from cell_common.runner import StartError
from cell_common.testing import NodeGraph, wait_until
from cell_web.gateway_node import GatewayNode
from cell_weighing.reports import POLICY
from cell_weighing.testing import ReadingStatus, WeightReading, open_store, start_job

Browse = Callable[[Callable[[ClientSession], Any]], Any]


@pytest.fixture
def job_id(tmp_path: Path) -> int:
    store = open_store(f'sqlite:///{tmp_path}/cell.db')
    job = start_job(store)
    store.process_readings([WeightReading(new_id(), '1', 1, time.time_ns(), 0, b'', ReadingStatus.VALID, '1.12', 'kg')])
    return job.job_id


@pytest.fixture
def get(graph: NodeGraph, browse: Browse, tmp_path: Path) -> Callable[..., tuple[int, dict[str, str], str]]:
    def run(path: str, database: str = 'cell.db') -> tuple[int, dict[str, str], str]:
        url = database and f'sqlite:///{tmp_path}/{database}'
        node = graph.add(GatewayNode(**graph.options(port=0, rosbridge_port=1, database_url=url, hmi_folder=str(tmp_path))))
        port = wait_until(lambda: node.server.state.port, what='the gateway listens')

        async def work(session: ClientSession) -> tuple[int, dict[str, str], str]:
            async with session.get(f'http://127.0.0.1:{port}{path}') as response:
                return response.status, dict(response.headers), await response.text()

        result: tuple[int, dict[str, str], str] = browse(work)
        return result

    return run


def test_a_report_comes_as_a_page_with_a_policy_of_its_own(get: Any, job_id: int) -> None:
    status, headers, text = get(f'/api/weighing/jobs/{job_id}/report.html')
    assert status == 200 and 'ACME' in text and headers['Content-Type'].startswith('text/html')
    assert headers['Content-Security-Policy'] == POLICY and headers['X-Content-Type-Options'] == 'nosniff'


def test_bags_come_as_a_file(get: Any, job_id: int) -> None:
    status, headers, text = get(f'/api/weighing/jobs/{job_id}/bags.csv')
    assert status == 200 and f'weigh_job_{job_id}.csv' in headers['Content-Disposition']
    header, row = (line.split(',') for line in text.splitlines()[:2])
    assert row[header.index('weight')] == '1.12'


def test_a_job_that_is_not_there_is_not_found(get: Any, job_id: int) -> None:
    status, _, text = get('/api/weighing/jobs/99/report.html')
    assert (status, text) == (404, 'there is no weigh job 99')


def test_before_the_weigh_side_has_run_there_is_nothing_to_report(get: Any) -> None:
    status, _, text = get('/api/weighing/jobs/1/bags.csv')
    assert status == 503 and 'weigh_station' in text


def test_without_a_database_no_reports_are_served(get: Any) -> None:
    assert get('/api/weighing/jobs/1/bags.csv', database='')[0] in (404, 503)


def test_a_database_url_that_is_none_stops_the_start(graph: NodeGraph) -> None:
    with pytest.raises(StartError, match='database_url'):
        GatewayNode(**graph.options(port=0, database_url='nonsense'))
