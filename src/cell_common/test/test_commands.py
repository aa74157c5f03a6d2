from cell_common.commands import expiry_error
from cell_common.time import NS_PER_S, to_ns

from cell_interfaces.msg import CommandInfo


def command(issued_s: int, valid_s: int) -> CommandInfo:
    info = CommandInfo()
    info.issued_at.sec, info.valid_for.sec = issued_s, valid_s
    return info


def test_a_fresh_command_is_carried_out():
    assert expiry_error(command(100, 5), 104 * NS_PER_S) == ''


def test_a_command_that_is_too_old_is_refused_and_says_how_old():
    assert '7.0 s old and was valid for 5.0 s' in expiry_error(command(100, 5), 107 * NS_PER_S)


def test_a_command_without_time_or_expiry_is_not_checked():
    assert expiry_error(command(0, 5), 10**18) == ''
    assert expiry_error(command(100, 0), 10**18) == ''


def test_nanoseconds_of_a_stamp():
    info = command(2, 0)
    info.issued_at.nanosec = 5
    assert to_ns(info.issued_at) == 2 * NS_PER_S + 5
