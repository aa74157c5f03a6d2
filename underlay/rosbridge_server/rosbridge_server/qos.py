"""Quality of service of a subscription that must receive from every publisher of a topic.

DDS matches a subscription only with publishers that offer at least what it asks for. So it asks for the weakest profile that
all publishers offer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

RELIABLE_DEPTH = 100
BEST_EFFORT_DEPTH = 10


def adapted(offers: Iterable[Any]) -> QoSProfile:
    """Return the strongest profile that is compatible with all offered profiles.

    Without offers it is reliable and volatile, which matches every publisher but best-effort ones.

    Args:
        offers: QoS profiles of the publishers.
    """
    offers = list(offers)
    reliable = all(offer.reliability != ReliabilityPolicy.BEST_EFFORT for offer in offers)
    latched = bool(offers) and all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
    return QoSProfile(
        depth=RELIABLE_DEPTH if reliable else BEST_EFFORT_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def is_latched(profile: QoSProfile) -> bool:
    """Return whether late subscribers get earlier messages."""
    return bool(profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)
