"""Is a bag within its limits? Exact decimal arithmetic; the limits themselves belong to the band."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from cell_weighing.units import EXACT, kilograms

_PLAIN = re.compile(r'[0-9]{1,9}(\.[0-9]{1,6})?', re.ASCII)


class Outcome(IntEnum):
    """Numbers as in cell_interfaces/BagRecord."""

    IN_TOLERANCE = 0
    UNDER = 1
    OVER = 2
    NO_ACTIVE_JOB = 3


@dataclass(frozen=True)
class Band:
    """What a bag of a job should weigh."""

    target: Decimal
    unit: str
    tolerance: Decimal
    """Fraction of the target."""

    @property
    def low(self) -> Decimal:
        """Lightest bag in tolerance, in `unit`."""
        return EXACT.multiply(self.target, EXACT.subtract(Decimal(1), self.tolerance))

    @property
    def high(self) -> Decimal:
        """Heaviest bag in tolerance, in `unit`."""
        return EXACT.multiply(self.target, EXACT.add(Decimal(1), self.tolerance))

    def judge(self, weight: Decimal, unit: str) -> Outcome:
        """Compare a weight with the limits, each in its own unit.

        Raises:
            UnitError: The unit is not known.
        """
        mass = kilograms(weight, unit)
        if mass < kilograms(self.low, self.unit):
            return Outcome.UNDER
        if mass > kilograms(self.high, self.unit):
            return Outcome.OVER
        return Outcome.IN_TOLERANCE


def plain_decimal(text: str) -> Decimal | None:
    """Return the number if the text is plain ASCII digits with at most one point, else None."""
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def explain(outcome: Outcome, weight: str, unit: str, band: Band) -> str:
    """Say for people what is wrong with a bag; "" when nothing is."""
    if outcome is Outcome.UNDER:
        return f'{weight} {unit} is under the limit of {band.low.normalize():f} {band.unit}'
    if outcome is Outcome.OVER:
        return f'{weight} {unit} is over the limit of {band.high.normalize():f} {band.unit}'
    return ''
