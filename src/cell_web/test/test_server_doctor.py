"""/api/doctor runs a command and passes its JSON on."""

import json
import sys

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cell_web.request_session import Session
from cell_web.roles import ROLES
from cell_web.server_doctor import DoctorRoutes

RESULT = {'ok': False, 'checks': [{'check': 'disk', 'state': 'not ok', 'text': 'full'}]}


@pytest.fixture
def ask(background):
    def run(command, times=1):
        async def inside():
            application = web.Application()
            DoctorRoutes('/cell', command).add_routes(application.router, lambda _request: Session(ROLES['operator']))
            async with TestClient(TestServer(application)) as client:
                answers = [await client.get('/api/doctor') for _ in range(times)]
                return [(answer.status, await answer.text()) for answer in answers]

        return background.run(inside(), 30)

    return run


def test_the_checks_are_passed_on_although_one_fails(ask):
    [(status, text)] = ask([sys.executable, '-c', f'print({json.dumps(json.dumps(RESULT))}); raise SystemExit(1)'])
    assert status == 200 and json.loads(text) == RESULT


def test_several_callers_share_one_run(ask, tmp_path):
    program = f"open({str(tmp_path / 'runs')!r}, 'a').write('x'); print('{{}}')"
    assert [status for status, _ in ask([sys.executable, '-c', program], times=3)] == [200] * 3
    assert (tmp_path / 'runs').read_text() == 'x'


@pytest.mark.parametrize('command', [['no-such-program'], [sys.executable, '-c', 'print("no JSON")']])
def test_a_command_that_fails_is_503_with_advice(ask, command):
    [(status, text)] = ask(command)
    assert status == 503 and 'cell doctor' in text
