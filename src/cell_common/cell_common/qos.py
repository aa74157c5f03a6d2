"""Quality-of-service profiles of the cell's topics.

Publisher and subscriber must agree: DDS connects no reliable subscriber to a best-effort publisher, and no transient-local one
to a volatile publisher, without an error in either. Take both from here.
"""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

__all__ = ['events', 'latched', 'sensor_stream']


def latched(depth: int = 1) -> QoSProfile:
    """Return the profile for state: a late subscriber receives the last `depth` messages on connection.

    Args:
        depth: 1 for a state. More for events that a node which starts later must not miss; the subscriber needs the same
            depth.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def events(depth: int = 100) -> QoSProfile:
    """Return the profile for events: each arrives once and in order while both ends are up.

    Args:
        depth: Messages kept for a subscriber that is slow; the oldest are dropped beyond it.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
    )


def sensor_stream() -> QoSProfile:
    """Return the profile for images: only the newest is kept, and a slow subscriber never blocks the publisher."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
    )
