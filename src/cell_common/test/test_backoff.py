import pytest
from cell_common.backoff import Backoff, retry_delay


def test_each_failure_doubles_the_delay_up_to_the_maximum():
    backoff = Backoff(0.25, 1.5)
    assert [backoff.next() for _ in range(5)] == [0.25, 0.5, 1.0, 1.5, 1.5]


def test_a_success_starts_over_with_the_initial_delay():
    backoff = Backoff(0.25, 10.0)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 0.25


@pytest.mark.parametrize(('random', 'expected'), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_jitter_takes_at_most_its_share_off_the_delay(random, expected):
    assert retry_delay(3, 1.0, 60.0, jitter=0.5, uniform=lambda: random) == expected


def test_any_number_of_attempts_stays_at_the_maximum():
    assert retry_delay(10**9, 1.0, 60.0) == 60.0
