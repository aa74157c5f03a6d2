"""Is a request made by our own page? Pure.

A browser sends cookies and opens WebSockets for any page, so a foreign site could drive the cell through the browser of
somebody who can reach it. Two checks stop that: the `Origin` of a WebSocket must be the host it connects to, and the `Host`
must be one that this machine answers to (else a foreign name that is made to resolve to it would pass the first check).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit


def host_of(authority: str) -> str:
    """Return the host of `host`, `host:port` or `[address]:port`, in lower case; "" when it is none."""
    try:
        return (urlsplit(f'//{authority}').hostname or '').lower()
    except ValueError:
        return ''


def host_allowed(authority: str, names: Iterable[str]) -> bool:
    """Say whether a Host header is an IP address, localhost, or one of the machine's names."""
    host = host_of(authority)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == 'localhost' or host in {name.lower() for name in names}
    return True


def origin_allowed(origin: str | None, authority: str, extra: Iterable[str]) -> bool:
    """Say whether a WebSocket may be opened.

    Args:
        origin: The Origin header; None = the client is no browser, and such a client can send any Origin it likes.
        authority: The Host header.
        extra: Other origins that may, e.g. "https://cell.example".
    """
    if origin is None:
        return True
    if origin in set(extra):
        return True
    parts = urlsplit(origin)
    return parts.scheme in ('http', 'https') and parts.netloc.lower() == authority.lower()
