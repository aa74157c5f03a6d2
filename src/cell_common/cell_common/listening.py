"""Listening sockets: one port number for every address family of a name."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

__all__ = ['listening_sockets']

ATTEMPTS = 20


def listening_sockets(address: str, port: int, backlog: int = 128) -> list[socket.socket]:
    """Open a TCP port on every address that a name stands for.

    "localhost" and "" stand for addresses of IPv4 and IPv6. With port 0, each of them would otherwise get a port of its own,
    and only one of the two could be told.

    Args:
        address: IP address or host name; "" = all interfaces.
        port: TCP port; 0 = any that is free in every family.
        backlog: Connections that may wait to be accepted.

    Returns:
        The sockets; all have the same port.

    Raises:
        OSError: The port is in use, or the name has no address of this machine.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _open_all(address, port, backlog)
        except OSError as error:
            # The number that one family had free may be in use in the other: another one is drawn.
            if port or error.errno != errno.EADDRINUSE or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError  # the last attempt returns or raises


def _open_all(address: str, port: int, backlog: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        infos = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, place in dict.fromkeys((info[0], info[4]) for info in infos):
            number = sockets[0].getsockname()[1] if sockets else port
            with _skipping(family, bool(sockets)):
                sockets.append(_open(family, (place[0], number, *place[2:]), backlog))
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _open(family: socket.AddressFamily, place: tuple[object, ...], backlog: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(place)
        opened.listen(backlog)
    except BaseException:
        opened.close()
        raise
    return opened


@contextlib.contextmanager
def _skipping(family: socket.AddressFamily, another: bool) -> Iterator[None]:
    """Ignore that a machine without IPv6 has no IPv6 address, when another family is open."""
    try:
        yield
    except OSError as error:
        missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
        if not (missing and family == socket.AF_INET6 and another):
            raise
