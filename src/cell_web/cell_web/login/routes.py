"""Requests of the page for logging in and out, and the session of each request.

The session's id is in a cookie that scripts cannot read and that browsers send to this site only. Each request here must come
from the page itself: JSON, and the page's own Origin.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TypeVar

from aiohttp import web

from cell_web.login.attempts import LoginAttempts
from cell_web.login.events import LoginEvent
from cell_web.login.sessions import LoginSession, LoginSessions, SessionLimits
from cell_web.origins import origin_allowed
from cell_web.pages import NO_STORE
from cell_web.passwords import PasswordError, PasswordHashes, check_password
from cell_web.request_session import Session
from cell_web.roles import MAINTAINER, ROLES
from cell_web.tokens import TokenEntry, TokenError, TokenFile
from cell_web.user import User
from cell_web.user_file import UserError, UserFile

__all__ = ['LoginRoutes', 'LoginSettings']

log = logging.getLogger(__name__)
ResultT = TypeVar('ResultT')
WRONG = 'Name or password is wrong. After some wrong tries each further one has to wait.'
AT_ONCE, WAITING = 2, 16
"""Passwords checked at the same time, and requests that may wait for it: a hash takes 64 MiB and 50 ms of a core."""
FIRST = '/login/first'
"""Stands for the name in the tries of the first user."""
FIRST_USER_S = 3600.0
"""How long the link for the first user is good."""


@dataclass(frozen=True)
class LoginSettings:
    """Settings of the login.

    Attributes:
        limits: When sessions end.
        origins: Pages besides the gateway's own that may log in.
    """

    limits: SessionLimits = field(default_factory=SessionLimits)
    origins: tuple[str, ...] = ()


class LoginRoutes:
    """Sessions by login: the `SessionProvider` and the `Routes` of the server. Used on the server's event loop only."""

    def __init__(
        self,
        users: UserFile,
        hashes: PasswordHashes,
        settings: LoginSettings,
        now_s: Callable[[], float],
        on_event: Callable[[LoginEvent], None],
        tokens: TokenFile | None = None,
    ) -> None:
        """Store the collaborators.

        Args:
            users: Who may log in; changes of the file are seen at once.
            hashes: Checks passwords.
            settings: Limits and origins.
            now_s: Monotonic clock, seconds.
            on_event: Called for each login, refused one and logout; must not block.
            tokens: Tokens of programs; those with a role are sessions.
        """
        self._users = users
        self._hashes = hashes
        self._settings = settings
        self._now_s = now_s
        self._on_event = on_event
        self._tokens = tokens
        self._sessions = LoginSessions(settings.limits)
        self._attempts = LoginAttempts()
        self._checking = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._first_code, self._first_until_s = secrets.token_urlsafe(16), now_s() + FIRST_USER_S

    # -- sessions ---------------------------------------------------------------------------------------------------

    def session_of(self, request: web.Request) -> Session | None:
        """Return the session of a request's token or cookie; None = a login is required."""
        scheme, _, token = request.headers.get('Authorization', '').partition(' ')
        if scheme.lower() == 'bearer':
            return self._session_of_token(token.strip())
        session = self._sessions.find(request.cookies.get(_cookie_name(request), ''), self._now_s())
        if session is None or not self._is_open(session):
            return None
        return Session(ROLES[session.user.role], session.user.name, lambda: self._is_open(session))

    def _is_open(self, session: LoginSession) -> bool:
        """Return whether a session still holds: not ended, and its user has the same role and password as at the login."""
        try:
            return self._sessions.is_open(session, self._now_s()) and self._users.find(session.user.name) == session.user
        except UserError as error:
            log.error('%s', error)
            return False

    def _session_of_token(self, token: str) -> Session | None:
        """Return the session of a program; None if its token is unknown, has ended, or has no role."""
        entry = self._entry_of(token)
        if entry is None:
            return None
        return Session(ROLES[entry.role], f'token {entry.name}', lambda: self._entry_of(token) == entry)

    def _entry_of(self, token: str) -> TokenEntry | None:
        try:
            entry = self._tokens.find(token) if self._tokens else None
        except TokenError as error:
            log.error('%s', error)
            return None
        return entry if entry is not None and entry.role in ROLES else None

    def first_user_fragment(self) -> str:
        """Return the end of the page's address with which the first user is made; "" when there are users.

        Raises:
            UserError: The user file cannot be read.
        """
        return '' if self._users.users() else f'#first={self._first_code}'

    # -- requests ---------------------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher, _require_session: Callable[[web.Request], Session]) -> None:
        """Add the routes; all but logout and touch are open to everybody who can reach the port."""
        router.add_get('/login.json', self._state)
        router.add_post('/login', self._login)
        router.add_post('/login/first', self._make_first_user)
        router.add_post('/login/touch', self._touch)
        router.add_post('/logout', self._logout)

    async def _state(self, _request: web.Request) -> web.Response:
        """Say that there is a login, and whether the first user is to be made."""
        try:
            return _answer({'login': True, 'first': not self._users.users()})
        except UserError as error:
            log.error('%s', error)
            raise web.HTTPServiceUnavailable(text='The user file cannot be read: see the log of web_gateway.') from error

    async def _login(self, request: web.Request) -> web.Response:
        """Log in: {"name", "password"}.

        Raises:
            HTTPUnauthorized: The answer is the same for an unknown name, a wrong password and a try that comes too soon.
        """
        body = await self._read(request, ('name', 'password'))
        user = await self._checked(body['name'], body['password'], request.remote or '')
        if user is None:
            raise web.HTTPUnauthorized(text=json.dumps({'message': WRONG}), content_type='application/json')
        return self._open(request, user, 'login')

    async def _checked(self, name: str, password: str, address: str) -> User | None:
        """Return the user whose name and password these are; None if they are wrong, or the try comes too soon."""
        if self._attempts.must_wait(name, address, self._now_s()):
            log.warning('login from %s refused: too many wrong tries', address)
            return None
        self._attempts.begin(name, address, self._now_s())
        try:
            user = self._users.find(name)
        except UserError as error:
            log.error('%s', error)
            user = None
        right = await self._in_turn(lambda: self._hashes.is_right(password, user.password_hash if user else ''))
        if not right or user is None or user.role not in ROLES:
            self._on_event(LoginEvent('login', name, '', address, 'name or password is wrong'))
            return None
        self._attempts.succeeded(name, address)
        return user

    async def _make_first_user(self, request: web.Request) -> web.Response:
        """Make the first user, a maintainer, with the code of the link in the log: {"code", "name", "password"}.

        Raises:
            HTTPForbidden: The code is wrong or too old, or there is a user already.
            HTTPBadRequest: Name or password cannot be used.
        """
        body = await self._read(request, ('code', 'name', 'password'))
        if not self._is_first_code(body['code'], body['name'], request.remote or ''):
            raise web.HTTPForbidden(
                text=json.dumps({'message': 'This link is not good any more. Make users with: cell user add NAME --role ROLE'}),
                content_type='application/json',
            )
        try:
            check_password(body['password'], body['name'])
            hashed = await self._in_turn(lambda: self._hashes.hash(body['password']))
            user = User(body['name'].strip(), MAINTAINER.name, hashed, datetime.now(timezone.utc).isoformat(timespec='seconds'))
            self._users.add(user)
        except (PasswordError, UserError) as error:
            raise web.HTTPBadRequest(text=json.dumps({'message': str(error)}), content_type='application/json') from error
        return self._open(request, user, 'login/first')

    def _is_first_code(self, code: str, name: str, address: str) -> bool:
        """Return whether the first user may be made. Who guesses has to wait, and is in the audit as rarely as at a login."""
        if self._attempts.must_wait(FIRST, address, self._now_s()):
            return False
        self._attempts.begin(FIRST, address, self._now_s())
        is_right = hmac.compare_digest(code.encode(), self._first_code.encode())
        if not is_right or self._now_s() >= self._first_until_s or self._users.users():
            self._on_event(LoginEvent('login/first', name, '', address, 'wrong or old link'))
            return False
        self._attempts.succeeded(FIRST, address)
        return True

    async def _touch(self, request: web.Request) -> web.Response:
        """Note that the page is in use: the session does not become idle."""
        await self._read(request, ())
        session = self._sessions.find(request.cookies.get(_cookie_name(request), ''), self._now_s())
        if session is None or not self._is_open(session):
            raise web.HTTPUnauthorized(text='Login required.')
        session.used_s = self._now_s()
        return _answer({})

    async def _logout(self, request: web.Request) -> web.Response:
        """End the session of the request, and what it has open."""
        await self._read(request, ())
        session = self._sessions.close(request.cookies.get(_cookie_name(request), ''))
        if session is not None:
            self._on_event(LoginEvent('logout', session.user.name, session.user.role, request.remote or ''))
        answer = _answer({})
        answer.del_cookie(_cookie_name(request), path='/')
        return answer

    # -- helpers ----------------------------------------------------------------------------------------------------

    async def _read(self, request: web.Request, names: tuple[str, ...]) -> dict[str, str]:
        """Return the texts of a JSON body.

        Raises:
            HTTPForbidden: The request comes from a page of another site.
            HTTPUnsupportedMediaType: It is no JSON: forms of other sites can send anything else.
            HTTPBadRequest: A text is missing.
        """
        if not origin_allowed(request.headers.get('Origin'), request.host, self._settings.origins):
            raise web.HTTPForbidden(text='Origin not allowed. Add it to parameter origins.')
        if request.content_type != 'application/json':
            raise web.HTTPUnsupportedMediaType(text='Send JSON.')
        try:
            body = json.loads(await request.text())
            return {name: _text(body[name]) for name in names}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise web.HTTPBadRequest(text=f'Send a JSON object with the texts {", ".join(names)}.') from error

    async def _in_turn(self, work: Callable[[], ResultT]) -> ResultT:
        """Do the slow work of a hash in a thread, at most AT_ONCE at the same time.

        Raises:
            HTTPTooManyRequests: Too many wait already.
        """
        if self._waiting >= WAITING:
            raise web.HTTPTooManyRequests(text='Too many logins at the same time. Try again in a moment.')
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

    def _open(self, request: web.Request, user: User, event: str) -> web.Response:
        """Open a session and return its cookie."""
        identifier = self._sessions.open(user, request.remote or '', self._now_s())
        self._on_event(LoginEvent(event, user.name, user.role, request.remote or ''))
        answer = _answer({'name': user.name, 'role': user.role})
        answer.set_cookie(
            _cookie_name(request),
            identifier,
            max_age=int(self._settings.limits.total_s),
            path='/',
            httponly=True,
            secure=request.secure,
            samesite='Strict',
        )
        return answer


def _cookie_name(request: web.Request) -> str:
    """Return the cookie's name, with the port: browsers send cookies to every port of a host, and cells may share one."""
    return f'cell_session_{request.url.port or 0}'


def _answer(body: dict[str, object]) -> web.Response:
    return web.json_response(body, headers={'Cache-Control': NO_STORE})


def _text(value: object) -> str:
    """Return a text of a request.

    Raises:
        TypeError: It is none.
        ValueError: It cannot be stored.
    """
    if not isinstance(value, str):
        raise TypeError('not a text')
    value.encode()
    return value
