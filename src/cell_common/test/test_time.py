from types import SimpleNamespace

import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.ros_time import to_msg
from cell_common.time import NS_PER_S, SettableClock, now_ns, seconds_to_ns, to_ns


@pytest.mark.parametrize('nanoseconds', [0, 1, NS_PER_S - 1, NS_PER_S, 1_790_000_000_123_456_789, -1])
def test_a_time_survives_the_way_through_a_message(nanoseconds):
    assert to_ns(to_msg(nanoseconds)) == nanoseconds


def test_a_message_holds_whole_seconds_and_the_rest():
    assert to_msg(2_500_000_000) == Time(sec=2, nanosec=500_000_000)


def test_a_duration_is_converted_as_well():
    assert to_ns(Duration(sec=3, nanosec=7)) == 3_000_000_007


def test_seconds_are_rounded_to_whole_nanoseconds():
    assert seconds_to_ns(0.1) == 100_000_000


def test_the_time_of_a_node_comes_from_its_clock():
    clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=42))
    assert now_ns(SimpleNamespace(get_clock=lambda: clock)) == 42


def test_a_clock_that_was_set_is_noticed():
    clock = SettableClock(1000 * NS_PER_S, 0)
    assert clock.update(1001 * NS_PER_S, NS_PER_S) == 0
    assert clock.update(1005 * NS_PER_S, 4 * NS_PER_S) == 0, 'a busy computer'
    assert clock.update(86_406 * NS_PER_S, 5 * NS_PER_S) == 85_400 * NS_PER_S
    assert clock.update(6 * NS_PER_S, 5 * NS_PER_S) == -86_400 * NS_PER_S
