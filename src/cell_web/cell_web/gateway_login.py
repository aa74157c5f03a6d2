"""The login of node web_gateway: whether there is one, its files, and the link for the first user."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cell_common.database import DatabaseError
from cell_common.runner import StartError
from cell_common.time import now_ns
from rclpy.node import Node

from cell_web.login.audit import LoginAudit
from cell_web.login.events import LoginEvent
from cell_web.login.routes import LoginRoutes, LoginSettings
from cell_web.login.sessions import SessionLimits
from cell_web.parameters import GatewayParameters
from cell_web.passwords import PasswordHashes
from cell_web.tokens import TokenFile
from cell_web.user_file import UserError, UserFile

__all__ = ['Login', 'login_required', 'open_login']


@dataclass(frozen=True)
class Login:
    """The login and what must be closed after the server.

    Attributes:
        routes: Sessions and requests.
        audit: None without a database.
    """

    routes: LoginRoutes
    audit: LoginAudit | None

    def close(self) -> None:
        """Store what waits for the database."""
        if self.audit:
            self.audit.close()


def login_required(login: str, listen_address: str) -> bool:
    """Return whether people must log in.

    Args:
        login: Parameter `login`.
        listen_address: Parameter `listen_address`.

    Raises:
        StartError: Everybody on the network would be an operator.
    """
    is_local = _is_loopback(listen_address)
    if login == 'never' and not is_local:
        raise StartError(
            f'login is "never", but {listen_address} can be reached from other machines: set login to "network" and make users '
            'with cell user add, or set listen_address to 127.0.0.1'
        )
    return login == 'always' or (login == 'network' and not is_local)


def open_login(node: Node, parameters: GatewayParameters) -> Login | None:
    """Return the login of the gateway; None where there is none.

    Args:
        node: The gateway.
        parameters: Its parameters.

    Raises:
        StartError: The users cannot be read or are not named, or the database cannot be used.
    """
    if not login_required(parameters.login, parameters.listen_address):
        return None
    if not parameters.users_file:
        raise StartError('a login needs parameter "users_file". Set it in the parameter file.')
    log = node.get_logger()
    users = UserFile(Path(parameters.users_file).expanduser())
    try:
        audit = _open_audit(node, parameters.database_url) if parameters.database_url else None
    except DatabaseError as error:
        raise StartError(str(error)) from error

    def on_event(event: LoginEvent) -> None:
        text = f'refused: {event.refusal}' if event.refusal else 'done'
        log.info(f'{event.name} of {event.user[:40]!r} ({event.role or "no role"}) from {event.address}: {text}')
        if audit:
            audit.add(event)

    limits = SessionLimits(parameters.login_idle_limit, parameters.login_limit)
    settings = LoginSettings(limits, tuple(origin for origin in parameters.origins if origin))
    tokens = TokenFile(Path(parameters.api_tokens_file).expanduser()) if parameters.api_tokens_file else None
    routes = LoginRoutes(users, PasswordHashes(), settings, time.monotonic, on_event, tokens)
    try:
        if fragment := routes.first_user_fragment():
            log.warning(
                f'there is no user yet: open the operator page within an hour with {fragment} at the end of its address, '
                'or run: cell user add NAME --role maintainer'
            )
    except UserError as error:
        raise StartError(str(error)) from error
    return Login(routes, audit)


def _open_audit(node: Node, database_url: str) -> LoginAudit:
    return LoginAudit(database_url, node.get_name(), partial(now_ns, node), node.get_logger().error)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == 'localhost'
