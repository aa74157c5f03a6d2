"""REST API for bags weighed elsewhere: `POST /api/prepuff/scan_bag`.

The gateway checks the request and the token; weigh_station, which owns the tables, records the bag.
The Idempotency-Key makes a repetition safe: a sender without a response repeats with the same key
and gets the same bag.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

from aiohttp import web
from cell_common.ids import new_id
from cell_common.services import create_client
from cell_common.timeouts import with_timeout
from cell_weighing.bag_api import (
    FIELDS,
    KEY_HEADER,
    ApiReply,
    BadRequestError,
    PostedBag,
    RecordedBag,
    error_body,
    parse_json,
    reading_id_for_key,
    reply_to,
    validate_form,
)
from rclpy.node import Node
from rclpy.task import Future

from cell_interfaces.msg import ResultCode
from cell_interfaces.srv import RecordBag
from cell_web.openapi import openapi_document
from cell_web.pages import NO_STORE
from cell_web.request_session import Session
from cell_web.tokens import TokenError, TokenFile

PATH = '/api/prepuff/scan_bag'
FORMS = ('application/x-www-form-urlencoded', 'multipart/form-data')
# Four short fields; a larger body is no bag.
LARGEST = 16384
RECORD_TIMEOUT_S = 10.0
DISCOVERY_TIMEOUT_S = 2.0
"""Discovery of weigh_station may end after the gateway has started to listen."""
VERSION = version('cell_web')


class RecorderUnavailableError(Exception):
    """weigh_station did not record a bag: it is not running, did not respond in time, or its database failed."""


class BagRecorder:
    """Client of `weighing/record_bag` for coroutines of the HTTP server's event loop.

    The call crosses two threads: rclpy receives the response in the executor, and wakes the waiting
    coroutine in the event loop.
    """

    def __init__(self, node: Node, timeout_s: float = RECORD_TIMEOUT_S) -> None:
        """Create the service client.

        Args:
            node: The gateway's node.
            timeout_s: Seconds that a call may take.
        """
        self._client = create_client(node, RecordBag, 'weighing/record_bag')
        self._timeout_s = timeout_s

    async def record(self, bag: PostedBag, reading_id: str, client: str) -> RecordedBag:
        """Record a bag; the same reading id again returns the recorded bag.

        Args:
            bag: The validated bag.
            reading_id: Its idempotency key.
            client: Name of the API client, for the audit.

        Raises:
            BadRequestError: weigh_station rejected the bag.
            RecorderUnavailableError: It is not known whether the bag was recorded; the sender may repeat the request.
        """
        request = RecordBag.Request(
            reading_id=reading_id, station=bag.station, scale_id=bag.scale_id, weight=bag.weight, unit=bag.unit
        )
        request.command.operator_id, request.command.role, request.command.origin = client, 'API client', 'REST'
        response = await self._call(request)
        if response.code == ResultCode.OK:
            return RecordedBag(
                bag_id=response.bag.bag_id,
                bag_number=response.bag.bag_number,
                station=response.bag.station,
                in_tolerance=response.bag.outcome == response.bag.IN_TOLERANCE,
                job_complete=response.job_complete,
                message=response.message,
            )
        if response.code == ResultCode.NO_WEIGH_JOB:
            raise BadRequestError(404, 'station', response.message)
        if response.code == ResultCode.KEY_REUSED:
            raise BadRequestError(422, KEY_HEADER, f'this {KEY_HEADER} was used for another bag: make a new one for each bag')
        if response.code == ResultCode.INVALID_ARGUMENT:
            raise BadRequestError(422, '', response.message)
        raise RecorderUnavailableError(response.message)

    async def _call(self, request: RecordBag.Request) -> RecordBag.Response:
        """Call the service and await the response in the event loop.

        Raises:
            RecorderUnavailableError: weigh_station is not running, or does not respond in time: the bag may be recorded all
                the same,
                and a repetition with the same key is safe.
        """
        await self._wait_ready()
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def finish(_: Future) -> None:
            loop.call_soon_threadsafe(finished.set)

        # rclpy sends from any thread; the response arrives in the node's thread, which must not touch the event loop.
        future = self._client.call_async(request)
        future.add_done_callback(finish)
        try:
            await with_timeout(finished.wait(), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise RecorderUnavailableError('weigh_station did not respond in time') from error
        finally:
            # rclpy keeps a future that gets no response for the node's lifetime.
            self._client.remove_pending_request(future)
        response: RecordBag.Response = future.result()
        return response

    async def _wait_ready(self) -> None:
        """Wait until the service is discovered, at most DISCOVERY_TIMEOUT_S.

        Raises:
            RecorderUnavailableError: weigh_station is not running.
        """
        deadline = time.monotonic() + DISCOVERY_TIMEOUT_S
        # Polled: rclpy's own wait blocks its thread.
        while not self._client.service_is_ready():
            if time.monotonic() > deadline:
                raise RecorderUnavailableError('weigh_station is not running')
            await asyncio.sleep(0.05)


class ScanBag:
    """Serves `POST /api/prepuff/scan_bag` to programs that have a token.

    Responses are JSON: the bag, or `error` and `field`. Statuses are those of the OpenAPI
    description at `/api/openapi.json`, which needs no token.
    """

    def __init__(self, recorder: BagRecorder, tokens: TokenFile) -> None:
        """Store the collaborators.

        Args:
            recorder: Passes bags on to weigh_station.
            tokens: The clients that may post.
        """
        self._recorder = recorder
        self._tokens = tokens

    def add_routes(self, router: web.UrlDispatcher, known: Callable[[web.Request], Session]) -> None:  # noqa: ARG002
        """Add the API and its description; clients are identified by their token, not by a session.

        Args:
            router: Router of the gateway's application.
            known: Not used: a program that posts bags has no session.
        """
        for path in (PATH, f'{PATH}/'):
            router.add_post(path, self._scan)
            router.add_route('*', path, self._reject_method)
        router.add_get('/api/openapi.json', self._describe)

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(openapi_document(VERSION))

    async def _reject_method(self, request: web.Request) -> web.Response:
        """Answer GET and other methods: the address is right, which a 404 would deny."""
        body = error_body(f'{request.method} records no bag: send POST with {", ".join(FIELDS)}', '')
        return web.json_response(body, status=405, headers={'Allow': 'POST', 'Cache-Control': NO_STORE})

    async def _scan(self, request: web.Request) -> web.Response:
        try:
            reply = await self._record(request)
        except BadRequestError as error:
            reply = error.reply
        except RecorderUnavailableError as error:
            reply = ApiReply(503, error_body(f'the bag cannot be recorded now: {error}. Try again with the same key', ''))
        headers = {'Cache-Control': NO_STORE}
        if reply.status == 401:
            headers['WWW-Authenticate'] = 'Bearer'
        return web.json_response(reply.body, status=reply.status, headers=headers)

    async def _record(self, request: web.Request) -> ApiReply:
        """Check a request and record its bag.

        Raises:
            BadRequestError: With the status to respond: 400, 401, 413, 415, 422 or 503.
            RecorderUnavailableError: weigh_station does not answer.
        """
        client = self._client_name(request)
        # Checked before the body is read: a client must not make the gateway buffer an endless
        # request.
        if request.content_length is None or request.content_length > LARGEST:
            raise BadRequestError(413, '', f'the request must state its length, at most {LARGEST} bytes')
        key = request.headers.get(KEY_HEADER)
        # The client's name is part of the id, so two clients may use the same keys.
        reading_id = new_id() if key is None else reading_id_for_key(key, client)
        bag = validate_form(await _read_fields(request))
        return reply_to(await self._recorder.record(bag, reading_id, client))

    def _client_name(self, request: web.Request) -> str:
        """Return the name of the token of a request (`Authorization: Bearer`, RFC 6750).

        Raises:
            BadRequestError: 401: token missing or unknown. 503: the token file cannot be read.
        """
        kind, _, token = request.headers.get('Authorization', '').partition(' ')
        try:
            name = self._tokens.client_name(token.strip()) if kind.lower() == 'bearer' else ''
        except TokenError as error:
            raise BadRequestError(503, 'Authorization', 'the tokens cannot be read: see the log of web_gateway') from error
        if not name:
            raise BadRequestError(
                401, 'Authorization', 'a token is needed: Authorization: Bearer <token>, made by cell token new'
            )
        return name


async def _read_fields(request: web.Request) -> Mapping[str, Sequence[object]]:
    """Return the values of each field of a form or a JSON object.

    Raises:
        BadRequestError: 415 for another content type or an unknown charset, 400 for a body that is not what it claims to be.
    """
    kind = request.content_type
    if kind == 'application/json' or kind.endswith('+json'):
        if (request.charset or 'utf-8').lower() not in ('utf-8', 'utf8', 'us-ascii', 'ascii'):
            raise BadRequestError(415, 'Content-Type', 'JSON must be in UTF-8')
        return parse_json(await request.read())
    if kind not in FORMS:
        raise BadRequestError(415, 'Content-Type', f'the body must be a form or JSON: {", ".join(FORMS)}, application/json')
    try:
        form = await request.post()
    except LookupError as error:
        raise BadRequestError(415, 'Content-Type', f'the charset "{request.charset}" is unknown: send UTF-8') from error
    except ValueError as error:
        raise BadRequestError(400, '', 'the body is not a form') from error
    return {name: form.getall(name) for name in form}
