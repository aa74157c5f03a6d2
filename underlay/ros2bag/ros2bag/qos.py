"""Quality of service: profiles that publishers offer, as bags store them, and profiles for playing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

RECORD_DEPTH = 1000
PLAY_DEPTH = 10
_NANOSECONDS = 10**9


def for_recording(offers: Iterable[QoSProfile]) -> QoSProfile:
    """Return the strongest profile that is compatible with every offer.

    Args:
        offers: Profiles of the publishers; empty gives a reliable, volatile profile.
    """
    offers = list(offers)
    reliable = all(offer.reliability != ReliabilityPolicy.BEST_EFFORT for offer in offers)
    latched = bool(offers) and all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
    return QoSProfile(
        depth=RECORD_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def recorded(offer: QoSProfile) -> Qos:
    """Return a publisher's profile in the form that bags store."""
    return Qos(
        history=_named(QosHistory, offer.history),
        depth=offer.depth,
        reliability=_named(QosReliability, offer.reliability),
        durability=_named(QosDurability, offer.durability),
        deadline=_time(offer.deadline),
        lifespan=_time(offer.lifespan),
        liveliness=_named(QosLiveliness, offer.liveliness),
        liveliness_lease_duration=_time(offer.liveliness_lease_duration),
        avoid_ros_namespace_conventions=bool(offer.avoid_ros_namespace_conventions),
    )


def for_playing(offers: Sequence[Qos]) -> QoSProfile:
    """Return a profile for one publisher that stands for all recorded ones.

    It is best effort or volatile only if all publishers were. Discovery does not report the depth of a latched publisher; it
    is taken as one message for each.

    Args:
        offers: Recorded profiles of one topic.
    """
    best_effort = bool(offers) and all(offer.reliability == QosReliability.BEST_EFFORT for offer in offers)
    latched = any(offer.durability == QosDurability.TRANSIENT_LOCAL for offer in offers)
    depth = max((offer.depth for offer in offers), default=0)
    return QoSProfile(
        depth=max(depth, len(offers)) if latched else max(depth, PLAY_DEPTH),
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _named(kinds: Any, policy: Any) -> Any:
    return kinds.__members__.get(policy.name, kinds.UNKNOWN)


def _time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, _NANOSECONDS))
