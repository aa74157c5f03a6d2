"""Reports of weigh jobs over HTTP, read from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from cell_weighing.reader import NoSuchJobError, read_job_report
from cell_weighing.reports import POLICY, JobReport, report_csv, report_html
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cell_web.pages import NO_STORE
from cell_web.request_session import Session

JOB = r'/api/weighing/jobs/{job_id:[0-9]{1,18}}'


class Reports:
    """Serves the report of a weigh job and its bags as CSV to everybody who may see the page.

    The database belongs to weigh_station; the engine is read-only.
    """

    def __init__(self, engine: Engine, now_ns: Callable[[], int]) -> None:
        """Store the collaborators.

        Args:
            engine: Read-only engine, from `cell_weighing.reader.open_reader`.
            now_ns: Clock, UTC in nanoseconds since 1970; the report states when it was made.
        """
        self._engine = engine
        self._now_ns = now_ns

    def add_routes(self, router: web.UrlDispatcher, known: Callable[[web.Request], Session]) -> None:
        """Add `/api/weighing/jobs/<id>/report.html` and `/api/weighing/jobs/<id>/bags.csv`.

        Args:
            router: Router of the application.
            known: Returns the session of a request, or raises HTTPUnauthorized.
        """

        async def report(request: web.Request) -> web.Response:
            known(request)
            return await self._answer(
                request,
                lambda batch: web.Response(
                    text=report_html(batch, self._now_ns()),
                    content_type='text/html',
                    headers={'Content-Security-Policy': POLICY, 'Cache-Control': NO_STORE},
                ),
            )

        async def bags(request: web.Request) -> web.Response:
            known(request)
            return await self._answer(
                request,
                lambda batch: web.Response(
                    text=report_csv(batch),
                    content_type='text/csv',
                    headers={
                        'Cache-Control': NO_STORE,
                        'Content-Disposition': f'attachment; filename="weigh_job_{batch.job.job_id}.csv"',
                    },
                ),
            )

        router.add_get(f'{JOB}/report.html', report)
        router.add_get(f'{JOB}/bags.csv', bags)

    async def _answer(self, request: web.Request, make: Callable[[JobReport], web.Response]) -> web.Response:
        """Read a job's report in a worker thread and make a response of it.

        Raises:
            HTTPNotFound: 404: there is no such job.
            HTTPServiceUnavailable: 503: the database cannot be read.
        """
        # The route admits at most 18 digits: a larger number would not fit the database's integer.
        job_id = int(request.match_info['job_id'])
        try:
            # Reading and rendering thousands of bags takes seconds, which must not stop the camera
            # streams.
            return await asyncio.to_thread(lambda: make(read_job_report(self._engine, job_id)))
        except NoSuchJobError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except SQLAlchemyError as error:
            raise web.HTTPServiceUnavailable(text='The database cannot be read. Does weigh_station run?') from error
