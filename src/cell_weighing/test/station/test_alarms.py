import pytest
from cell_common.alarm_texts import ALARM_TEXTS
from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.station.alarms import BagAlarms


class Alarms:
    """Keeps what stands, as the reporter's double."""

    def __init__(self):
        self.standing = {}

    def raise_known(self, key, *, instance, **values):
        self.standing[f'{key}/{instance}'] = ALARM_TEXTS[f'weigh_station/{key}'].render(**values)[0]

    def clear_alarm(self, key):
        self.standing.pop(key, None)


@pytest.fixture
def alarms():
    return Alarms()


@pytest.fixture
def update(alarms):
    watcher = BagAlarms(alarms)

    def run(weights, job_id=1, scale='3', unit='kg'):
        watcher.update(
            [
                Bag(
                    'r',
                    scale,
                    'A',
                    weight,
                    unit,
                    1,
                    ToleranceResult.IN_TOLERANCE,
                    job_id=job_id,
                    target='1.1',
                    target_unit='kg',
                )
                for weight in weights
            ],
            [],
        )

    return run


STEADY = ['1.10', '1.12'] * 20


def test_a_scale_that_shifts_raises_an_alarm_that_names_it(update, alarms):
    update(STEADY)
    assert alarms.standing == {}
    update(['1.18'] * 10)
    assert list(alarms.standing) == ['drift/3'] and '+0.0' in alarms.standing['drift/3']


def test_grams_and_kilograms_of_one_scale_are_the_same_weight(update, alarms):
    update(STEADY)
    update(['1100', '1120'] * 10, unit='g')
    assert alarms.standing == {}


def test_each_scale_is_watched_for_itself(update, alarms):
    for _ in range(30):
        update(['1.10', '1.12'], scale='3')
        update(['1.20', '1.22'], scale='4')
    assert alarms.standing == {}


def test_a_new_job_starts_a_new_detector_and_clears_the_alarm(update, alarms):
    update(STEADY + ['1.18'] * 10)
    assert alarms.standing
    update(['2.50', '2.52'] * 20, job_id=2)
    assert alarms.standing == {}


def test_after_a_restart_a_drift_is_found_from_what_was_weighed_before(alarms):
    def bags(weights):
        return [
            Bag('r', '3', 'A', weight, 'kg', 1, ToleranceResult.IN_TOLERANCE, job_id=1, target='1.1', target_unit='kg')
            for weight in weights
        ]

    again = BagAlarms(alarms)
    again.restore(bags([*STEADY, '1.18']))
    assert alarms.standing == {}
    again.update(bags(['1.18'] * 4), [])
    assert list(alarms.standing) == ['drift/3']
