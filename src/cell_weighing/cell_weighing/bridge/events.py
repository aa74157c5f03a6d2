"""Events of the indicators' connections, for the node.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListeningState:
    """The server listens, or cannot.

    Attributes:
        port: TCP port in use, or the one that could not be opened.
        error: Why it cannot; "" = it listens.
        main: Whether it is the port of parameter `port`, or a further one of parameter `peers`.
    """

    port: int
    error: str = ''
    main: bool = True


@dataclass(frozen=True)
class DialState:
    """An indicator that is the server is connected, or cannot be reached."""

    address: str
    error: str = ''
    """Why it cannot be reached; "" = it is connected."""


@dataclass(frozen=True)
class IndicatorConnected:
    """An indicator has connected."""

    peer: str
    format: str = ''
    """Name of the format that reads its lines."""


@dataclass(frozen=True)
class LineEndMissing:
    """An indicator sends records without a line end: a silence ends them."""

    peer: str


@dataclass(frozen=True)
class IndicatorDisconnected:
    """A connection has ended.

    Attributes:
        peer: Address and port.
        scale_ids: Scales that have sent lines on it, sorted.
        reason: Cause, for the log.
    """

    peer: str
    scale_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class ConnectionReplaced:
    """A connection sends a scale id that another open one has sent last; both stay open.

    Attributes:
        scale_id: The shared id.
        old_peer: Connection that had sent it before.
        new_peer: Connection that sends it now.
    """

    scale_id: str
    old_peer: str
    new_peer: str


@dataclass(frozen=True)
class IdentityMismatch:
    """A line claims a scale id that belongs to another address.

    Attributes:
        scale_id: The claimed id.
        peer: Address and port of the sender.
    """

    scale_id: str
    peer: str


ServerEvent = (
    ListeningState
    | DialState
    | LineEndMissing
    | IndicatorConnected
    | IndicatorDisconnected
    | ConnectionReplaced
    | IdentityMismatch
)
