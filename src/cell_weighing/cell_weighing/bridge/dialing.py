"""Keeps connections to indicators that are servers, and to serial lines behind a device server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from cell_common.timeouts import with_timeout

from cell_weighing.bridge.events import DialState

DIAL_TIMEOUT_S = 5.0
# An indicator that is switched on in the morning should be there within half a minute.
FIRST_DIAL_S, LONGEST_DIAL_S = 1.0, 30.0
AT_ONCE_S = 2.0
"""A connection that ends within this time without a byte was not wanted, seconds."""
CLOSED_AT_ONCE = 'it closes the connection at once, as a device server does while another program holds its line'


class DialedConnection(Protocol):
    """What is known of an open connection."""

    closed: asyncio.Event
    """Set when it has ended."""

    @property
    def received(self) -> bool:
        """Whether a byte has come."""
        ...


async def keep_dialing(
    address: str, connect: Callable[[str, int], Awaitable[DialedConnection]], on_event: Callable[[DialState], None]
) -> None:
    """Connect again and again until canceled; each new reason why that fails is reported once.

    Args:
        address: host:port.
        connect: Opens a connection to host and port, or raises OSError.
        on_event: Called when the indicator is connected, and when it cannot be reached.
    """
    host, _, port = address.rpartition(':')
    delay, reported = FIRST_DIAL_S, ''
    while True:
        try:
            connection = await with_timeout(connect(host.strip('[]'), int(port)), DIAL_TIMEOUT_S)
        except (OSError, asyncio.TimeoutError) as error:
            message = _reason(error)
            if message != reported:
                on_event(DialState(address, message))
            reported = message
        else:
            connected_at = time.monotonic()
            if reported != CLOSED_AT_ONCE:
                reported = ''
                on_event(DialState(address))
            reported = await _until_closed(connection, address, reported, on_event)
            delay = FIRST_DIAL_S if time.monotonic() - connected_at > LONGEST_DIAL_S else delay
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DIAL_S)


async def _until_closed(
    connection: DialedConnection, address: str, reported: str, on_event: Callable[[DialState], None]
) -> str:
    """Wait for the end of a connection; return the error that is reported then, "" = none.

    A device server whose connections are all in use accepts one more and closes it.

    Args:
        connection: Open connection.
        address: Its host:port.
        reported: Error that was reported before.
        on_event: See `keep_dialing`.
    """
    with contextlib.suppress(asyncio.TimeoutError):
        await with_timeout(connection.closed.wait(), AT_ONCE_S)
    if connection.closed.is_set() and not connection.received:
        if not reported:
            on_event(DialState(address, CLOSED_AT_ONCE))
        return CLOSED_AT_ONCE
    if reported:
        on_event(DialState(address))
    await connection.closed.wait()
    return ''


def _reason(error: Exception) -> str:
    """Return why an indicator cannot be reached; asyncio's own text repeats the address as a Python tuple."""
    number = getattr(error, 'errno', None)
    # A name that cannot be resolved has a number of another kind.
    if isinstance(error, socket.gaierror) or not number:
        return getattr(error, 'strerror', None) or str(error) or 'no answer'
    return os.strerror(number)
