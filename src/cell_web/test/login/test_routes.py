"""Logging in and out over HTTP, and what an open connection does when its session ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web
from cell_common.testing import wait_until
from cell_web.login.events import LoginEvent
from cell_web.login.routes import AT_ONCE, FIRST_USER_S, WAITING, LoginRoutes, LoginSettings
from cell_web.login.sessions import SessionLimits
from cell_web.mjpeg_hub import FrameHub
from cell_web.passwords import PasswordHashes
from cell_web.server import Server, ServerSettings
from cell_web.tokens import TokenFile
from cell_web.user import User
from cell_web.user_file import UserFile

HASHES = PasswordHashes(memory_kib=64, passes=1)
ANN = User('Ann', 'operator', HASHES.hash('correct horse'), '2026-01-01')
RIGHT = {'name': 'ann', 'password': 'correct horse'}
WRONG = {'name': 'Ann', 'password': 'wrong horse'}


class Site:
    """The gateway's server with a login, beside a rosbridge that answers each message with itself."""

    def __init__(self, folder: Path) -> None:
        self.now, self.events = 1000.0, list[LoginEvent]()
        self.users = UserFile(folder / 'users.json')
        self.users.add(ANN)
        self.tokens = TokenFile(folder / 'tokens.json')
        self.received: list[str] = []

    def login(self, hashes: PasswordHashes = HASHES) -> LoginRoutes:
        settings = LoginSettings(SessionLimits(idle_s=100.0, total_s=1000.0))
        return LoginRoutes(self.users, hashes, settings, lambda: self.now, self.events.append, self.tokens)

    @asynccontextmanager
    async def served(self, login: LoginRoutes | None = None) -> AsyncIterator[tuple[ClientSession, str]]:
        self.routes = login or self.login()
        rosbridge = web.AppRunner(self._rosbridge(), shutdown_timeout=0.1)
        await rosbridge.setup()
        await web.TCPSite(rosbridge, '127.0.0.1', 0).start()
        settings = ServerSettings('127.0.0.1', 0, '/cell', '127.0.0.1', rosbridge.addresses[0][1], [])
        server = Server(settings, self.routes, {'camera': FrameHub(lambda _wanted: None)}, lambda: 0, [self.routes])
        running = asyncio.create_task(server.run())
        await asyncio.to_thread(wait_until, lambda: server.state.port)
        try:
            async with ClientSession() as client:
                yield client, f'http://localhost:{server.state.port}'
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await rosbridge.cleanup()

    def _rosbridge(self) -> web.Application:
        async def serve(request: web.Request) -> web.WebSocketResponse:
            connection = web.WebSocketResponse()
            await connection.prepare(request)
            async for message in connection:
                self.received.append(message.data)
                await connection.send_str(message.data)
            return connection

        application = web.Application()
        application.router.add_get('/', serve)
        return application


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def run(work: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 20.0))


async def post(client: ClientSession, url: str, body: object = RIGHT, **options: Any) -> tuple[int, str]:
    async with client.post(url, json=body, **options) as response:
        return response.status, await response.text()


async def get(client: ClientSession, url: str) -> int:
    async with client.get(url) as response:
        return response.status


def test_after_a_login_the_page_has_name_and_role_until_the_logout(site: Site) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            assert await get(client, f'{url}/session.json') == 401
            async with client.post(f'{url}/login', json=RIGHT) as response:
                cookie = response.headers['Set-Cookie']
            assert 'HttpOnly' in cookie and 'SameSite=Strict' in cookie and 'Path=/' in cookie
            async with client.get(f'{url}/session.json') as response:
                assert await response.json() == {'namespace': '/cell', 'role': 'operator', 'operator_id': 'Ann'}
            assert (await post(client, f'{url}/logout', {}))[0] == 200
            assert await get(client, f'{url}/session.json') == 401

    run(work)
    assert [(event.name, event.user, event.role) for event in site.events] == [
        ('login', 'Ann', 'operator'),
        ('logout', 'Ann', 'operator'),
    ]


@pytest.mark.parametrize('body', [WRONG, {'name': 'nobody', 'password': 'correct horse'}, {'name': '', 'password': ''}])
def test_what_is_wrong_gets_one_and_the_same_answer(site: Site, body: dict[str, str]) -> None:
    async def work() -> tuple[int, str]:
        async with site.served() as (client, url):
            answer = await post(client, f'{url}/login', body)
            assert await get(client, f'{url}/session.json') == 401
            return answer

    assert run(work) == (401, '{"message": "Name or password is wrong. After some wrong tries each further one has to wait."}')
    assert [(event.refusal, event.role) for event in site.events] == [('name or password is wrong', '')]


def test_who_guesses_waits_even_with_the_right_password_and_gets_the_same_answer(site: Site) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            wrong = [await post(client, f'{url}/login', WRONG) for _ in range(5)]
            assert [await post(client, f'{url}/login')] == wrong[:1], 'the right one, too early'
            site.now += 60.0
            assert (await post(client, f'{url}/login'))[0] == 200

    run(work)
    assert len(site.events) == 6, 'what was refused unseen is no event: a flood must not fill the audit'


@pytest.mark.parametrize('path', ['/login', '/login/first', '/login/touch', '/logout'])
def test_a_page_of_another_site_can_send_nothing(site: Site, path: str) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            assert (await post(client, f'{url}{path}', headers={'Origin': 'https://evil.example'}))[0] == 403
            async with client.post(f'{url}{path}', data={'name': 'ann', 'password': 'correct horse'}) as response:
                assert response.status == 415

    run(work)
    assert site.events == []


@pytest.mark.parametrize(
    'body',
    [
        '',
        '{',
        '[]',
        '5',
        'null',
        '{"name": "ann"}',
        '{"name": 5, "password": "x"}',
        '{"name": "\\ud800", "password": "x"}',
        '[' * 20_000,
    ],
)
def test_a_body_that_is_no_login_is_a_bad_request(site: Site, body: str) -> None:
    async def work() -> int:
        headers = {'Content-Type': 'application/json'}
        async with site.served() as (client, url), client.post(f'{url}/login', data=body, headers=headers) as response:
            return response.status

    assert run(work) == 400


def test_a_session_ends_with_its_user_role_or_password(site: Site) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            for change in (
                lambda: site.users.change(User('Ann', 'viewer', ANN.password_hash, 'later')),
                lambda: site.users.remove('Ann'),
            ):
                assert (await post(client, f'{url}/login'))[0] == 200 and await get(client, f'{url}/session.json') == 200
                change()
                assert await get(client, f'{url}/session.json') == 401

    run(work)


def test_a_page_that_is_touched_stays_logged_in_and_an_idle_one_does_not(site: Site) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            await post(client, f'{url}/login')
            for _ in range(3):
                site.now += 90.0
                assert (await post(client, f'{url}/login/touch', {}))[0] == 200
            site.now += 100.0
            assert (await post(client, f'{url}/login/touch', {}))[0] == 401

    run(work)


@pytest.mark.parametrize('end', ['logout', 'idle', 'removed'])
def test_an_open_connection_ends_with_its_session_and_passes_nothing_more(site: Site, end: str) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            with pytest.raises(WSServerHandshakeError):
                await client.ws_connect(f'{url}/rosbridge')
            await post(client, f'{url}/login')
            socket = await client.ws_connect(f'{url}/rosbridge')
            await socket.send_str('{"op":"subscribe","topic":"/cell/job"}')
            assert '/cell/job' in (await socket.receive()).data
            if end == 'logout':
                await post(client, f'{url}/logout', {})
            elif end == 'removed':
                site.users.remove('ann')
            else:
                site.now += 100.0
            await socket.send_str('{"op":"subscribe","topic":"/cell/alarms"}')
            message = await socket.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 4401)

    run(work)
    assert len(site.received) == 1


def test_commands_carry_the_name_of_the_login_whatever_the_page_says(site: Site) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            await post(client, f'{url}/login')
            socket = await client.ws_connect(f'{url}/rosbridge')
            await socket.send_str(
                '{"op":"call_service","service":"/cell/set_job","args":{"command":{"operator_id":"boss","role":"maintainer"}}}'
            )
            text = (await socket.receive()).data
            assert '"operator_id":"Ann"' in text.replace(' ', '') and 'boss' not in text and 'maintainer' not in text
            await socket.close()

    run(work)


def test_the_link_makes_the_first_user_once(site: Site) -> None:
    site.users.remove('Ann')
    login = site.login()
    code = login.first_user_fragment().removeprefix('#first=')
    first = {'code': code, 'name': 'Boss', 'password': '482915'}

    async def work() -> None:
        async with site.served(login) as (client, url):
            assert (await post(client, f'{url}/login/first', {**first, 'code': 'guess'}))[0] == 403
            status, text = await post(client, f'{url}/login/first', {**first, 'password': '123456'})
            assert status == 400 and 'choose another' in text
            assert (await post(client, f'{url}/login/first', first))[0] == 200 and await get(
                client, f'{url}/session.json'
            ) == 200
            assert (await post(client, f'{url}/login/first', {**first, 'name': 'Second'}))[0] == 403

    run(work)
    assert [user.role for user in site.users.users()] == ['maintainer'] and login.first_user_fragment() == ''


def test_who_guesses_the_link_waits_and_does_not_fill_the_audit(site: Site) -> None:
    site.users.remove('Ann')
    login = site.login()
    body = {'code': 'guess', 'name': 'Boss', 'password': '482915'}
    right = {**body, 'code': login.first_user_fragment().removeprefix('#first=')}

    async def work() -> None:
        async with site.served(login) as (client, url):
            assert [(await post(client, f'{url}/login/first', body))[0] for _ in range(30)] == [403] * 30
            assert (await post(client, f'{url}/login/first', right))[0] == 403, 'the right one, too early'
            site.now += 60.0
            assert (await post(client, f'{url}/login/first', right))[0] == 200

    run(work)
    assert len(site.events) == 6


def test_the_link_for_the_first_user_is_good_for_an_hour(site: Site) -> None:
    site.users.remove('Ann')
    login = site.login()
    body = {'code': login.first_user_fragment().removeprefix('#first='), 'name': 'Boss', 'password': '482915'}
    site.now += FIRST_USER_S

    async def work() -> int:
        async with site.served(login) as (client, url):
            return (await post(client, f'{url}/login/first', body))[0]

    assert run(work) == 403 and site.users.users() == []


def test_a_flood_of_logins_is_refused_beyond_a_few_and_the_page_answers(site: Site) -> None:
    gate = threading.Event()

    class Slow(PasswordHashes):
        def is_right(self, password: str, hashed: str) -> bool:
            gate.wait(10.0)
            return super().is_right(password, hashed)

    async def work() -> list[int]:
        async with site.served(site.login(Slow(64, 1))) as (client, url):
            tries = [
                asyncio.create_task(post(client, f'{url}/login', {'name': f'n{number}', 'password': 'x'}))
                for number in range(AT_ONCE + WAITING)
            ]
            await asyncio.to_thread(wait_until, lambda: sum(task.done() for task in tries) >= AT_ONCE)
            assert await get(client, f'{url}/login.json') == 200
            gate.set()
            return [status for status, _ in await asyncio.gather(*tries)]

    statuses = run(work)
    assert statuses.count(429) == AT_ONCE and statuses.count(401) == WAITING


@pytest.mark.parametrize('text', ['{', ''])
def test_a_damaged_user_file_lets_nobody_in_and_says_where_to_look(site: Site, text: str) -> None:
    async def work() -> None:
        async with site.served() as (client, url):
            await post(client, f'{url}/login')
            site.users.path.write_text(text)
            assert await get(client, f'{url}/session.json') == 401 and await get(client, f'{url}/login.json') == 503
            assert (await post(client, f'{url}/login'))[0] == 401

    run(work)


def test_a_program_with_a_token_has_the_role_of_its_token_until_it_is_revoked(site: Site) -> None:
    token = site.tokens.create('mes', '2026-01-01', 'viewer')

    async def work() -> None:
        async with site.served() as (client, url):
            headers = {'Authorization': f'Bearer {token}'}
            async with client.get(f'{url}/session.json', headers=headers) as response:
                assert await response.json() == {'namespace': '/cell', 'role': 'viewer', 'operator_id': 'token mes'}
            socket = await client.ws_connect(f'{url}/rosbridge', headers=headers)
            site.tokens.revoke('mes')
            await socket.send_str('{"op":"subscribe","topic":"/cell/alarms"}')
            assert (await socket.receive()).data == 4401

    run(work)


@pytest.mark.parametrize('scheme', ['Bearer', 'bearer', 'Basic', ''])
@pytest.mark.parametrize(('role', 'ends_at'), [('', ''), ('operator', '2026-01-02T00:00:00+00:00'), ('operator', 'soon')])
def test_a_token_without_a_role_or_past_its_end_opens_nothing(site: Site, scheme: str, role: str, ends_at: str) -> None:
    token = site.tokens.create('filler', '2026-01-01', role, ends_at)

    async def work() -> int:
        headers = {'Authorization': f'{scheme} {token}'}
        async with site.served() as (client, url), client.get(f'{url}/session.json', headers=headers) as response:
            return response.status

    assert run(work) == 401
