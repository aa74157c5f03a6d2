"""Tolerance check of a weight, in exact decimal arithmetic; the limits belong to the band.

A bag exactly on a limit is in tolerance. With binary fractions 1.10 kg x 0.9 would differ from 0.99
kg by a rounding error, and a bag on the limit would be judged by chance.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from cell_weighing.domain.units import EXACT, check_unit, kilograms

_PLAIN = re.compile(r'[0-9]{1,9}(\.[0-9]{1,6})?', re.ASCII)


class ToleranceResult(IntEnum):
    """Result for a bag. Numbers as in cell_interfaces/BagRecord."""

    IN_TOLERANCE = 0
    UNDER = 1
    OVER = 2
    NO_ACTIVE_JOB = 3


class WeightZone(IntEnum):
    """Zone of a bag: out of tolerance, in tolerance but close to a limit, or good. Numbers as in cell_interfaces/BagRecord."""

    NONE = 0
    """There was no job to compare it with."""
    REJECT_UNDER = 1
    WARN_UNDER = 2
    GOOD = 3
    WARN_OVER = 4
    REJECT_OVER = 5


@dataclass(frozen=True)
class ToleranceBand:
    """Target weight of a job and its tolerance.

    Attributes:
        target: Above 0, in `unit`.
        unit: kg, g, lb, oz or t.
        tolerance: Share of the target, between 0 and 1, the same in both directions.
    """

    target: Decimal
    unit: str
    tolerance: Decimal

    @property
    def low(self) -> Decimal:
        """Lightest weight in tolerance, in `unit`."""
        return EXACT.multiply(self.target, EXACT.subtract(Decimal(1), self.tolerance))

    @property
    def high(self) -> Decimal:
        """Heaviest weight in tolerance, in `unit`."""
        return EXACT.multiply(self.target, EXACT.add(Decimal(1), self.tolerance))

    def judge(self, weight: Decimal, unit: str) -> ToleranceResult:
        """Compare a weight with the limits.

        Args:
            weight: In `unit`.
            unit: Its unit, which may differ from the band's.

        Raises:
            UnitError: The unit is not known.
        """
        mass = kilograms(weight, unit)
        if mass < kilograms(self.low, self.unit):
            return ToleranceResult.UNDER
        if mass > kilograms(self.high, self.unit):
            return ToleranceResult.OVER
        return ToleranceResult.IN_TOLERANCE

    def zone(self, weight: Decimal, unit: str, warn_share: Decimal) -> WeightZone:
        """Return the zone of a weight.

        Args:
            weight: In `unit`.
            unit: Its unit.
            warn_share: Share of the tolerance, 0 < share <= 1, beyond which a weight in tolerance is in a warning zone; 1 = no
                warning zone.

        Raises:
            UnitError: The unit is not known.
        """
        result = self.judge(weight, unit)
        if result is not ToleranceResult.IN_TOLERANCE:
            return WeightZone.REJECT_UNDER if result is ToleranceResult.UNDER else WeightZone.REJECT_OVER
        # The warning zone is what a narrower band rejects.
        inner = ToleranceBand(self.target, self.unit, EXACT.multiply(self.tolerance, warn_share)).judge(weight, unit)
        warnings = {ToleranceResult.UNDER: WeightZone.WARN_UNDER, ToleranceResult.OVER: WeightZone.WARN_OVER}
        return warnings.get(inner, WeightZone.GOOD)


def subtract_tare(weight: Decimal, unit: str, tare: Decimal, tare_unit: str) -> tuple[Decimal, str]:
    """Subtract a tare from a weight, exactly.

    Returns:
        The net weight and its unit: that of the weight when both units are equal or the tare is 0, else kg.

    Raises:
        UnitError: A unit is not known.
    """
    if not tare:
        return weight, check_unit(unit)
    if unit == tare_unit:
        return EXACT.subtract(weight, tare), check_unit(unit)
    return EXACT.subtract(kilograms(weight, unit), kilograms(tare, tare_unit)), 'kg'


def plain_decimal(text: str) -> Decimal | None:
    """Return the number of a text of plain ASCII digits with at most one point; None for any other text.

    Args:
        text: At most 9 digits before the point and 6 after it, so that all products stay exact.
    """
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def explain(zone: WeightZone, weight: str, unit: str, band: ToleranceBand) -> str:
    """Return the message for the operator about a weight; "" when it is good.

    Args:
        zone: Zone of the weight.
        weight: The weight as text, e.g. "12.3" or "net 12.1".
        unit: Its unit.
        band: Names the limit in the job's unit, which may be another one.
    """
    close = 'in tolerance, but close to'
    words = {
        WeightZone.REJECT_UNDER: ('under', band.low),
        WeightZone.REJECT_OVER: ('over', band.high),
        WeightZone.WARN_UNDER: (close, band.low),
        WeightZone.WARN_OVER: (close, band.high),
    }
    if zone not in words:
        return ''
    word, limit = words[zone]
    return f'{weight} {unit} is {word} the limit of {limit.normalize():f} {band.unit}'
