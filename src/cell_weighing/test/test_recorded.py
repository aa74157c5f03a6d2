"""A replay goes on with the weigh jobs of the recording's start, by today's rules and without delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cell_common.ros_time import to_msg
from cell_common.time import NS_PER_S
from cell_weighing.recorded import RecordedWeighing

from cell_interfaces import msg, srv

START_NS = 1_700_000_000 * NS_PER_S
PARAMETERS = {'scale_ids': ['1', '2'], 'stations': ['A', 'B'], 'warn_share': '0.80', 'of an older release': 7}
ACTIVE = msg.WeighJob(
    weigh_job_id=7,
    company='ACME',
    station='A',
    target_weight='2.000',
    unit='kg',
    tolerance='0.10',
    tare='0',
    quantity=5,
    bags_completed=3,
    bags_voided=1,
    bags_out=1,
    state=msg.WeighJob.ACTIVE,
    started_by='anna',
    started_at=to_msg(START_NS - 60 * NS_PER_S),
)


def line(sequence: int, weight: str, scale: str = '1') -> msg.ScaleReading:
    moment = to_msg(START_NS + sequence * NS_PER_S)
    return msg.ScaleReading(
        reading_id=f'{scale}-{sequence}', scale_id=scale, sequence=sequence, received_at=moment, weight=weight, unit='kg'
    )


@pytest.fixture
def station(tmp_path: Path) -> Iterator[RecordedWeighing]:
    weighing = RecordedWeighing(f'sqlite:///{tmp_path}/replay.db', PARAMETERS, [ACTIVE], ['A', 'B'])
    yield weighing
    weighing.close()


def test_a_bag_is_numbered_after_those_of_before_the_recording_and_completes_the_job(station: RecordedWeighing):
    bags = [
        bag
        for number, weight in ((5001, '2.0'), (5002, '1.7'), (5003, '2.1'))
        for bag in station.weigh(line(number, weight)).bags
    ]
    assert [(bag.weigh_job_id, bag.bag_number, bag.outcome) for bag in bags] == [(7, 6, 0), (7, 7, 1), (7, 8, 0)]
    assert station.weigh(line(5004, '2.0')).bags[0].outcome == msg.BagRecord.NO_ACTIVE_JOB
    (job,) = [job for job in station.jobs().jobs if job.station == 'A']
    assert (job.bags_completed, job.bags_out, job.state) == (5, 2, msg.WeighJob.COMPLETED)


def test_a_command_is_executed_at_its_recorded_moment(station: RecordedWeighing):
    order = srv.StartWeighJob.Request(company='ACME', station='B', target_weight='1', unit='kg', quantity=3)
    response = srv.StartWeighJob.Response()
    assert station.ask('weighing/start_job', order, response, START_NS).code == 0
    assert response.weigh_job_id == 8
    assert station.weigh(line(1, '1.0', '2')).bags[0].weigh_job_id == 8


def test_a_refused_command_changes_nothing(station: RecordedWeighing):
    order = srv.StartWeighJob.Request(company='ACME', station='A', target_weight='1', unit='kg', quantity=3)
    asked = station.ask('weighing/start_job', order, srv.StartWeighJob.Response(), START_NS)
    assert asked.code == msg.ResultCode.WEIGH_JOB_ACTIVE and asked.message and not asked.bags


def test_commands_of_the_delivery_are_not_asked(station: RecordedWeighing):
    assert 'weighing/retry' not in station.commands and 'weighing/void_bag' in station.commands


def test_a_station_that_the_settings_file_gave_to_every_scale_comes_from_the_list_of_that_time(tmp_path: Path):
    weighing = RecordedWeighing(f'sqlite:///{tmp_path}/replay.db', {}, [], ['Packing'])
    assert weighing.weigh(line(1, '1.0')).bags[0].station == 'Packing'
    weighing.close()
