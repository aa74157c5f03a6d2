"""Letters, the throttle of the log, and the desk that triggers pass."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_robot.backends.base import Command, Outcome, Phase
from cell_robot.backends.letters.alphabet import AlphabetError, alphabet
from cell_robot.backends.letters.rate_limit import Throttle
from cell_robot.trigger_admission import TriggerDesk

from cell_interfaces.msg import ResultCode

CATALOGUE = Catalogue({'EM1-2U1': Part('EM1-2U1', 'A', ())})


def test_parts_and_events_have_letters():
    assert alphabet(CATALOGUE, ['HOME=h', '']) == {
        'START_PROGRAM': 'D',
        'PLACE': 'P',
        'REJECT': 'R',
        'BENCHMARK': 'B',
        'HOME': 'h',
        'PART_EM1-2U1': 'A',
    }


@pytest.mark.parametrize('override', ['HOME=A', 'HOME=P', 'HOME=D', 'START_PROGRAM=S', 'HOME=', 'HOME=hh', 'HOME', 'PART_X=x'])
def test_letters_that_clash_or_make_no_sense_are_refused(override):
    with pytest.raises(AlphabetError, match='event_letters'):
        alphabet(CATALOGUE, [override])


def test_a_flood_is_said_once_and_then_counted():
    throttle = Throttle(1, 60.0)
    said = [throttle.admit('garbage', now) for now in (0.0, 1.0, 2.0, 59.0)]
    assert said == ['', None, None, None]
    assert throttle.admit('other', 3.0) == ''
    assert throttle.admit('garbage', 60.0) == ' (and 3 more like it)'


def test_a_throttle_remembers_a_bounded_number_of_kinds():
    throttle = Throttle(1, 60.0)
    for number in range(10_000):
        throttle.admit(str(number), 0.0)
    assert len(throttle._kinds) <= 256


def test_the_desk_admits_one_trigger_at_a_time():
    desk = TriggerDesk()
    assert desk.admit(Command('1', 'HOME')) is None
    assert desk.admit(Command('2', 'HOME')).code == ResultCode.ROBOT_BUSY
    desk.progress(Phase.SENT, 5)
    desk.end(Outcome(Phase.DONE, 0, ''), 6)
    assert (desk.busy, desk.last.phase, desk.last.sent_at_ns) == (False, Phase.DONE, 5)
    assert desk.admit(Command('1', 'HOME')).code == ResultCode.INVALID_ARGUMENT
    assert desk.admit(Command('2', 'HOME')) is None


def test_the_desk_forgets_what_was_never_sent():
    desk = TriggerDesk()
    desk.admit(Command('1', 'HOME'))
    desk.end(Outcome(Phase.NOT_SENT, 200, ''), 6)
    assert desk.last is None
    assert desk.admit(Command('1', 'HOME')) is None


def test_a_backend_that_broke_counts_as_having_sent():
    desk = TriggerDesk()
    desk.admit(Command('1', 'HOME'))
    desk.end(Outcome(Phase.UNKNOWN, 6, ''), 6)
    assert desk.last.phase is Phase.UNKNOWN
    assert desk.admit(Command('1', 'HOME')).code == ResultCode.INVALID_ARGUMENT
