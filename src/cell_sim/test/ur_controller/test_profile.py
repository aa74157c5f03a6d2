import pytest
from cell_sim.ur_controller.profile import Profile


def assert_continuous(profile):
    """Position is the integral of speed, and neither jumps."""
    steps = 2000
    step = profile.duration / steps
    place = 0.0
    for number in range(1, steps + 1):
        before, after = profile.at((number - 1) * step), profile.at(number * step)
        place += (before[1] + after[1]) / 2.0 * step
        assert after[0] >= before[0]
        assert abs(after[1] - before[1]) <= max(profile.acceleration, profile.deceleration) * step * 1.01
    assert place == pytest.approx(profile.length, rel=1e-3)


@pytest.mark.parametrize(('length', 'peak'), [(2.0, 0.5), (0.01, 0.1)], ids=['trapezoid', 'triangle'])
def test_a_move_reaches_its_speed_or_the_peak_of_a_short_path(length, peak):
    profile = Profile.standing(length, 0.5, 1.0)
    assert profile.speed == pytest.approx(peak)
    assert profile.at(profile.duration / 2) == pytest.approx((length / 2, peak))
    assert_continuous(profile)


def test_before_and_after_a_move_the_ends_apply():
    profile = Profile.standing(2.0, 0.5, 1.0)
    assert profile.at(-1.0) == (0.0, 0.0)
    assert profile.at(profile.duration + 1.0) == (2.0, 0.0)


@pytest.mark.parametrize(('length', 'speed'), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_a_move_without_length_or_speed_takes_no_time(length, speed):
    profile = Profile(length, speed, 1.0, 1.0)
    assert (profile.duration, profile.at(0.0)) == (0.0, (max(0.0, length), 0.0))


@pytest.mark.parametrize(('rest', 'length', 'deceleration'), [(1.0, 0.125, 1.0), (0.05, 0.05, 2.5)], ids=['free', 'short'])
def test_a_stop_ends_within_the_rest_of_the_path(rest, length, deceleration):
    profile = Profile.braking(0.5, 1.0, rest)
    assert (profile.length, profile.deceleration) == pytest.approx((length, deceleration))
    assert profile.at(0.0) == pytest.approx((0.0, 0.5))
    assert profile.at(profile.duration) == pytest.approx((length, 0.0))
    assert_continuous(profile)


def test_a_stop_at_the_end_of_the_path_is_immediate():
    assert Profile.braking(0.5, 1.0, 0.0).duration == 0.0
