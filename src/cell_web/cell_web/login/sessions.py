"""Who is logged in: sessions with an end, kept in memory. A restart of the gateway ends all of them.

Pure: no ROS, sockets, files or clock. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from cell_web.user import User

__all__ = ['LoginSession', 'LoginSessions', 'SessionLimits']

MOST_SESSIONS = 1000


@dataclass(frozen=True)
class SessionLimits:
    """When sessions end.

    Attributes:
        idle_s: Seconds without a command or touch; 0 = never. A panel locks itself so.
        total_s: Seconds after the login.
    """

    idle_s: float = 900.0
    total_s: float = 12 * 3600.0


@dataclass
class LoginSession:
    """One login.

    Attributes:
        user: As at the login.
        address: IP address of the login.
        opened_s: Time of the login.
        used_s: Time of the last command or touch.
        ended: Logged out.
    """

    user: User
    address: str
    opened_s: float
    used_s: float
    ended: bool = False


class LoginSessions:
    """The sessions, by the hash of their ids: what is in memory opens nothing."""

    def __init__(self, limits: SessionLimits) -> None:
        """Start without a session."""
        self._limits = limits
        self._sessions: OrderedDict[str, LoginSession] = OrderedDict()

    def open(self, user: User, address: str, now_s: float) -> str:
        """Open a session and return its id: 43 characters, 256 random bits. Beyond MOST_SESSIONS the oldest one ends."""
        self._drop_ended(now_s)
        identifier = secrets.token_urlsafe(32)
        self._sessions[_digest(identifier)] = LoginSession(user, address, now_s, now_s)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)[1].ended = True
        return identifier

    def find(self, identifier: str, now_s: float) -> LoginSession | None:
        """Return the session of an id, None if there is none or it has ended."""
        session = self._sessions.get(_digest(identifier))
        return session if session is not None and self.is_open(session, now_s) else None

    def is_open(self, session: LoginSession, now_s: float) -> bool:
        """Return whether a session still holds."""
        idle = self._limits.idle_s
        return (
            not session.ended
            and now_s - session.opened_s < self._limits.total_s
            and (not idle or now_s - session.used_s < idle)
        )

    def close(self, identifier: str) -> LoginSession | None:
        """End a session and return it; None if there is none."""
        session = self._sessions.pop(_digest(identifier), None)
        if session is not None:
            session.ended = True
        return session

    def _drop_ended(self, now_s: float) -> None:
        for key in [key for key, session in self._sessions.items() if not self.is_open(session, now_s)]:
            del self._sessions[key]


def _digest(identifier: str) -> str:
    return hashlib.sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()
