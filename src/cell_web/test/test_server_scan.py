from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from cell_common.runner import StartError
from cell_common.testing import NodeGraph, wait_until
from cell_web.gateway_node import GatewayNode
from cell_web.openapi import openapi_document
from cell_web.tokens import TokenFile
from cell_weighing.testing import (
    DeliveryItem,
    DeliveryVerdict,
    HttpPoster,
    HttpResult,
    WeighStationNode,
    WeighStore,
    classify,
    open_store,
    parse_receipt,
    start_job,
)

Post = Callable[..., tuple[int, dict[str, Any]]]
GOOD = {'weight': '1.12', 'unit': 'kg', 'scale': '3', 'station': 'A'}


@pytest.fixture
def store(tmp_path: Path) -> WeighStore:
    store = open_store(f'sqlite:///{tmp_path}/cell.db')
    start_job(store)
    return store


@pytest.fixture
def station(graph: NodeGraph, store: WeighStore, tmp_path: Path) -> WeighStationNode:
    return graph.add(WeighStationNode(**graph.options(database_url=f'sqlite:///{tmp_path}/cell.db')))


@pytest.fixture
def make_gateway(graph: NodeGraph, tmp_path: Path) -> Callable[..., str]:
    def make(**parameters: Any) -> str:
        options = {
            'port': 0,
            'rosbridge_port': 1,
            'api_enabled': True,
            'api_tokens_file': str(tmp_path / 'tokens.json'),
            'hmi_folder': str(tmp_path),
        }
        node = graph.add(GatewayNode(**graph.options(**options | parameters)))
        port = wait_until(lambda: node.server.state.port, what='the gateway listens')
        return f'http://127.0.0.1:{port}'

    return make


@pytest.fixture
def post(make_gateway: Callable[..., str], browse: Any, token: str, station: WeighStationNode) -> Post:
    url = make_gateway()

    def run(form: Any = None, key: str = '', authorization: str = f'Bearer {token}') -> tuple[int, dict[str, Any]]:
        headers = {'Authorization': authorization} | ({'Idempotency-Key': key} if key else {})

        async def work(session: ClientSession) -> tuple[int, dict[str, Any]]:
            async with session.post(f'{url}/api/prepuff/scan_bag', data=form or GOOD, headers=headers) as response:
                return response.status, await response.json()

        result: tuple[int, dict[str, Any]] = browse(work)
        return result

    return run


def test_a_posted_bag_is_recorded_once_whatever_goes_wrong_on_the_way_back(post: Post, store: WeighStore) -> None:
    first = post(key='bag-1')
    assert first[0] == 200 and first[1]['bag_num'] == 1 and first[1]['in_tolerance'] is True
    assert post(key='bag-1') == first
    status, body = post(key='bag-2')
    assert (status, body['bag_num'], body['job_complete']) == (200, 2, True)
    assert len(store.latest_bags()) == 2 and store.latest_bags()[0].zone.name == 'GOOD'


def test_without_a_key_each_request_is_a_bag(post: Post) -> None:
    assert [post()[1]['bag_num'] for _ in range(2)] == [1, 2]


def test_each_error_names_its_field_and_records_nothing(post: Post, store: WeighStore) -> None:
    for form, expected in (
        ({**GOOD, 'weight': 'nan'}, (422, 'weight')),
        ({**GOOD, 'unit': 'stone'}, (422, 'unit')),
        ({**GOOD, 'station': 'Z'}, (404, 'station')),
        ({'weight': '1'}, (400, 'unit')),
        ({**GOOD, 'weight': '9' * 20000}, (413, '')),
    ):
        status, body = post(form)
        assert (status, body['field']) == expected and body['error']
    assert post(key='ö'.encode().decode('latin-1'))[0] == 400
    assert store.latest_bags() == []


@pytest.mark.parametrize('authorization', ['', 'Bearer', 'Bearer wrong', 'Basic eA=='])
def test_without_a_valid_token_no_bag_is_recorded(post: Post, store: WeighStore, authorization: str) -> None:
    status, body = post(authorization=authorization)
    assert (status, body['field']) == (401, 'Authorization') and store.latest_bags() == []


def test_a_revoked_token_is_rejected_immediately(post: Post, tokens: TokenFile) -> None:
    assert post()[0] == 200
    tokens.revoke('filler')
    assert post()[0] == 401


def test_a_bag_without_a_job_is_recorded_and_the_poster_counts_it_as_delivered(post: Post, store: WeighStore) -> None:
    store.end_job('A', 'done', time.time_ns(), 'ann')
    status, body = post()
    assert status == 409 and body['in_tolerance'] is False and body['bag_id'] == store.latest_bags()[0].bag_id
    answer = HttpResult(status, json.dumps(body))
    assert classify(answer) is DeliveryVerdict.DONE and parse_receipt(answer).bag_id == body['bag_id']


def test_the_delivery_client_of_the_cell_can_post_to_it(
    make_gateway: Callable[..., str], token: str, store: WeighStore, station: WeighStationNode, background: Any
) -> None:
    poster = HttpPoster(f'{make_gateway()}/api/prepuff/scan_bag')
    item = DeliveryItem('0192d3c4-0000-7000-8000-000000000001', 'A', '3', '1.12', 'kg')
    answers = [poster.post(item, token) for _ in range(2)]
    assert [classify(answer) for answer in answers] == [DeliveryVerdict.DONE] * 2 and parse_receipt(
        answers[0]
    ) == parse_receipt(answers[1])
    assert parse_receipt(answers[0]).bag_num == 1 and store.latest_bags()[0].reading_id == item.reading_id
    assert classify(poster.post(item, 'wrong')) is DeliveryVerdict.PAUSE


def test_a_bag_that_cannot_be_recorded_may_be_posted_again(
    make_gateway: Callable[..., str], token: str, background: Any
) -> None:
    poster = HttpPoster(f'{make_gateway()}/api/prepuff/scan_bag')
    answer = poster.post(DeliveryItem('0192d3c4-0000-7000-8000-000000000001', 'A', '3', '1.12', 'kg'), token)
    assert answer.status == 503 and 'weigh_station is not running' in answer.body
    assert classify(answer) is DeliveryVerdict.RETRY


def test_a_key_that_was_used_for_another_bag_is_rejected(post: Post, store: WeighStore) -> None:
    assert post(key='bag-1')[0] == 200
    status, body = post({**GOOD, 'weight': '1.13'}, key='bag-1')
    assert (status, body['field']) == (422, 'Idempotency-Key') and len(store.latest_bags()) == 1


def test_any_request_gets_an_answer_that_programs_can_read(
    make_gateway: Callable[..., str], browse: Any, token: str, store: WeighStore, station: WeighStationNode
) -> None:
    url = f'{make_gateway()}/api/prepuff/scan_bag'
    form, body = 'weight=1.12&unit=kg&scale=3&station=A', b'{"weight": 1.120, "unit": "kg", "scale": 3, "station": "A"}'
    urlencoded = 'application/x-www-form-urlencoded'

    async def work(session: ClientSession) -> list[tuple[int, Any]]:
        answers = []
        for method, address, kind, data in (
            ('POST', url, 'application/json', body),
            ('POST', f'{url}/', urlencoded, form),
            ('POST', url, f'{urlencoded}; charset=klingon', form),
            ('POST', url, 'application/json; charset=latin-1', body),
            ('POST', url, 'text/plain', form),
            ('POST', url, 'application/json', b'[1]'),
            ('POST', url, 'application/json', b'{"weight": tru'),
            ('POST', url, 'application/json', b'[' * 9000),
            ('POST', url, 'application/json', b'{"weight": 1, "weight": 2, "unit": "kg", "scale": 3, "station": "A"}'),
            ('POST', url, 'application/json', b'{"weight": true, "unit": "kg", "scale": 3, "station": "A"}'),
            ('POST', url, f'{urlencoded}; charset=utf-16', form),
            ('POST', url, 'multipart/form-data', form),
            ('GET', url, '', ''),
            ('PUT', f'{url}/', urlencoded, form),
        ):
            headers = {'Authorization': f'Bearer {token}', 'Content-Type': kind}
            async with session.request(method, address, data=data, headers=headers) as response:
                answers.append((response.status, await response.json()))
        return answers

    answers = browse(work)
    assert [status for status, _ in answers] == [200, 200, 415, 415, 415, 400, 400, 400, 400, 400, 400, 400, 405, 405]
    assert [body['success'] for _, body in answers] == [True, True] + [False] * 12
    assert all(body['error'] for _, body in answers[2:])
    assert [bag.weight for bag in store.latest_bags()] == ['1.12', '1.120']


def test_the_api_is_off_by_default(make_gateway: Callable[..., str], browse: Any, store: WeighStore) -> None:
    url = make_gateway(api_enabled=False)

    async def work(session: ClientSession) -> int:
        async with session.post(f'{url}/api/prepuff/scan_bag', data=GOOD) as response:
            return response.status

    assert browse(work) in (404, 405)


def test_an_api_without_tokens_stops_the_start(make_gateway: Callable[..., str]) -> None:
    with pytest.raises(StartError, match='api_enabled'):
        make_gateway(api_tokens_file='')


def test_the_openapi_document_lists_every_response(make_gateway: Callable[..., str], browse: Any) -> None:
    url = make_gateway()

    async def work(session: ClientSession) -> Any:
        async with session.get(f'{url}/api/openapi.json') as response:
            return await response.json()

    body = browse(work)
    assert body == json.loads(json.dumps(openapi_document(version('cell_web')))) and body['openapi'] == '3.1.0'
    operation = body['paths']['/api/prepuff/scan_bag']['post']
    assert set(operation['responses']) == {'200', '400', '401', '404', '405', '409', '413', '415', '422', '503'}
    form = operation['requestBody']['content']['application/x-www-form-urlencoded']['schema']
    pattern = form['properties']['weight']['pattern']
    assert re.match(pattern, '12.50') and not re.match(pattern, '1e3')
