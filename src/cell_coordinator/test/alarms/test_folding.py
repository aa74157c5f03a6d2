import pytest
from cell_coordinator.alarms.book import AlarmRecord
from cell_coordinator.alarms.folding import fold


def alarm(source, key, raised_ns, **fields):
    return AlarmRecord(f'{source}-{key}', source, key, 2, f'{key} text', 'consequence', 'action', raised_ns, **fields)


UNKNOWN, PAUSED = alarm('robot', 'outcome_unknown', 1), alarm('coordinator', 'job_paused', 2)


@pytest.mark.parametrize('records', [[UNKNOWN, PAUSED], [PAUSED, UNKNOWN]])
def test_a_stop_during_a_step_is_one_alarm_and_the_first_stays(records):
    (only,) = fold(records)
    assert (only.first, only.others) == (UNKNOWN, (PAUSED,))


def test_three_alarms_of_a_lost_robot_are_one():
    lost = alarm('robot', 'not_connected', 3)
    (only,) = fold([lost, UNKNOWN, PAUSED])
    assert only.first is UNKNOWN and only.others == (PAUSED, lost)


def test_alarms_of_other_causes_stand_alone_in_their_order():
    others = [alarm('inventory', 'low', 5), alarm('coordinator', 'part_rejected/1/x', 4), PAUSED]
    assert [item.first for item in fold(others)] == others


@pytest.mark.parametrize('fields', [{'active': False}, {'shelved_until_ns': 9}])
def test_a_cleared_or_shelved_alarm_stands_alone(fields):
    gone = alarm('robot', 'outcome_unknown', 1, **fields)
    assert [item.first for item in fold([gone, PAUSED])] == [gone, PAUSED]
