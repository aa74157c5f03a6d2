"""`/api/doctor`: the checks of `cell doctor` over HTTP, for pages and supervisors.

The command runs as a process of its own: its checks wait for nodes and read files, which would delay the page.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Sequence

from aiohttp import web
from cell_common.timeouts import with_timeout

from cell_web.pages import NO_STORE
from cell_web.request_session import Session

__all__ = ['DoctorRoutes']

TIMEOUT_S = 90.0
FRESH_S = 5.0
"""Age up to which a result is given to several callers."""


class DoctorRoutes:
    """Serves the checks to everybody who may see the page; one run at a time."""

    def __init__(self, namespace: str, command: Sequence[str] = ()) -> None:
        """Store the command.

        Args:
            namespace: Namespace of the cell.
            command: Program and arguments; () = `cell doctor --json` of this installation.
        """
        self._command = list(command) or ['cell', '--namespace', namespace.strip('/'), 'doctor', '--json']
        self._running = asyncio.Lock()
        self._result: tuple[float, str] | None = None

    def add_routes(self, router: web.UrlDispatcher, require_session: Callable[[web.Request], Session]) -> None:
        """Add `/api/doctor`: JSON with `ok`, and `checks` with `check`, `text` and `state`: "ok", "not ok", "not checked".

        Args:
            router: Router of the application.
            require_session: Returns the session of a request, or raises HTTPUnauthorized.
        """

        async def serve(request: web.Request) -> web.Response:
            require_session(request)
            text = await self._checks()
            return web.Response(text=text, content_type='application/json', headers={'Cache-Control': NO_STORE})

        router.add_get('/api/doctor', serve)

    async def _checks(self) -> str:
        """Return the JSON of a fresh run.

        Raises:
            HTTPServiceUnavailable: 503: the command is missing, fails, or takes too long.
        """
        async with self._running:
            if self._result is not None and time.monotonic() - self._result[0] < FRESH_S:
                return self._result[1]
            text = await self._run()
            self._result = (time.monotonic(), text)
            return text

    async def _run(self) -> str:
        program = shutil.which(self._command[0])
        if program is None:
            raise web.HTTPServiceUnavailable(text='The command "cell" is not installed here: run cell doctor in a terminal.')
        pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(program, *self._command[1:], stdin=quiet, stdout=pipe, stderr=quiet)
        try:
            output, _ = await with_timeout(process.communicate(), TIMEOUT_S)
            text = output.decode()
            json.loads(text)
        except (asyncio.TimeoutError, ValueError) as error:
            raise web.HTTPServiceUnavailable(text='The checks did not end. Run cell doctor in a terminal.') from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return text
