"""Host and Origin checks of HTTP requests.

Browsers send cookies and open WebSockets for any page. Without checks, a foreign site could control the cell through the
browser of an operator. Two checks prevent this:

- the `Origin` of a WebSocket must equal the host it connects to;
- the `Host` must be a name of this machine, against DNS rebinding (a foreign name that resolves to this machine).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit


def host_of(authority: str) -> str:
    """Return the host of `host`, `host:port` or `[address]:port` in lower case; "" when it is malformed."""
    try:
        return (urlsplit(f'//{authority}').hostname or '').lower()
    except ValueError:
        return ''


def host_allowed(authority: str, names: Iterable[str]) -> bool:
    """Return whether a Host header is an IP address, localhost, or one of `names`.

    An IP address is safe: DNS rebinding needs a name. A browser that was given an address sends
    that address.

    Args:
        authority: Host header, with or without a port.
        names: Host names of this machine, in any case.
    """
    host = host_of(authority)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == 'localhost' or host in {name.lower() for name in names}
    return True


def origin_allowed(origin: str | None, authority: str, extra: Iterable[str]) -> bool:
    """Return whether a WebSocket may be opened.

    Args:
        origin: Origin header; None = not a browser. Such a client could send any Origin anyway.
        authority: Host header.
        extra: Other permitted origins, e.g. "https://cell.example".
    """
    if origin is None:
        return True
    if _normalized(origin) in {_normalized(one) for one in extra}:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:  # e.g. "http://["
        return False
    # With the port: another port on the same machine is another program.
    return parts.scheme in ('http', 'https') and parts.netloc.lower() == authority.lower()


def _normalized(origin: str) -> str:
    """Return an origin as browsers write it: lower case, without the scheme's own port and without a slash at its end."""
    text = origin.strip().lower().rstrip('/')
    for scheme, port in (('http://', ':80'), ('https://', ':443')):
        if text.startswith(scheme):
            return text.removesuffix(port)
    return text
