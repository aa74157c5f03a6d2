from cell_common.commands import expiry_error
from cell_common.time import NS_PER_S

from cell_interfaces.msg import CommandInfo


def command(issued_s: int, valid_s: int) -> CommandInfo:
    info = CommandInfo()
    info.issued_at.sec, info.valid_for.sec = issued_s, valid_s
    return info


def test_a_fresh_command_is_valid():
    assert expiry_error(command(100, 5), 104 * NS_PER_S) == ''


def test_an_expired_command_is_rejected_with_its_age():
    assert '7.0 s old and was valid for 5.0 s' in expiry_error(command(100, 5), 107 * NS_PER_S)


def test_a_command_without_time_or_expiry_never_expires():
    assert expiry_error(command(0, 5), 10**18) == ''
    assert expiry_error(command(100, 0), 10**18) == ''


def test_a_command_from_the_future_is_refused_and_a_small_difference_of_clocks_is_not():
    assert expiry_error(command(160, 0), 100 * NS_PER_S) == ''
    assert 'dated 61 s ahead' in expiry_error(command(161, 0), 100 * NS_PER_S)
    assert 'compare the clocks' in expiry_error(command(86_400 * 365, 5), 100 * NS_PER_S)
