"""Health over HTTP for supervisors: `/readyz`, the end-to-end state. `/healthz` of the server only says that it runs."""

from __future__ import annotations

import math
from collections.abc import Callable

from aiohttp import web

from cell_web.bridge_check import BridgeHealth
from cell_web.pages import NO_STORE
from cell_web.request_session import Session

__all__ = ['ReadyRoutes']


class ReadyRoutes:
    """Serves `/readyz`: 200 when requests pass through rosbridge to the nodes and back, 503 with the reason otherwise."""

    def __init__(self, health: Callable[[], BridgeHealth]) -> None:
        """Store where the state comes from.

        Args:
            health: Returns the state of the bridge now.
        """
        self._health = health

    def add_routes(self, router: web.UrlDispatcher, _require_session: Callable[[web.Request], Session]) -> None:
        """Add the route; it is open like `/healthz`, for supervisors without a session.

        Args:
            router: Router of the application.
        """
        router.add_get('/readyz', self._serve)

    async def _serve(self, _request: web.Request) -> web.Response:
        health = self._health()
        nodes = {
            node: {'age_s': age if math.isfinite(age) else None, 'round_trip_s': health.round_trip_s.get(node)}
            for node, age in health.age_s.items()
        }
        body = {'ready': health.ok, 'message': health.message, 'nodes': nodes}
        return web.json_response(body, status=200 if health.ok else 503, headers={'Cache-Control': NO_STORE})
