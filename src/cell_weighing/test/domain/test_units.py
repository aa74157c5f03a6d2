from decimal import Decimal

import pytest
from cell_weighing.domain.units import UNITS, UnitError, convert, kilograms
from hypothesis import given
from hypothesis import strategies as st

weights = st.decimals(min_value=0, max_value=999_999_999, places=6, allow_nan=False, allow_infinity=False)


def test_the_factors_are_the_exact_ones():
    assert kilograms(Decimal(1), 'lb') == Decimal('0.45359237')
    assert kilograms(Decimal(16), 'oz') == kilograms(Decimal(1), 'lb')
    assert kilograms(Decimal(1000), 'g') == 1
    assert kilograms(Decimal('0.001'), 't') == 1


@given(weights, st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_there_and_back_is_the_same(weight, unit, other):
    assert convert(convert(weight, unit, other, 20), other, unit, 6) == weight


@given(weights, weights, st.sampled_from(UNITS))
def test_order_is_kept(a, b, unit):
    assert (a < b) == (kilograms(a, unit) < kilograms(b, unit))


def test_an_unknown_unit_is_refused_with_the_list():
    with pytest.raises(UnitError, match='kg, g, lb, oz, t'):
        kilograms(Decimal(1), 'stone')
    with pytest.raises(UnitError):
        convert(Decimal(1), 'kg', 'KG')
