"""Many pages, slow pages and bursts, over both Engine.IO protocols."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import psutil
import pytest
import websocket
from cell_common.testing import wait_until

VERSIONS = ['3', '4']
STOCK = {'EM1-2U1': {1: 2, 2: 0, 3: 1, 4: 7}}


def address(port: int, version: str) -> str:
    return f'ws://127.0.0.1:{port}/socket.io/?EIO={version}&transport=websocket'


class RawPage:
    """A page that reads only when asked."""

    def __init__(self, port: int, version: str) -> None:
        self.socket = websocket.create_connection(address(port, version), timeout=10, skip_utf8_validation=True)
        assert self.socket.recv().startswith('0{')
        if version == '4':
            self.socket.send('40')
        assert self.socket.recv().startswith('40')

    def send(self, event: str, payload: Any = None) -> None:
        self.socket.send(f'42{json.dumps([event, payload])}')

    def receive(self, event: str) -> Any:
        """Return the payload of the next event of a name."""
        while True:
            packet = self.socket.recv()
            if packet == '2':
                self.socket.send('3')
            elif packet.startswith('42') and (message := json.loads(packet[2:]))[0] == event:
                return message[1]


@pytest.mark.parametrize('version', VERSIONS)
def test_a_page_that_stops_reading_costs_no_memory_and_no_other_page_a_frame(page, background, version):
    slow, fast = RawPage(page.server.port, version), RawPage(page.server.port, version)
    wait_until(lambda: len(page.server.clients) == 2, 5.0, 'both pages')

    def show(number: int) -> None:
        background.run(page.on_frame(b'%08d' % number + b'x' * 200_000), 30.0)

    def number_at(client: RawPage) -> int:
        return int(base64.b64decode(client.receive('video_frame')['frame'])[:8])

    def show_all(first: int, last: int) -> None:
        for number in range(first, last + 1):
            show(number)
            assert number_at(fast) == number

    show_all(1, 40)
    before = psutil.Process().memory_info().rss
    show_all(41, 120)
    assert psutil.Process().memory_info().rss - before < 8_000_000, '80 frames have 21 MB'

    seen = [number_at(slow)]
    for number in range(121, 161):  # it reads again, a frame for each that is shown
        show(number)
        seen.append(number_at(slow))
    assert seen == sorted(set(seen)), 'in order'
    assert 160 - seen[-1] <= 3, f'old frames are skipped: {seen}'
    for client in (slow, fast):
        client.socket.close()


@pytest.mark.parametrize('version', VERSIONS)
def test_fifty_pages_get_the_video_and_the_stock(page, background, version):
    background.run(page.on_stock(STOCK), 30.0)
    pages, frames = 50, 20
    received = [Counter[str]() for _ in range(pages)]

    async def watch(session: aiohttp.ClientSession, counts: Counter[str]) -> None:
        async with session.ws_connect(address(page.server.port, version), max_msg_size=0) as client:
            await client.receive()
            if version == '4':
                await client.send_str('40')
            async for message in client:
                counts[message.data.split(',')[0]] += 1

    async def run() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            tasks = [asyncio.create_task(watch(session, counts)) for counts in received]
            while sum(counts['42["update_inventory"'] for counts in received) < pages:
                await asyncio.sleep(0)
            for number in range(1, frames + 1):
                await page.on_frame(b'x' * 30_000)
                while min(counts['42["video_frame"'] for counts in received) < number:
                    await asyncio.sleep(0)
            for task in tasks:
                task.cancel()

    background.run(run(), 30)
    assert all(counts['42["video_frame"'] == frames and counts['42["update_inventory"'] == 1 for counts in received)
    wait_until(lambda: not page.server.clients, 5.0, 'every page gone')


@pytest.mark.parametrize('version', VERSIONS)
@pytest.mark.parametrize('name', ['page', 'hub'])
def test_each_of_a_thousand_commands_at_once_is_answered_and_few_run(page, hub, link, name, version):
    server = {'page': page, 'hub': hub}[name].server
    client = RawPage(server.port, version)
    link.may_answer.clear()
    for _ in range(1000):
        client.send('set_job', {'part_number': 'EM1-2U1', 'quantity': 1})
    refused = [client.receive('status')['msg'] for _ in range(984)]
    assert all('16 commands of this client are under way' in text for text in refused)
    link.may_answer.set()
    assert [client.receive('status')['msg'] for _ in range(16)] == ['done as asked'] * 16
    assert len(link.commands) == 16
    client.socket.close()


@pytest.mark.parametrize('version', VERSIONS)
@pytest.mark.parametrize('leave', ['shutdown', 'close'])
def test_a_page_may_reload_at_any_moment(page, background, link, version, leave):
    """Each page leaves in the middle of something: after its greeting, with a command under way, with video on its way."""
    background.run(page.on_stock(STOCK), 30.0)
    steps: list[Callable[[RawPage], object]] = [
        lambda client: None,
        lambda client: client.receive('update_inventory'),
        lambda client: client.send('capture_component'),
        lambda client: background.run(page.on_frame(b'x' * 200_000), 30.0),
        lambda client: client.socket.send('42["set_job",{"part_nu'),
    ]
    for step in steps * 4:
        client = RawPage(page.server.port, version)
        step(client)
        getattr(client.socket, leave)()
    wait_until(lambda: not page.server.clients, 5.0, 'every page gone')
    last = RawPage(page.server.port, version)
    assert last.receive('update_inventory')['inventory'][0]['part_number'] == 'EM1-2U1'
    last.socket.close()
