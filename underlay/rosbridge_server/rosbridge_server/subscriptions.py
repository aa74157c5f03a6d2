"""The node's subscriptions, shared by the clients that want the same topic.

Feeds are created, changed and closed in the node's executor; their messages are delivered in the event loop. A latched topic
gets a subscription for each client, because only a new subscription receives the earlier messages, of all publishers that are
left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node

from rosbridge_server.interfaces import message_class, topic_type
from rosbridge_server.message_conversion import to_json, type_name
from rosbridge_server.protocol import ProtocolError, publication
from rosbridge_server.qos import adapted, is_latched

PENDING = 100  # messages between the two threads; older ones are forgotten
BURST = 32  # messages taken in one turn of the executor
RECHECK_S = 0.3  # the graph may name a publisher's quality of service a little after it is matched


class Listener(Protocol):
    """A receiver of a feed's messages, in the event loop."""

    def deliver(self, feed: Feed, message: Any) -> None:
        """Receive one message."""


class Feed:
    """One subscription of the node and the clients that listen to it.

    Attributes:
        topic: Name as the first client wrote it.
        kind: Message class.
        listeners: A tuple, replaced as a whole: the event loop reads it while the executor changes it.
    """

    def __init__(
        self, node: Node, loop: asyncio.AbstractEventLoop, post: Callable[[Callable[[], None]], None], topic: str, kind: Any
    ) -> None:
        """Subscribe with a quality of service that suits the current publishers.

        Args:
            node: Owner of the subscription.
            loop: Loop in which messages are delivered.
            post: Queues a function for the node's executor.
            topic: Name of the topic.
            kind: Message class.
        """
        self.topic = topic
        self.kind = kind
        self.listeners: tuple[Listener, ...] = ()
        self._node = node
        self._loop = loop
        self._post = post
        self._pending: deque[Any] = deque(maxlen=PENDING)
        self._draining = False
        self._payload: bytes | None = None
        self._subscription: Any = None
        self._profile = adapted(())
        self._adapt()

    @property
    def latched(self) -> bool:
        """Whether a late client needs a feed of its own."""
        return is_latched(self._profile)

    def check_type(self, wanted: str) -> None:
        """Check that a type is the feed's.

        Raises:
            ProtocolError: The type is another one, or unknown.
        """
        if message_class(wanted) is not self.kind:
            raise ProtocolError(f'Topic {self.topic} is subscribed with type {type_name(self.kind)}, not {wanted}')

    def payload(self, message: Any) -> bytes:
        """Return the encoded form of the message that is being delivered, made once for all clients."""
        if self._payload is None:
            self._payload = publication(self.topic, to_json(message))
        return self._payload

    def close(self) -> None:
        """Unsubscribe."""
        self.listeners = ()
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _adapt(self) -> None:
        """Subscribe again if the publishers' profiles ask for another one."""
        publishers = self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(self.topic))
        profile = adapted(publisher.qos_profile for publisher in publishers)
        if self._subscription is not None:
            if profile == self._profile or not publishers:
                return
            self._node.destroy_subscription(self._subscription)
        self._profile = profile
        events = SubscriptionEventCallbacks(
            matched=self._publishers_changed, incompatible_qos=self._publishers_changed, use_default_callbacks=False
        )
        self._subscription = self._node.create_subscription(
            self.kind, self.topic, self._received, profile, event_callbacks=events
        )

    def _publishers_changed(self, _event: Any) -> None:
        self._post(self._readapt)  # not now: an event handler cannot destroy its own subscription
        self._loop.call_soon_threadsafe(self._loop.call_later, RECHECK_S, self._post, self._readapt)

    def _readapt(self) -> None:
        if self._subscription is not None:
            self._adapt()

    def _received(self, message: Any) -> None:
        self._pending.append(message)
        self._take_more()
        if not self._draining:
            self._draining = True
            self._loop.call_soon_threadsafe(self._drain)

    def _take_more(self) -> None:
        """Take the messages that have arrived meanwhile, which is cheaper than a turn of the executor for each."""
        handle = self._subscription.handle
        with handle:
            for _ in range(BURST):
                taken = handle.take_message(self.kind, False)
                if taken is None:
                    return
                self._pending.append(taken[0])

    def _drain(self) -> None:
        """Deliver the pending messages, in the event loop."""
        self._draining = False
        while self._pending:
            message = self._pending.popleft()
            self._payload = None
            for listener in self.listeners:
                listener.deliver(self, message)


class Subscriptions:
    """All feeds of the node."""

    def __init__(self, node: Node, loop: asyncio.AbstractEventLoop, post: Callable[[Callable[[], None]], None]) -> None:
        """Store the collaborators; see `Feed`."""
        self._node = node
        self._loop = loop
        self._post = post
        self._feeds: list[Feed] = []

    def join(self, topic: str, wanted_type: str | None, listener: Listener) -> Feed:
        """Add a client to the listeners of a topic.

        Args:
            topic: Name as the client writes it.
            wanted_type: Type the client expects; None = the type of the graph.
            listener: The client.

        Returns:
            The feed, which may be shared.

        Raises:
            ProtocolError: The type is unknown, or is not that of the topic.
        """
        kind = topic_type(self._node, topic, wanted_type)
        feed = self._shared(topic, kind)
        feed.listeners = (*feed.listeners, listener)
        return feed

    def leave(self, feed: Feed, listener: Listener) -> None:
        """Remove a client from the listeners; the last one ends the subscription."""
        feed.listeners = tuple(other for other in feed.listeners if other is not listener)
        if not feed.listeners and feed in self._feeds:
            self._feeds.remove(feed)
            feed.close()

    def _shared(self, topic: str, kind: Any) -> Feed:
        for feed in self._feeds:
            if feed.topic == topic and feed.kind is kind and not feed.latched:
                return feed
        feed = Feed(self._node, self._loop, self._post, topic, kind)
        self._feeds.append(feed)
        return feed
