"""The node's publishers on behalf of clients. Everything but `publish` runs in the node's executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from rosbridge_server.interfaces import topic_type
from rosbridge_server.message_conversion import from_json

QUEUE_SIZE = 100
LIFESPAN_S = 1.0  # a message published right after advertising reaches subscribers that are still being matched


@dataclass(eq=False)
class Publication:
    """One publisher of the node and the clients that advertised it."""

    topic: str
    kind: Any
    publisher: Any
    holders: set[Any] = field(default_factory=set)


class Publications:
    """All publishers that clients asked for, by topic."""

    def __init__(self, node: Node) -> None:
        """Store the node of the publishers."""
        self._node = node
        self._by_topic: dict[str, Publication] = {}

    def held(self, topic: str, holder: Any) -> Publication | None:
        """Return the publisher of a topic if this client advertised it."""
        publication = self._by_topic.get(topic)
        return publication if publication is not None and holder in publication.holders else None

    def advertise(
        self, topic: str, wanted_type: str | None, holder: Any, latch: bool = False, queue_size: int = QUEUE_SIZE
    ) -> Publication:
        """Register a client as a publisher of a topic.

        Args:
            topic: Name as the client writes it.
            wanted_type: Type that the client gives; None = that of the graph.
            holder: The client.
            latch: Keep the last message for late subscribers; counts for the first client of a topic only.
            queue_size: Depth of the publisher.

        Raises:
            ProtocolError: The type is unknown, cannot be inferred, or is not that of the topic.
        """
        kind = topic_type(self._node, topic, wanted_type)
        publication = self._by_topic.get(topic)
        if publication is None:
            publication = Publication(topic, kind, self._node.create_publisher(kind, topic, _profile(latch, queue_size)))
            self._by_topic[topic] = publication
        publication.holders.add(holder)
        return publication

    def release(self, topic: str, holder: Any) -> None:
        """Remove a client from a topic's publishers; the publisher itself stays until `remove_unused`.

        A page that is reloaded advertises the same topics a moment later. Matching a new publisher would take longer than the
        reload.
        """
        publication = self._by_topic.get(topic)
        if publication is not None:
            publication.holders.discard(holder)

    def remove_unused(self, topic: str) -> None:
        """Destroy the publisher of a topic that no client holds any more."""
        publication = self._by_topic.get(topic)
        if publication is not None and not publication.holders:
            del self._by_topic[topic]
            self._node.destroy_publisher(publication.publisher)

    def publish(self, publication: Publication, values: Any) -> None:
        """Publish JSON values; from the event loop, because rclpy's publish is thread-safe.

        Raises:
            FieldError: They do not fit the topic's type.
        """
        publication.publisher.publish(from_json(publication.kind, values, lambda: self._node.get_clock().now().to_msg()))


def _profile(latch: bool, queue_size: int) -> QoSProfile:
    if latch:
        return QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    return QoSProfile(
        depth=max(queue_size, 1), durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=LIFESPAN_S)
    )
