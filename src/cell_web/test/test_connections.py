"""The guard of the HTTP server's connections, held against clients that never finish what they begin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from cell_common.testing import wait_until
from cell_web.connections import ConnectionGuard, ConnectionLimits, Seats

REQUEST = b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
POST = b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n'
DEADLINE_S = 30.0
BIG = b'x' * 20_000_000
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Scenario = Callable[['Site'], Awaitable[None]]


class Site:
    """A small application behind a guard."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.guard = ConnectionGuard(limits)
        self.port = 0
        self.release = asyncio.Event()
        self.clients: list[Client] = []

    async def open(self, local: str = '127.0.0.1') -> Client:
        client = await asyncio.open_connection('127.0.0.1', self.port, local_addr=(local, 0))
        self.clients.append(client)
        return client

    async def status(self, client: Client) -> int:
        line = await asyncio.wait_for(client[0].readline(), DEADLINE_S)
        return int(line.split()[1]) if line else 0

    async def until_closed(self, client: Client) -> bytes:
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.wait_for(client[0].read(), DEADLINE_S)
        return b''

    async def hold(self, _request: web.Request) -> web.Response:
        await self.release.wait()
        return web.Response(text='late')


@contextlib.asynccontextmanager
async def serving(limits: ConnectionLimits) -> AsyncIterator[Site]:
    site = Site(limits)
    application = web.Application(middlewares=[site.guard.middleware])

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=(await request.text()) or 'here')

    async def big(_request: web.Request) -> web.Response:
        return web.Response(body=BIG)

    application.router.add_get('/hold', site.hold)
    application.router.add_get('/big', big)
    application.router.add_route('*', '/{path:.*}', answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    servers = await site.guard.listen(runner, '127.0.0.1', 0)
    site.port = servers[0].sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()
        for _, writer in site.clients:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture
def run() -> Callable[[Scenario, ConnectionLimits], None]:
    def start(scenario: Scenario, limits: ConnectionLimits) -> None:
        async def work() -> None:
            async with serving(limits) as site:
                await scenario(site)

        asyncio.run(work())

    return start


SHORT = ConnectionLimits(request_s=0.2, body_s=0.2, write_s=0.2)


@pytest.mark.parametrize('part', [b'G', REQUEST[:-2], b'GET / HTTP/1.1\r\nHost: '])
def test_half_a_request_ends_with_a_timeout(run, part):
    async def scenario(site: Site) -> None:
        client = await site.open()
        client[1].write(part)
        assert await site.status(client) == 408
        await site.until_closed(client)
        assert (site.guard.timed_out, site.guard.connections) == (1, 0)

    run(scenario, SHORT)


def test_a_header_that_comes_drop_by_drop_has_the_same_deadline(run):
    async def scenario(site: Site) -> None:
        reader, writer = await site.open()
        with contextlib.suppress(ConnectionError):
            for byte in REQUEST[:-1]:
                if reader.at_eof():
                    break
                writer.write(bytes([byte]))
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.02)
        assert site.guard.timed_out == 1

    run(scenario, SHORT)


def test_a_connection_without_a_request_is_closed_silently(run):
    async def scenario(site: Site) -> None:
        assert await site.until_closed(await site.open()) == b''
        assert site.guard.connections == 0

    run(scenario, SHORT)


def test_requests_one_after_another_have_a_deadline_each(run):
    async def scenario(site: Site) -> None:
        client = await site.open()
        for _ in range(3):
            client[1].write(REQUEST)
            assert await site.status(client) == 200
            while (await client[0].readline()).strip():
                pass
            await client[0].readexactly(4)
        assert await site.until_closed(client) == b''

    run(scenario, SHORT)


def test_a_handler_may_take_longer_than_a_header(run):
    async def scenario(site: Site) -> None:
        client = await site.open()
        client[1].write(REQUEST.replace(b'/ ', b'/hold '))
        asyncio.get_running_loop().call_later(0.4, site.release.set)
        assert await site.status(client) == 200

    run(scenario, SHORT)


def test_a_body_that_does_not_come_ends_with_a_timeout(run):
    async def scenario(site: Site) -> None:
        client = await site.open()
        client[1].write(POST + b'half')
        assert await site.status(client) == 408

    run(scenario, ConnectionLimits(request_s=DEADLINE_S, body_s=0.2))


def test_a_body_that_comes_is_read(run):
    async def scenario(site: Site) -> None:
        client = await site.open()
        client[1].write(POST + b'0123456789')
        assert await site.status(client) == 200

    run(scenario, SHORT)


def test_a_client_that_does_not_read_is_closed(run):
    async def scenario(site: Site) -> None:
        client = await site.open()
        client[1].write(REQUEST.replace(b'/ ', b'/big '))
        await asyncio.to_thread(wait_until, lambda: site.guard.timed_out, DEADLINE_S, 'the deadline')
        assert len(await site.until_closed(client)) < len(BIG)

    run(scenario, SHORT)


def test_one_connection_too_many_is_closed_and_a_place_becomes_free_again(run):
    async def scenario(site: Site) -> None:
        clients = [await site.open() for _ in range(3)]
        for client in clients:
            client[1].write(REQUEST)
        assert sorted([await site.status(client) for client in clients[:2]]) == [200, 200]
        assert await site.until_closed(clients[2]) == b'' and site.guard.refused == 1
        clients[0][1].close()
        await asyncio.to_thread(wait_until, lambda: site.guard.connections == 1, DEADLINE_S, 'a place')
        another = await site.open()
        another[1].write(REQUEST)
        assert await site.status(another) == 200

    run(scenario, ConnectionLimits(per_address=2))
    run(scenario, ConnectionLimits(total=2))


def test_half_requests_of_one_address_leave_room_for_others(run):
    async def scenario(site: Site) -> None:
        held = [await site.open() for _ in range(60)]
        for client in held:
            client[1].write(b'GET / HT')
        other = await site.open('127.0.0.2')
        other[1].write(REQUEST)
        assert await site.status(other) == 200
        assert site.guard.refused == 40

    run(scenario, ConnectionLimits(per_address=20, total=30))


def test_seats_are_limited_in_all_and_for_one_address():
    seats = Seats(3, 2, 'pages', 'max_clients')
    with contextlib.ExitStack() as stack:
        for address in ('a', 'a', 'b'):
            assert seats.refusal(address) == ''
            stack.enter_context(seats.seat(address))
            if address == 'a' and seats.taken == 2:
                assert 'max_clients_per_address' in seats.refusal('a')
        assert seats.refusal('c') == 'Limit of 3 pages reached (parameter max_clients).'
    assert seats.taken == 0 and seats.refusal('a') == ''
