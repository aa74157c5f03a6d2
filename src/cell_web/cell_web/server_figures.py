"""Figures of the pick jobs over HTTP, read from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from cell_common.database import StorageFailedError
from cell_common.time import NS_PER_S
from cell_coordinator.figures import Report, ShiftError, Window, make_report, parse_starts, report_csv, report_json
from cell_coordinator.figures_reader import read_jobs
from sqlalchemy import Engine

from cell_web.pages import NO_STORE
from cell_web.request_session import Session

HOURS = (1, 9600)
"""Shortest and longest time, hours: 400 days."""


class FiguresRoutes:
    """Serves OEE, stops, rejects and cycle times to everybody who may see the page; the engine is read-only."""

    def __init__(self, engine: Engine, now_ns: Callable[[], int]) -> None:
        """Store the collaborators.

        Args:
            engine: Read-only engine of the cell's database.
            now_ns: Clock, UTC in nanoseconds since 1970: the end of the time.
        """
        self._engine = engine
        self._now_ns = now_ns

    def add_routes(self, router: web.UrlDispatcher, known: Callable[[web.Request], Session]) -> None:
        """Add `/api/figures.json` and `/api/figures.csv`.

        Query: `hours` (24), `part` (all), `shifts` (none, e.g. 06:00,14:00,22:00), `ideal_cycle` in seconds (measured).

        Args:
            router: Router of the application.
            known: Returns the session of a request, or raises HTTPUnauthorized.
        """

        async def as_json(request: web.Request) -> web.Response:
            known(request)
            report = await asyncio.to_thread(self._report, request)
            return web.json_response(report_json(report), headers={'Cache-Control': NO_STORE})

        async def as_csv(request: web.Request) -> web.Response:
            known(request)
            text = report_csv(await asyncio.to_thread(self._report, request))
            headers = {'Cache-Control': NO_STORE, 'Content-Disposition': 'attachment; filename="figures.csv"'}
            return web.Response(text=text, content_type='text/csv', headers=headers)

        router.add_get('/api/figures.json', as_json)
        router.add_get('/api/figures.csv', as_csv)

    def _report(self, request: web.Request) -> Report:
        """Read the figures that a request asks for.

        Raises:
            HTTPBadRequest: 400: a value of the query is wrong.
            HTTPServiceUnavailable: 503: the database cannot be read.
        """
        hours = _number(request, 'hours', 24.0, HOURS)
        ideal_cycle = _number(request, 'ideal_cycle', 0.0, (0, 3600))
        until_ns = self._now_ns()
        window = Window(until_ns - int(hours * 3600) * NS_PER_S, until_ns)
        try:
            starts = parse_starts([text for text in request.query.get('shifts', '').split(',') if text])
            jobs = read_jobs(self._engine, window, request.query.get('part', ''))
        except ShiftError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except StorageFailedError as error:
            raise web.HTTPServiceUnavailable(text='The database cannot be read. Does the coordinator run?') from error
        return make_report(jobs, window, starts, ideal_cycle)


def _number(request: web.Request, name: str, usual: float, limits: tuple[float, float]) -> float:
    """Return a number of the query.

    Raises:
        HTTPBadRequest: 400: it is none, or outside its limits.
    """
    text = request.query.get(name, '')
    try:
        value = float(text) if text else usual
    except ValueError:
        value = -1.0
    if not limits[0] <= value <= limits[1]:
        raise web.HTTPBadRequest(text=f'{name} must be a number of {limits[0]:g} to {limits[1]:g}')
    return value
