"""The history of the cell over HTTP: lists, one piece or bag, pictures and clips. Read-only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from cell_common.database import StorageFailedError
from cell_common.history_page import CursorError, HistoryFilter, PageRequest
from cell_common.time import NS_PER_S
from cell_common.timeouts import with_timeout
from cell_coordinator.figures import Window
from cell_history.queries.explanation import explain
from cell_history.queries.production_report import PAGE_POLICY, ProductionReport, production_csv, production_html
from cell_history.queries.report_reader import job_report, time_report
from cell_history.queries.service import KINDS, History, UnknownPieceError, piece_json
from cell_history.queries.tables import iso, page_csv, page_json, row_of, rows_of
from cell_vision.kept_frames import KeptFrame

from cell_web.connections import Seats
from cell_web.history_openapi import history_document
from cell_web.history_query import QueryError, filter_values, page_values
from cell_web.mjpeg import CONTENT_TYPE, part
from cell_web.pages import IMMUTABLE, NO_STORE
from cell_web.request_session import Session

ROOT = '/api/history'
VERSION = version('cell_web')
CLIP = r'{clip:[0-9]{8}T[0-9]{6}_[a-z]{1,20}_[0-9]{1,9}}'
USUAL_NS, LONGEST_NS = 8 * 3600 * NS_PER_S, 31 * 86_400 * NS_PER_S
"""Time of a report."""
AT_ONCE = 4
"""Questions that the database answers at the same time; further ones wait."""
WRITE_S = 10.0
LONGEST_PAUSE_S = 1.0
"""Between two pictures of a clip: while the camera stood still nobody waits longer."""
AnswerT = TypeVar('AnswerT')
Known = Callable[[web.Request], Session]


class HistoryRoutes:
    """Serves the history to everybody who may see the page; the engine is read-only."""

    def __init__(self, history: History, now_ns: Callable[[], int], viewers: int = 8, viewers_per_address: int = 4) -> None:
        """Store the history.

        Args:
            history: Its engine must be read-only.
            now_ns: Clock, UTC in nanoseconds since 1970: the end of a report.
            viewers: Maximum number of clips that are played.
            viewers_per_address: Maximum number for one address.
        """
        self._history = history
        self._now_ns = now_ns
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._viewers = Seats(viewers, viewers_per_address, 'clips', 'max_viewers')

    def add_routes(self, router: web.UrlDispatcher, known: Known) -> None:
        """Add the routes below `/api/history`; `openapi.json` describes them.

        Args:
            router: Router of the application.
            known: Returns the session of a request, or raises HTTPUnauthorized.
        """

        def add(path: str, answer: Callable[[web.Request], object]) -> None:
            async def handle(request: web.Request) -> web.StreamResponse:
                known(request)
                response = await answer(request)  # type: ignore[misc]
                assert isinstance(response, web.StreamResponse)
                return response

            router.add_get(f'{ROOT}/{path}', handle)

        kinds = '{kind:' + '|'.join(KINDS) + '}'
        add('openapi.json', self._describe)
        add(kinds, self._list)
        add(f'{kinds}.csv', self._table)
        add(r'pieces/{job}/{piece:[0-9]{1,9}}', self._piece)
        add(r'bags/{bag:[0-9]{1,18}}', self._bag)
        add('pictures/{name}', self._picture)
        add('report.html', self._report_page)
        add('report.csv', self._report_table)
        add(f'clips/{CLIP}.mjpg', self._play)
        add(f'clips/{CLIP}.mcap', self._download)

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(history_document(VERSION))

    async def _list(self, request: web.Request) -> web.Response:
        rows, following = await self._rows(request)
        return _json(page_json(rows, following))

    async def _table(self, request: web.Request) -> web.Response:
        rows, following = await self._rows(request)
        kind = request.match_info['kind']
        headers = {'Cache-Control': NO_STORE, 'Content-Disposition': f'attachment; filename="{kind}.csv"', 'X-Next': following}
        return web.Response(text=page_csv(rows), content_type='text/csv', headers=headers)

    async def _rows(self, request: web.Request) -> tuple[list[dict[str, object]], str]:
        """Read the page that a request asks for.

        Raises:
            HTTPBadRequest: 400: a value of the query is wrong.
            HTTPServiceUnavailable: 503: the database cannot be read.
        """
        try:
            wanted = HistoryFilter(**filter_values(request.query))  # type: ignore[arg-type]  # each has its type
            limit, cursor = page_values(request.query)
        except QueryError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        kind = request.match_info['kind']

        def read() -> tuple[list[dict[str, object]], str]:
            page = self._history.page(kind, wanted, PageRequest(limit, cursor))
            clips = [self._history.clip_of(item) for item in page.items] if kind in ('pieces', 'alarms') else ()
            return rows_of(page.items, clips), page.next

        return await self._read(read)

    async def _piece(self, request: web.Request) -> web.Response:
        def read() -> dict[str, object]:
            found = self._history.piece(request.match_info['job'], int(request.match_info['piece']))
            return {**piece_json(found), 'why': explain(found.piece, len(found.readings), iso)}

        return _json(await self._read(read))

    async def _bag(self, request: web.Request) -> web.Response:
        def read() -> dict[str, object]:
            found = self._history.bag(int(request.match_info['bag']))
            parts = {'bag': found.bag, 'line': found.line, 'delivery': found.delivery}
            return {name: None if item is None else row_of(item) for name, item in parts.items()}

        return _json(await self._read(read))

    async def _report_page(self, request: web.Request) -> web.Response:
        report = await self._report(request)
        headers = {'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': NO_STORE}
        return web.Response(text=production_html(report, local_time), content_type='text/html', headers=headers)

    async def _report_table(self, request: web.Request) -> web.Response:
        headers = {'Cache-Control': NO_STORE, 'Content-Disposition': 'attachment; filename="report.csv"'}
        return web.Response(text=production_csv(await self._report(request)), content_type='text/csv', headers=headers)

    async def _report(self, request: web.Request) -> ProductionReport:
        """Read the report of a job, or of a time of at most 31 days, by default of the last 8 hours.

        Raises:
            HTTPBadRequest: 400: a value of the query is wrong.
            HTTPNotFound: 404: there is no such job.
            HTTPServiceUnavailable: 503: the database cannot be read.
        """
        try:
            values = filter_values(request.query)
        except QueryError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        now_ns = self._now_ns()
        until_ns = int(values['until_ns']) or now_ns
        since_ns = int(values['since_ns']) or until_ns - USUAL_NS
        if not 0 < until_ns - since_ns <= LONGEST_NS:
            raise web.HTTPBadRequest(text='since must be before until, by at most 31 days')

        def source(frame: KeptFrame) -> str:
            return f'pictures/{frame.file}'

        def read() -> ProductionReport:
            if job_id := str(values['job']):
                return job_report(self._history, job_id, now_ns, source)
            return time_report(self._history, 'Production', Window(since_ns, until_ns), source)

        return await self._read(read)

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(self._history.picture, request.match_info['name'])
        if path is None:
            raise web.HTTPNotFound(text='This picture is not kept.')
        return web.FileResponse(path, headers={'Cache-Control': IMMUTABLE, 'Content-Type': 'image/jpeg'})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        folder = self._clip_folder(request)
        files = await asyncio.to_thread(lambda: sorted(folder.glob('*.mcap')))
        if not files:
            raise web.HTTPNotFound(text='This clip is not kept.')
        headers = {'Cache-Control': NO_STORE, 'Content-Disposition': f'attachment; filename="{folder.name}.mcap"'}
        return web.FileResponse(files[0], headers={**headers, 'Content-Type': 'application/octet-stream'})

    async def _play(self, request: web.Request) -> web.StreamResponse:
        """Play the pictures of a clip once, as they were taken, in a stream that browsers show as a picture.

        Raises:
            HTTPNotFound: 404: there is no such clip, or it holds no pictures.
            HTTPServiceUnavailable: 503: too many clips are played.
        """
        pictures = _pictures(self._clip_folder(request))
        if reason := self._viewers.refusal(request.remote):
            raise web.HTTPServiceUnavailable(text=reason)
        with self._viewers.seat(request.remote):
            picture = await asyncio.to_thread(_following, pictures)
            if picture is None:
                raise web.HTTPNotFound(text='This clip holds no pictures.')
            response = web.StreamResponse(headers={'Content-Type': CONTENT_TYPE, 'Cache-Control': NO_STORE})
            await response.prepare(request)
            try:
                while picture is not None:
                    shown_ns = picture[0]
                    await with_timeout(response.write(part(picture[1], shown_ns, 0)), WRITE_S)
                    picture = await asyncio.to_thread(_following, pictures)
                    if picture is not None:
                        await asyncio.sleep(min(max(0, picture[0] - shown_ns) / NS_PER_S, LONGEST_PAUSE_S))
            except (ConnectionError, asyncio.TimeoutError):
                pass  # the viewer has left
        return response

    def _clip_folder(self, request: web.Request) -> Path:
        """Return the folder of a clip; the route admits names without separators only.

        Raises:
            HTTPNotFound: 404: there is no such clip.
        """
        clips = self._history.folders.clips
        folder = clips / request.match_info['clip'] if clips else None
        if folder is None or not folder.is_dir():
            raise web.HTTPNotFound(text='This clip is not kept.')
        return folder

    async def _read(self, read: Callable[[], AnswerT]) -> AnswerT:
        """Answer a question in a worker thread: the camera streams go on meanwhile.

        Raises:
            HTTPBadRequest: 400: the cursor is wrong.
            HTTPNotFound: 404: there is no such piece or bag.
            HTTPServiceUnavailable: 503: the database cannot be read.
        """
        try:
            async with self._at_once:
                return await asyncio.to_thread(read)
        except CursorError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except UnknownPieceError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except StorageFailedError as error:
            raise web.HTTPServiceUnavailable(text=f'{error}') from error


def _json(value: object) -> web.Response:
    return web.json_response(
        value, headers={'Cache-Control': NO_STORE}, dumps=lambda item: json.dumps(item, ensure_ascii=False)
    )


def _pictures(folder: Path) -> Iterator[tuple[int, bytes]]:
    # Here: the reader of bags takes 30 MB, and few gateways are asked for a clip.
    from cell_history.bags.clip_pictures import clip_pictures

    return clip_pictures(folder)


def _following(pictures: Iterator[tuple[int, bytes]]) -> tuple[int, bytes] | None:
    """Return the next picture; None at the end, or where a damaged clip cannot be read further."""
    from cell_history.bags.reader import BagError

    try:
        return next(pictures, None)
    except BagError:
        return None


def local_time(nanoseconds: int) -> str:
    """Return local date and time of this computer."""
    return f'{datetime.fromtimestamp(nanoseconds / NS_PER_S).astimezone():%Y-%m-%d %H:%M}'
