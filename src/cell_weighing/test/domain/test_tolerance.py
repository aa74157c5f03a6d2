from decimal import Decimal

import pytest
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult, WeightZone, explain, plain_decimal, subtract_tare
from cell_weighing.domain.units import UNITS, convert, kilograms
from hypothesis import given
from hypothesis import strategies as st

BAND = ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10'))


@pytest.mark.parametrize(
    ('weight', 'unit', 'outcome'),
    [
        ('0.99', 'kg', ToleranceResult.IN_TOLERANCE),
        ('0.989999', 'kg', ToleranceResult.UNDER),
        ('1.21', 'kg', ToleranceResult.IN_TOLERANCE),
        ('1.210001', 'kg', ToleranceResult.OVER),
        ('990', 'g', ToleranceResult.IN_TOLERANCE),
        ('989.999', 'g', ToleranceResult.UNDER),
        ('1.10', 'lb', ToleranceResult.UNDER),
        ('2.4', 'lb', ToleranceResult.IN_TOLERANCE),
        ('0.0011', 't', ToleranceResult.IN_TOLERANCE),
        ('1.10', 't', ToleranceResult.OVER),
    ],
)
def test_the_limits_belong_to_the_band_in_every_unit(weight, unit, outcome):
    assert BAND.judge(Decimal(weight), unit) is outcome


def test_the_message_names_the_limit():
    assert explain(WeightZone.REJECT_UNDER, '0.98', 'kg', BAND) == '0.98 kg is under the limit of 0.99 kg'
    assert explain(WeightZone.REJECT_OVER, '3', 'lb', BAND) == '3 lb is over the limit of 1.21 kg'
    assert explain(WeightZone.WARN_UNDER, '0.99', 'kg', BAND) == '0.99 kg is in tolerance, but close to the limit of 0.99 kg'
    assert explain(WeightZone.GOOD, '1.1', 'kg', BAND) == ''


@pytest.mark.parametrize(
    ('weight', 'zone'),
    [
        ('0.98', WeightZone.REJECT_UNDER),
        ('0.99', WeightZone.WARN_UNDER),
        ('1.0119', WeightZone.WARN_UNDER),
        ('1.012', WeightZone.GOOD),
        ('1.188', WeightZone.GOOD),
        ('1.1881', WeightZone.WARN_OVER),
        ('1.21', WeightZone.WARN_OVER),
        ('1.211', WeightZone.REJECT_OVER),
    ],
)
def test_there_are_five_zones(weight, zone):
    assert BAND.zone(Decimal(weight), 'kg', Decimal('0.8')) is zone


def test_a_warning_share_of_one_means_no_warning_zone():
    assert BAND.zone(Decimal('0.99'), 'kg', Decimal(1)) is WeightZone.GOOD


@pytest.mark.parametrize('text', ['nan', 'inf', '1_000', '1e3', '', '-1', '+1', '٣', '.5', '5.', ' 1', '1\n'])
def test_only_plain_digits_are_a_number(text):
    assert plain_decimal(text) is None


@given(st.decimals('0.001', 1000, places=3), st.decimals(0, 10, places=3), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_a_tare_in_any_unit_is_subtracted_exactly(weight, tare, unit, tare_unit):
    net, net_unit = subtract_tare(weight, unit, tare, tare_unit)
    assert kilograms(net, net_unit) + kilograms(tare, tare_unit) == kilograms(weight, unit)


def test_plain_digits_are_a_number():
    assert plain_decimal('0.10') == Decimal('0.1')


@given(
    st.decimals('0.001', 1000, places=3), st.decimals('0.01', '0.99', places=2), st.sampled_from(UNITS), st.sampled_from(UNITS)
)
def test_exactly_the_limit_is_in_and_a_step_beyond_is_out(target, tolerance, unit, shown):
    band = ToleranceBand(target, unit, tolerance)
    assert band.judge(band.low, unit) is band.judge(band.high, unit) is ToleranceResult.IN_TOLERANCE
    assert band.judge(band.low - Decimal('0.0000001'), unit) is ToleranceResult.UNDER
    assert band.judge(band.high + Decimal('0.0000001'), unit) is ToleranceResult.OVER
    seen = convert(target, unit, shown, 12)
    if kilograms(band.low, unit) <= kilograms(seen, shown) <= kilograms(band.high, unit):
        assert band.judge(seen, shown) is ToleranceResult.IN_TOLERANCE
