"""Units of mass, with exact factors.

Source: NIST Handbook 44, Appendix C, and SI brochure: the international pound is 0.45359237 kg exactly, the avoirdupois ounce
is 1/16 of it, the tonne is 1000 kg.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation

KILOGRAMS: Mapping[str, Decimal] = {
    'kg': Decimal(1),
    'g': Decimal('0.001'),
    'lb': Decimal('0.45359237'),
    'oz': Decimal('0.028349523125'),
    't': Decimal(1000),
}
"""Kilograms in one of each unit."""
UNITS = tuple(KILOGRAMS)
SPELLINGS: Mapping[str, str] = {**{unit: unit for unit in KILOGRAMS}, 'lbs': 'lb', 'kgs': 'kg'}
"""Unit of each spelling that indicators send, in lower case."""
EXACT = Context(prec=80, traps=[Inexact, InvalidOperation])
"""Arithmetic that raises an error instead of rounding; sums and products of weights as sent always fit."""
WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Arithmetic for quotients, which are rounded afterwards."""


class UnitError(ValueError):
    """The unit is not known; the text names the known units."""


def check_unit(unit: str) -> str:
    """Return a unit that is known.

    Raises:
        UnitError: It is not known.
    """
    if unit not in KILOGRAMS:
        raise UnitError(f'"{unit}" is not a unit; use one of {", ".join(UNITS)}')
    return unit


def kilograms(weight: Decimal, unit: str) -> Decimal:
    """Return a weight in kilograms, exactly.

    Args:
        weight: In `unit`.
        unit: kg, g, lb, oz or t.

    Raises:
        UnitError: The unit is not known.
    """
    return EXACT.multiply(weight, KILOGRAMS[check_unit(unit)])


def convert(weight: Decimal, unit: str, to: str, places: int = 6) -> Decimal:
    """Return a weight in another unit, rounded half to even, for display and delivery.

    Compare limits with `kilograms`, which is exact.

    Args:
        weight: In `unit`.
        unit: Its unit.
        to: Unit of the result.
        places: Decimal places of the result.

    Raises:
        UnitError: A unit is not known.
    """
    # The quotient may have no finite decimal form: with 80 digits it is never rounded to a tie that it is not.
    quotient = WIDE.divide(kilograms(weight, unit), KILOGRAMS[check_unit(to)])
    return quotient.quantize(Decimal(1).scaleb(-places), context=WIDE)
