"""The hub backend on a hub of Engine.IO 3: python-socketio 4, and servers that answer anything."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cell_common.engineio3 import encode_payload
from cell_common.testing import SOCKETIO_CLIENTS, free_port, wait_until
from cell_robot.backends.hub.backend import HubBackend, HubOptions
from cell_robot.backends.hub.engineio3_client import EngineIo3Client, EngineIo3Error
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase

pytestmark = pytest.mark.slow
GREETING = '0{"sid":"a","pingInterval":25000,"pingTimeout":60000}'
LETTERS = {'HOME': 'H', 'PLACE': 'P', 'START_PROGRAM': 'D'}


class OldHub:
    """A process with a hub of python-socketio 4."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, str(Path(__file__).with_name('hub_of_release_4.py')), str(port)]
        paths = [str(SOCKETIO_CLIENTS / 'python'), os.environ.get('PYTHONPATH', '')]
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def next_trigger(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def start_hub() -> Iterator[Callable[[int], OldHub]]:
    hubs: list[OldHub] = []

    def start(port: int) -> OldHub:
        hubs.append(OldHub(port))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.kill()


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.info = self.warning = self.error = self.lines.append


def test_a_job_runs_on_a_hub_of_release_4_and_a_lost_acknowledgement_is_unknown(start_hub):
    port, log = free_port(), Log()
    hub = start_hub(port)
    backend = HubBackend(HubOptions(f'http://127.0.0.1:{port}', 5.0, LETTERS, reconnect=10.0), log)
    backend.start(lambda: None)
    try:
        wait_until(lambda: backend.state().connected, 20.0, f'the hub connected; {log.lines}')
        outcome = backend.trigger(TriggerCommand('t1', 'START_PROGRAM'), lambda _phase: None).result(30.0)
        assert outcome.phase is TriggerPhase.DONE, outcome
        assert hub.next_trigger() == {'trigger': 'D', 'event': 'program_started', 'part_number': ''}

        lost = backend.trigger(TriggerCommand('t2', 'PLACE'), lambda _phase: None)
        assert hub.next_trigger()['event'] == 'PLACE'
        hub.kill()
        assert lost.result(30.0).phase is TriggerPhase.UNKNOWN

        again = start_hub(port)
        assert backend.recover(lambda *_step: None).result(30.0).code == 0
        assert again.next_trigger()['event'] == 'HOME', 'nothing is sent again'
    finally:
        backend.close()


@pytest.mark.parametrize(
    ('body', 'message'),
    [
        ('<html>a web page</html>', 'does not speak Engine.IO 3'),
        ('', 'does not speak Engine.IO 3'),
        ('2:40', 'does not speak Engine.IO 3'),
        ('4:0{x}', 'unreadable greeting'),
        ('12:0{"sid":"a"}', 'unreadable greeting'),
        (encode_payload([GREETING, '44"x"']), 'refused by the hub: "x"'),
        (encode_payload([GREETING, '1']), 'closed by the hub'),
    ],
)
def test_a_server_that_is_no_such_hub_is_an_error(body, message):
    async def run() -> None:
        application = web.Application()
        application.router.add_get('/socket.io/', lambda _request: asyncio.sleep(0, web.Response(text=body)))
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, '127.0.0.1', 0)
        await site.start()
        client = EngineIo3Client(f'http://127.0.0.1:{runner.addresses[0][1]}', 2.0, lambda _event, _payload: None)
        try:
            with pytest.raises(EngineIo3Error, match=message):
                await client.connect()
            with pytest.raises(EngineIo3Error, match='not connected'):
                await client.emit('send_trigger', {})
        finally:
            await client.close()
            await runner.cleanup()

    asyncio.run(run())
