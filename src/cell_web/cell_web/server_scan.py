"""The web application's API over HTTP: bags that others weighed are recorded here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from cell_common.ids import new_id
from cell_weighing.delivery.bag_api import KEY_HEADER, RefusedError, Reply, Scan, check, reading_id_of, reply
from cell_weighing.station.store import NoSuchJobError, WeighStore
from sqlalchemy.exc import SQLAlchemyError

from cell_web.openapi import description
from cell_web.pages import NO_STORE
from cell_web.server import Session
from cell_web.tokens import TokenError, TokenFile

LARGEST = 16384
VERSION = '0.1.0'


class ScanBag:
    """Serves `POST /api/prepuff/scan_bag` to programs that have a token."""

    def __init__(self, store: WeighStore, tokens: TokenFile, now_ns: Callable[[], int]) -> None:
        """Take the store, which is used by one thread of our own from now on, the tokens, and the clock (UTC, nanoseconds)."""
        self._store = store
        self._tokens = tokens
        self._now_ns = now_ns
        self._thread = ThreadPoolExecutor(1, 'scan_bag')

    def add_routes(self, router: web.UrlDispatcher, known: Callable[[web.Request], Session]) -> None:  # noqa: ARG002
        """Add the API and its description; who asks is told by the token alone."""
        router.add_post('/api/prepuff/scan_bag', self._scan)
        router.add_get('/api/openapi.json', self._describe)

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(description(VERSION))

    async def _scan(self, request: web.Request) -> web.Response:
        try:
            answer = await self._answer(request)
        except RefusedError as refused:
            answer = refused.reply
        except SQLAlchemyError:
            answer = Reply(503, {'error': 'the database does not answer: try again with the same key', 'field': ''})
        headers = {'Cache-Control': NO_STORE}
        if answer.status == 401:
            headers['WWW-Authenticate'] = 'Bearer'
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _answer(self, request: web.Request) -> Reply:
        client = self._client(request)
        if request.content_length is None or request.content_length > LARGEST:
            raise RefusedError(413, '', f'the request must tell its length, at most {LARGEST} bytes')
        key = request.headers.get(KEY_HEADER)
        reading_id = new_id() if key is None else reading_id_of(key, client)
        try:
            form = await request.post()
        except ValueError as problem:
            raise RefusedError(400, '', 'the body is not a form') from problem
        scan = check({name: form.getall(name) for name in form})
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._record, scan, reading_id)

    def _record(self, scan: Scan, reading_id: str) -> Reply:
        try:
            bag, job = self._store.record(scan.reading(reading_id, self._now_ns(), time.monotonic_ns()), scan.station)
        except NoSuchJobError as problem:
            raise RefusedError(404, 'station', str(problem)) from problem
        return reply(scan, bag, job)

    def _client(self, request: web.Request) -> str:
        kind, _, token = request.headers.get('Authorization', '').partition(' ')
        try:
            name = self._tokens.name_of(token.strip()) if kind.lower() == 'bearer' else ''
        except TokenError as problem:
            raise RefusedError(503, 'Authorization', 'the tokens cannot be read: see the log of web_gateway') from problem
        if not name:
            raise RefusedError(401, 'Authorization', 'a token is needed: Authorization: Bearer <token>, made by cell token new')
        return name
