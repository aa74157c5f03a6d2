"""Delays after wrong passwords."""

import pytest
from cell_web.login.attempts import (
    FORGOTTEN_S,
    FREE_OF_ADDRESS,
    FREE_OF_NAME,
    FREE_OF_PAIR,
    LONGEST_DELAY_S,
    MOST_KEYS,
    LoginAttempts,
)

HOME, AWAY = '10.0.0.5', '10.0.0.66'


@pytest.fixture
def attempts():
    return LoginAttempts()


def fail(attempts, count, name='ann', address=HOME, now=0.0):
    for _ in range(count):
        attempts.begin(name, address, now)


def test_the_first_tries_are_free_and_the_next_ones_wait_longer_and_longer(attempts):
    fail(attempts, FREE_OF_PAIR - 1)
    assert not attempts.must_wait('ann', HOME, 0.0)
    waited = []
    now = 0.0
    for _ in range(12):
        attempts.begin('ann', HOME, now)
        start = now
        while attempts.must_wait('ann', HOME, now):
            now += 1.0
        waited.append(now - start)
    assert waited[:4] == [2.0, 4.0, 8.0, 16.0] and waited[-1] == LONGEST_DELAY_S


def test_a_name_of_other_letters_or_blanks_is_the_same_name(attempts):
    fail(attempts, FREE_OF_PAIR)
    assert attempts.must_wait(' ANN ', HOME, 0.0)


def test_an_empty_name_is_one_of_many(attempts):
    fail(attempts, FREE_OF_PAIR, name=' ')
    assert attempts.must_wait('', HOME, 0.0) and not attempts.must_wait('ann', HOME, 0.0)


def test_another_name_and_another_address_do_not_wait(attempts):
    fail(attempts, FREE_OF_PAIR)
    assert not attempts.must_wait('bob', HOME, 0.0) and not attempts.must_wait('ann', AWAY, 0.0)


def test_an_address_that_tries_many_names_waits_for_every_name(attempts):
    for number in range(FREE_OF_ADDRESS):
        attempts.begin(f'name{number}', HOME, 0.0)
    assert attempts.must_wait('ann', HOME, 0.0) and not attempts.must_wait('ann', AWAY, 0.0)


def test_a_name_that_is_tried_from_many_addresses_waits_everywhere(attempts):
    for number in range(FREE_OF_NAME):
        attempts.begin('ann', f'10.1.{number // 250}.{number % 250}', 0.0)
    assert attempts.must_wait('ann', AWAY, 0.0) and not attempts.must_wait('bob', AWAY, 0.0)


def test_addresses_of_one_ipv6_network_are_one(attempts):
    for number in range(FREE_OF_PAIR):
        attempts.begin('ann', f'2001:db8::{number + 1:x}', 0.0)
    assert attempts.must_wait('ann', '2001:db8::ffff', 0.0) and not attempts.must_wait('ann', '2001:db9::1', 0.0)


def test_a_right_try_is_none_and_ends_the_delay_of_the_name(attempts):
    for _ in range(10 * FREE_OF_ADDRESS):
        attempts.begin('ann', HOME, 0.0)
        attempts.succeeded('ann', HOME)
    assert not attempts.must_wait('bob', HOME, 0.0) and not attempts.must_wait('ann', AWAY, 0.0)


def test_tries_are_forgotten(attempts):
    fail(attempts, 20)
    assert not attempts.must_wait('ann', HOME, FORGOTTEN_S)
    fail(attempts, FREE_OF_PAIR - 1, now=FORGOTTEN_S)
    assert not attempts.must_wait('ann', HOME, FORGOTTEN_S)


def test_memory_is_bounded_and_the_address_in_use_is_not_dropped(attempts):
    for number in range(MOST_KEYS):
        attempts.begin(f'name{number}', HOME, 0.0)
    assert attempts.must_wait('ann', HOME, 0.0)
