"""What a session holds, and what all sessions of a server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rosbridge_server.calls import Callers
from rosbridge_server.outbox import Lane
from rosbridge_server.protocol import Globs
from rosbridge_server.publications import Publications
from rosbridge_server.ros_thread import RosThread
from rosbridge_server.subscriptions import Feed, Subscriptions


@dataclass(frozen=True)
class Bridge:
    """Collaborators and settings that all sessions of a server share."""

    ros: RosThread
    subscriptions: Subscriptions
    publications: Publications
    callers: Callers
    topics: Globs
    services: Globs
    actions: Globs
    call_timeout_s: float
    unregister_timeout_s: float
    backlog_limit: int


@dataclass(eq=False)
class Subscribed:
    """A client's subscriptions to one topic; several ids share one lane with the most demanding values.

    Attributes:
        kind: Type that the client gave; None = that of the graph.
        feed: None while the node subscribes.
        lane: Messages that wait for this client.
        requested: Id -> (interval in seconds, queue length).
        notified_s: When the client was last notified that it missed messages, monotonic seconds.
    """

    kind: str | None
    feed: Feed | None = None  # None while the node subscribes
    lane: Lane = field(default_factory=Lane)
    requested: dict[Any, tuple[float, int]] = field(default_factory=dict)
    notified_s: float = float('-inf')

    def combine(self) -> None:
        """Set the lane to the lowest interval and the longest queue that are requested."""
        self.lane.interval_s = min(interval for interval, _ in self.requested.values())
        self.lane.queue_length = max(length for _, length in self.requested.values())


@dataclass(eq=False)
class Goal:
    """A goal in progress; it may be cancelled before the server has accepted it."""

    action: str
    handle: Any = None
    cancelled: bool = False
