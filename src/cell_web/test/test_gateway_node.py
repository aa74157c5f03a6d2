from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from cell_common.qos import sensor_stream
from cell_common.testing import NodeGraph, free_port, wait_until
from cell_web.gateway_node import TOPICS, GatewayNode
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage

pytestmark = pytest.mark.slow

Browse = Callable[[Callable[[ClientSession], Any]], Any]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / 'page'
    (folder / 'assets').mkdir(parents=True)
    (folder / 'index.html').write_text('<!doctype html><title>Workcell</title>')
    (folder / 'assets' / 'app.js').write_text('1')
    return folder


@pytest.fixture
def make_gateway(graph: NodeGraph, page: Path) -> Iterator[Callable[..., GatewayNode]]:
    def make(**parameters: Any) -> GatewayNode:
        fixed = {'port': 0, 'hmi_folder': str(page), 'rosbridge_port': 1, 'bridge_check_period': 0.0}
        options = graph.options(**{**fixed, **parameters})
        node = graph.add(GatewayNode(**options))
        assert isinstance(node, GatewayNode)
        return node

    return make


@pytest.fixture
def gateway(make_gateway: Callable[..., GatewayNode], rosbridge: Any) -> GatewayNode:
    return make_gateway(rosbridge_port=rosbridge.port)


def address(gateway: GatewayNode) -> str:
    return f'127.0.0.1:{wait_until(lambda: gateway.server.state.port, what="the gateway listens")}'


def get(browse: Browse, gateway: GatewayNode, path: str, **options: Any) -> tuple[int, dict[str, str], str]:
    async def work(session: ClientSession) -> tuple[int, dict[str, str], str]:
        async with session.get(f'http://{address(gateway)}{path}', **options) as response:
            return response.status, dict(response.headers), await response.text(errors='replace')

    result: tuple[int, dict[str, str], str] = browse(work)
    return result


def test_the_page_has_security_headers(gateway: GatewayNode, browse: Browse) -> None:
    status, headers, text = get(browse, gateway, '/')
    assert status == 200
    assert 'Workcell' in text
    policy = headers['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert 'unsafe' not in policy
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert headers['Cache-Control'] == 'no-cache'
    assert 'immutable' in get(browse, gateway, '/assets/app.js')[1]['Cache-Control']


def test_other_paths_are_not_found(gateway: GatewayNode, browse: Browse) -> None:
    status, headers, _ = get(browse, gateway, '/none.js')
    assert status == 404
    assert headers['X-Content-Type-Options'] == 'nosniff'


def test_without_a_built_page_the_command_to_build_it_is_shown(make_gateway: Any, browse: Browse, tmp_path: Path) -> None:
    status, _, text = get(browse, make_gateway(hmi_folder=str(tmp_path / 'none')), '/')
    assert status == 503
    assert 'npm ci' in text


def test_a_foreign_host_name_is_refused_and_a_listed_one_served(make_gateway: Any, browse: Browse) -> None:
    gateway = make_gateway(host_names=['cell.plant'])
    assert get(browse, gateway, '/', headers={'Host': 'evil.example'})[0] == 421
    assert get(browse, gateway, '/', headers={'Host': 'cell.plant'})[0] == 200


def test_the_page_learns_namespace_and_role(gateway: GatewayNode, browse: Browse) -> None:
    _, headers, text = get(browse, gateway, '/session.json')
    assert json.loads(text) == {'namespace': '/cell', 'role': 'operator', 'operator_id': ''}
    assert headers['Cache-Control'] == 'no-store'


def test_health_shows_whether_rosbridge_is_reachable(gateway: GatewayNode, make_gateway: Any, browse: Browse) -> None:
    wait_until(lambda: json.loads(get(browse, gateway, '/healthz')[2])['rosbridge'])


def test_messages_pass_both_ways(gateway: GatewayNode, rosbridge: Any, browse: Browse) -> None:
    rosbridge.answer = lambda message: {'op': 'service_response', 'id': message['id'], 'result': True, 'values': {'code': 0}}

    async def work(session: ClientSession) -> Any:
        own = {'Origin': f'http://{address(gateway)}'}
        async with session.ws_connect(f'ws://{address(gateway)}/rosbridge', headers=own) as page:
            await page.send_json({'op': 'call_service', 'id': '1', 'service': '/cell/set_job', 'args': {}})
            return await page.receive_json(timeout=30)

    assert browse(work) == {'op': 'service_response', 'id': '1', 'result': True, 'values': {'code': 0}}
    assert rosbridge.received == [{'op': 'call_service', 'id': '1', 'service': '/cell/set_job', 'args': {}}]


@pytest.mark.parametrize(('query', 'alive'), [('?alive=1', True), ('', False)])
def test_a_page_that_asks_gets_a_sign_of_life_while_rosbridge_is_silent(
    gateway: GatewayNode, browse: Browse, query: str, alive: bool
) -> None:
    async def talk(session: ClientSession) -> list[Any]:
        async with session.ws_connect(f'ws://{address(gateway)}/rosbridge{query}') as page:
            with contextlib.suppress(asyncio.TimeoutError):
                return [await asyncio.wait_for(page.receive_json(), 30.0 if alive else 0.8)]
            return []

    assert [message['op'] for message in browse(talk)] == (['status'] if alive else [])


def test_a_refused_message_never_reaches_rosbridge(gateway: GatewayNode, rosbridge: Any, browse: Browse) -> None:
    async def work(session: ClientSession) -> Any:
        async with session.ws_connect(f'ws://{address(gateway)}/rosbridge') as page:
            await page.send_json({'op': 'publish', 'topic': '/cell/job', 'msg': {}})
            await page.send_bytes(b'{"op":"subscribe"}')
            answers = [await page.receive_json(timeout=30), await page.receive_json(timeout=30)]
            await page.send_json({'op': 'subscribe', 'topic': '/cell/job'})
            await rosbridge.wait_for(lambda: rosbridge.received)
            return answers

    assert [answer['level'] for answer in browse(work)] == ['error', 'error']
    assert [message['op'] for message in rosbridge.received] == ['subscribe']
    assert gateway.server.proxy.rejected == 2


def test_a_page_of_another_origin_cannot_connect(gateway: GatewayNode, browse: Browse) -> None:
    async def work(session: ClientSession) -> Any:
        with pytest.raises(WSServerHandshakeError) as refusal:
            await session.ws_connect(f'ws://{address(gateway)}/rosbridge', headers={'Origin': 'http://evil.example'})
        return refusal.value.status

    assert browse(work) == 403


async def close_code(session: ClientSession, gateway: GatewayNode, first: str = '') -> int | None:
    async with session.ws_connect(f'ws://{address(gateway)}/rosbridge') as page:
        if first:
            await page.send_str(first)
        while (await page.receive(timeout=30)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
        return page.close_code


def test_without_rosbridge_the_connection_is_closed_with_try_again_later(make_gateway: Any, browse: Browse) -> None:
    gateway = make_gateway(rosbridge_port=free_port())
    assert browse(lambda session: close_code(session, gateway)) == 1013


def test_when_rosbridge_closes_the_page_is_disconnected_immediately(
    gateway: GatewayNode, rosbridge: Any, browse: Browse
) -> None:
    async def work(session: ClientSession) -> int | None:
        ending = asyncio.create_task(close_code(session, gateway))
        await rosbridge.wait_for(lambda: rosbridge.connections)
        await rosbridge.connections[-1].close()
        return await ending

    assert browse(work) == 1013
    wait_until(lambda: gateway.server.proxy.clients == 0)


def test_when_the_page_closes_the_rosbridge_connection_closes(gateway: GatewayNode, rosbridge: Any, browse: Browse) -> None:
    async def work(session: ClientSession) -> None:
        async with session.ws_connect(f'ws://{address(gateway)}/rosbridge') as page:
            await page.send_json({'op': 'subscribe', 'topic': '/cell/job'})
            await rosbridge.wait_for(lambda: rosbridge.received)

    browse(work)
    wait_until(lambda: rosbridge.connections[-1].closed)


def test_a_message_over_the_limit_closes_the_connection(make_gateway: Any, rosbridge: Any, browse: Browse) -> None:
    gateway = make_gateway(rosbridge_port=rosbridge.port, max_message=1024)
    assert browse(lambda session: close_code(session, gateway, 'x' * 2000)) == 1009


def test_a_page_over_the_limit_is_closed_with_try_again_later(make_gateway: Any, rosbridge: Any, browse: Browse) -> None:
    gateway = make_gateway(rosbridge_port=rosbridge.port, max_clients=1)

    async def work(session: ClientSession) -> int | None:
        async with session.ws_connect(f'ws://{address(gateway)}/rosbridge'):
            await rosbridge.wait_for(lambda: rosbridge.connections)
            return await close_code(session, gateway)

    assert browse(work) == 1013


def test_a_rosbridge_faster_than_the_page_is_slowed_down(gateway: GatewayNode, rosbridge: Any, browse: Browse) -> None:
    listening = address(gateway)

    async def work(_session: ClientSession) -> int:
        reader, writer = await asyncio.open_connection(*listening.split(':'))
        head = f'GET /rosbridge HTTP/1.1\r\nHost: {listening}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        writer.write(f'{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'.encode())
        assert b'101' in await reader.readuntil(b'\r\n\r\n')
        writer.transport.pause_reading()
        await rosbridge.wait_for(lambda: rosbridge.connections)
        sent = 0
        with contextlib.suppress(asyncio.TimeoutError):
            while sent < 300:
                await asyncio.wait_for(rosbridge.connections[-1].send_str('x' * 100_000), 1)
                sent += 1
        writer.transport.abort()
        return sent

    assert browse(work) < 300  # 30 MB: more than the kernel's socket buffers hold; an unbounded queue would accept all of it


def test_a_port_in_use_is_reported_and_tried_again(graph: NodeGraph, make_gateway: Any) -> None:
    received = graph.collect(DiagnosticArray, '/diagnostics')
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        gateway = make_gateway(port=other.getsockname()[1])
        wait_until(lambda: gateway.server.state.message)
        assert gateway.server.state.port == 0
        wait_until(
            lambda: any('in use' in status.message and status.level == b'\x02' for array in received for status in array.status)
        )
    assert address(gateway).endswith(str(gateway.parameters.port))
    assert gateway.server.state.message == ''


@pytest.mark.parametrize(('period', 'level'), [(0.5, b'\x00'), (0.0, b'\x02')], ids=['checked end to end', 'not checked'])
def test_while_the_nodes_start_a_missing_answer_over_rosbridge_is_no_fault(
    graph: NodeGraph, make_gateway: Any, period: float, level: bytes
) -> None:
    received = graph.collect(DiagnosticArray, '/diagnostics')
    make_gateway(rosbridge_port=1, bridge_check_period=period)

    def levels() -> list[bytes]:
        return [status.level for array in received for status in array.status if status.name.endswith(': rosbridge')]

    assert wait_until(levels, what='the first report')[0] == level


def frame(number: int, size: int = 10) -> CompressedImage:
    image = CompressedImage(format='jpeg', data=bytes([number]) * size)
    image.header.stamp.sec = number
    return image


async def parts(response: Any, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        head = await response.content.readuntil(b'\r\n\r\n')
        length = next(int(line.split(b':')[1]) for line in head.split(b'\r\n') if line.startswith(b'Content-Length'))
        found.append((await response.content.readexactly(length + 2))[:-2])
    return found


@pytest.mark.parametrize('name', ['camera', 'overlay'])
def test_frames_are_subscribed_only_while_there_are_viewers(
    graph: NodeGraph, gateway: GatewayNode, browse: Browse, name: str
) -> None:
    publisher = graph.node.create_publisher(CompressedImage, TOPICS[name], sensor_stream())
    graph.node.create_timer(0.02, lambda: publisher.publish(frame(7)))
    listening = address(gateway)
    assert publisher.get_subscription_count() == 0

    async def work(session: ClientSession) -> list[bytes]:
        async with session.get(f'http://{listening}/{name}.mjpg') as response:
            assert response.headers['Content-Type'].startswith('multipart/x-mixed-replace')
            return await parts(response, 3)

    assert browse(work) == [b'\x07' * 10] * 3
    wait_until(lambda: publisher.get_subscription_count() == 0)


def test_a_snapshot_is_the_next_frame(graph: NodeGraph, gateway: GatewayNode, browse: Browse) -> None:
    publisher = graph.node.create_publisher(CompressedImage, TOPICS['camera'], sensor_stream())
    graph.node.create_timer(0.02, lambda: publisher.publish(frame(65)))
    status, headers, text = get(browse, gateway, '/snapshot.jpg')
    assert (status, headers['Content-Type'], headers['X-Timestamp'], text) == (200, 'image/jpeg', '65.000000', 'A' * 10)


def test_without_a_frame_the_snapshot_is_an_error(gateway: GatewayNode, browse: Browse) -> None:
    status, _, text = get(browse, gateway, '/snapshot.jpg')
    assert status == 503
    assert 'No camera frame' in text
    wait_until(lambda: gateway.server.viewers == 0)


def test_one_viewer_too_many_is_refused(make_gateway: Any, browse: Browse) -> None:
    gateway = make_gateway(max_viewers=1)

    async def work(session: ClientSession) -> int:
        host = f'http://{address(gateway)}'
        async with session.get(f'{host}/camera.mjpg'), session.get(f'{host}/overlay.mjpg') as second:
            return second.status

    assert browse(work) == 503


def test_an_invalid_parameter_prevents_the_start(graph: NodeGraph) -> None:
    with pytest.raises(ValueError, match='role'):
        GatewayNode(**graph.options(port=0, role='king'))


def test_ready_means_that_requests_pass_the_bridge_and_come_back(make_gateway: Any, rosbridge: Any, browse: Browse) -> None:
    gateway = make_gateway(rosbridge_port=rosbridge.port, bridge_check_period=0.05)
    # Silent: the sockets are accepted, so every check of the port would pass.
    wait_until(lambda: rosbridge.received)
    status, _, text = get(browse, gateway, '/readyz')
    assert status == 503 and json.loads(text)['nodes']['/cell/coordinator']['age_s'] is None
    assert get(browse, gateway, '/healthz')[0] == 200
    rosbridge.answer = lambda message: {'op': 'service_response', 'id': message['id'], 'result': True, 'values': {}}
    rosbridge.drop()
    wait_until(lambda: get(browse, gateway, '/readyz')[0] == 200)
    assert json.loads(get(browse, gateway, '/readyz')[2])['message'] == ''
