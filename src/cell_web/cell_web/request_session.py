"""Who sends a request, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from cell_web.roles import Role

__all__ = ['FixedRoleSessions', 'Session', 'SessionProvider']


@dataclass(frozen=True)
class Session:
    """Identity of a request.

    Attributes:
        role: Permissions.
        operator_id: Name of the operator; "" = no login, the page asks for a name.
        is_open: Returns whether the session still holds; what stays open, e.g. a WebSocket, asks again and again.
    """

    role: Role
    operator_id: str = ''
    is_open: Callable[[], bool] = lambda: True


class SessionProvider(Protocol):
    """Maps requests to sessions."""

    def session_of(self, request: web.Request) -> Session | None:
        """Return the session of a request, or None when a login is required.

        Args:
            request: Any request; called once for each, so it must be fast and must not block.
        """


class FixedRoleSessions:
    """Gives every request a session with the same role: a cell without a login."""

    def __init__(self, role: Role) -> None:
        """Store the role."""
        self._session = Session(role)

    def session_of(self, _request: web.Request) -> Session | None:
        """Return the shared session."""
        return self._session
