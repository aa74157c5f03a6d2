"""Quality of service of a recording: what publishers offer, as a subscription needs it and as bags store it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

from rclpy.duration import Duration
from rclpy.node import TopicEndpointInfo
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

__all__ = ['DEPTH', 'compatible_profile', 'stored_profiles']

DEPTH = 1000
PolicyT = TypeVar('PolicyT', QosHistory, QosDurability, QosReliability, QosLiveliness)


def compatible_profile(publishers: Iterable[TopicEndpointInfo]) -> QoSProfile:
    """Return the strongest profile for a subscription that receives every publisher of a topic.

    Reliable and latched only if all publishers are: a subscription that asks a publisher for more than it offers gets nothing.

    Args:
        publishers: Those of one topic; none gives a reliable, volatile profile.
    """
    offers = [publisher.qos_profile for publisher in publishers]
    reliable = all(offer.reliability != ReliabilityPolicy.BEST_EFFORT for offer in offers)
    latched = bool(offers) and all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
    return QoSProfile(
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def stored_profiles(publishers: Iterable[TopicEndpointInfo]) -> list[Qos]:
    """Return the profiles of the publishers in the form in which bags store them."""
    return [_stored(publisher.qos_profile) for publisher in publishers]


def _stored(profile: QoSProfile) -> Qos:
    return Qos(
        history=_named(QosHistory, profile.history),
        depth=profile.depth,
        reliability=_named(QosReliability, profile.reliability),
        durability=_named(QosDurability, profile.durability),
        deadline=_time(profile.deadline),
        lifespan=_time(profile.lifespan),
        liveliness=_named(QosLiveliness, profile.liveliness),
        liveliness_lease_duration=_time(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=bool(profile.avoid_ros_namespace_conventions),
    )


def _named(kinds: type[PolicyT], policy: Enum) -> PolicyT:
    return kinds.__members__.get(policy.name, kinds.UNKNOWN)


def _time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, 10**9))
