import pytest
from cell_common.parameters import ParameterError
from cell_common.qos import events, latched
from cell_common.testing import wait_until
from cell_weighing.station.node import WeighStationNode

from cell_interfaces.msg import (
    AlarmEvent,
    BagList,
    BagRecord,
    CommandInfo,
    DeliveryState,
    ResultCode,
    ScaleReading,
    WeighJob,
    WeighJobList,
)
from cell_interfaces.srv import EndWeighJob, RecordBag, ReopenWeighJob, RetryDelivery, StartWeighJob, VoidBag

CLERK = CommandInfo(operator_id='ann')


def start(graph, **changes):
    wanted = {'command': CLERK, 'company': 'ACME', 'station': 'A', 'target_weight': '1.10', 'unit': 'kg', 'quantity': 2}
    return graph.call(StartWeighJob, 'weighing/start_job', StartWeighJob.Request(**(wanted | changes)))


@pytest.fixture
def bags(graph, station):
    return graph.collect(BagRecord, 'weighing/bag', events())


@pytest.fixture
def jobs(graph, station):
    return graph.collect(WeighJobList, 'weighing/job', latched())


def test_bags_are_judged_numbered_and_complete_the_job(graph, station, indicator, bags, jobs):
    assert start(graph).code == ResultCode.OK
    indicator().send('1,0.99 kg', '1,0.98 kg', '1,1100 g')
    wait_until(lambda: len(bags) == 3)
    assert [(b.bag_number, b.outcome, b.station) for b in bags] == [
        (1, BagRecord.IN_TOLERANCE, 'A'),
        (2, BagRecord.UNDER, 'A'),
        (3, BagRecord.IN_TOLERANCE, 'A'),
    ]
    assert bags[1].message == '0.98 kg is under the limit of 0.99 kg'
    wait_until(lambda: jobs and jobs[-1].jobs[0].state == WeighJob.COMPLETED)
    job = jobs[-1].jobs[0]
    assert (job.bags_completed, job.bags_out, job.started_by) == (2, 1, 'ann')


def test_a_bag_without_a_job_is_recorded_and_not_good(graph, station, indicator, bags):
    received = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert (bags[0].outcome, bags[0].weigh_job_id, bags[0].bag_number) == (BagRecord.NO_ACTIVE_JOB, 0, 0)
    wait_until(lambda: any(a.key == 'no_job/A' and a.kind == AlarmEvent.RAISED for a in received))
    assert start(graph).code == ResultCode.OK
    wait_until(lambda: any(a.key == 'no_job/A' and a.kind == AlarmEvent.CLEARED for a in received))


def test_a_completed_job_takes_no_more_bags(graph, station, indicator, bags):
    start(graph, quantity=1)
    indicator().send('1,1.10 kg', '1,1.10 kg')
    wait_until(lambda: len(bags) == 2)
    assert [b.outcome for b in bags] == [BagRecord.IN_TOLERANCE, BagRecord.NO_ACTIVE_JOB]


def test_a_malformed_line_and_an_empty_scale_make_no_bag(graph, station, indicator, bags):
    start(graph)
    indicator().send('1,nan kg', '1,0.000 kg', '1,-1.10 kg', '1,------ kg', '1,1.10 kg')
    wait_until(lambda: bags)
    assert [b.weight for b in bags] == ['1.10'] and bags[0].bag_number == 1


def test_a_clock_set_back_behind_the_start_of_the_job_loses_no_bag(graph, station, indicator, bags, engine):
    start(graph)
    with engine.begin() as connection:  # the same as a clock that is an hour behind from now on
        connection.exec_driver_sql('UPDATE weigh_job SET started_ns = started_ns + 3600 * 1000000000')
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert (bags[0].outcome, bags[0].bag_number) == (BagRecord.IN_TOLERANCE, 1)


def test_bags_weighed_while_the_station_was_down_are_caught_up(graph, station, indicator, bags, database_url):
    start(graph, quantity=3)
    device = indicator()
    device.send('1,1.10 kg')
    wait_until(lambda: len(bags) == 1)
    graph.remove(station)
    device.send('1,1.11 kg', '1,1.12 kg')
    graph.add(WeighStationNode(**graph.options(database_url=database_url)))
    latest = graph.collect(BagList, 'weighing/bags', latched())
    wait_until(lambda: latest and len(latest[-1].bags) == 3)
    assert [(b.weight, b.bag_number) for b in latest[-1].bags] == [('1.12', 3), ('1.11', 2), ('1.10', 1)]


def test_a_second_job_at_a_station_is_refused(graph, station):
    assert start(graph).code == ResultCode.OK
    refused = start(graph)
    assert refused.code == ResultCode.WEIGH_JOB_ACTIVE and 'end it first' in refused.message
    assert start(graph, station='B').code == ResultCode.OK


@pytest.mark.parametrize(
    'changes',
    [
        {'company': ' '},
        {'station': 'Z'},
        {'target_weight': '0'},
        {'target_weight': 'nan'},
        {'target_weight': '1e3'},
        {'unit': 'stone'},
        {'quantity': 0},
        {'tare': '-0.05'},
        {'tare': 'nan'},
        {'tolerance': '1'},
        {'tolerance': '-0.1'},
    ],
)
def test_an_invalid_job_is_refused_with_the_cause(graph, station, changes):
    answer = start(graph, **changes)
    assert answer.code == ResultCode.INVALID_ARGUMENT and next(iter(changes)).split('_')[0] in answer.message


def test_an_old_command_is_refused(graph, station):
    command = CommandInfo(operator_id='ann')
    command.issued_at.sec, command.valid_for.sec = 1, 5
    assert start(graph, command=command).code == ResultCode.EXPIRED


def test_a_job_ended_early_takes_no_more_bags(graph, station, indicator, bags):
    start(graph)
    ended = graph.call(EndWeighJob, 'weighing/end_job', EndWeighJob.Request(command=CLERK, station='A', reason='lunch'))
    assert ended.code == ResultCode.OK and ended.job.state == WeighJob.COMPLETED
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert bags[0].outcome == BagRecord.NO_ACTIVE_JOB


def test_ending_a_job_that_is_not_there_is_refused(graph, station):
    answer = graph.call(EndWeighJob, 'weighing/end_job', EndWeighJob.Request(station='A'))
    assert answer.code == ResultCode.NO_WEIGH_JOB


def test_a_voided_bag_stays_and_no_longer_counts(graph, station, indicator, bags, jobs):
    start(graph)
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    request = VoidBag.Request(command=CLERK, bag_id=bags[0].bag_id, reason='burst')
    answer = graph.call(VoidBag, 'weighing/void_bag', request)
    assert answer.code == ResultCode.OK and answer.bag.voided
    wait_until(lambda: jobs[-1].jobs[0].bags_completed == 0)
    assert jobs[-1].jobs[0].bags_voided == 1
    assert graph.call(VoidBag, 'weighing/void_bag', request).code == ResultCode.UNKNOWN_BAG


def test_a_void_without_a_reason_or_of_no_bag_is_refused(graph, station):
    assert graph.call(VoidBag, 'weighing/void_bag', VoidBag.Request(bag_id=1)).code == ResultCode.INVALID_ARGUMENT
    assert graph.call(VoidBag, 'weighing/void_bag', VoidBag.Request(bag_id=9, reason='x')).code == ResultCode.UNKNOWN_BAG


def test_scales_and_stations_that_do_not_go_together_stop_the_node(graph, database_url):
    with pytest.raises(ParameterError, match='same length'):
        WeighStationNode(**graph.options(database_url=database_url, scale_ids=['1'], stations=['A', 'B']))
    with pytest.raises(ParameterError, match='default_tolerance'):
        WeighStationNode(**graph.options(database_url=database_url, default_tolerance='ten percent'))


def reopen(graph, **changes):
    wanted = {'command': CLERK, 'station': 'A', 'quantity': 3, 'reason': 'one more'}
    return graph.call(ReopenWeighJob, 'weighing/reopen_job', ReopenWeighJob.Request(**(wanted | changes)))


def end(graph):
    return graph.call(EndWeighJob, 'weighing/end_job', EndWeighJob.Request(command=CLERK, station='A', reason='lunch'))


def test_the_zone_and_the_net_weight_of_a_bag_are_published(graph, station, indicator, bags, jobs):
    assert start(graph, tare='0.05', quantity=3).code == ResultCode.OK
    indicator().send('1,1.04 kg', '1,1.03 kg', '1,1150 g')
    wait_until(lambda: len(bags) == 3)
    assert [(b.zone, b.net_weight, b.weight) for b in bags] == [
        (BagRecord.ZONE_WARN_UNDER, '0.99', '1.04'),
        (BagRecord.ZONE_REJECT_UNDER, '0.98', '1.03'),
        (BagRecord.ZONE_OK, '1100', '1150'),
    ]
    assert bags[1].message == 'net 0.98 kg is under the limit of 0.99 kg'
    wait_until(lambda: jobs[-1].jobs[0].tare == '0.05')


def test_a_bag_without_a_job_has_no_zone_and_no_net_weight(graph, station, indicator, bags):
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert (bags[0].zone, bags[0].net_weight) == (BagRecord.ZONE_NONE, '')


def test_what_the_indicator_calls_net_stays_as_it_is(graph, station, bags):
    assert start(graph, tare='0.05').code == ResultCode.OK
    lines = graph.node.create_publisher(ScaleReading, 'weighing/weight', events())
    wait_until(lambda: lines.get_subscription_count() == 1)
    for sequence, mode in enumerate((ScaleReading.NET, ScaleReading.GROSS), 1):
        lines.publish(
            ScaleReading(
                reading_id=f'r{sequence}',
                scale_id='1',
                sequence=sequence,
                weight='1.10',
                unit='kg',
                mode=mode,
                received_at=graph.node.get_clock().now().to_msg(),
            )
        )
    wait_until(lambda: len(bags) == 2)
    assert [b.net_weight for b in bags] == ['1.10', '1.05']


def test_a_job_ended_too_early_is_reopened_and_counts_again(graph, station, indicator, bags, jobs):
    start(graph)
    device = indicator()
    device.send('1,1.10 kg')
    wait_until(lambda: len(bags) == 1)
    end(graph)
    device.send('1,1.10 kg')
    wait_until(lambda: len(bags) == 2)
    answer = reopen(graph)
    assert answer.code == ResultCode.OK and answer.job.state == WeighJob.ACTIVE and answer.job.quantity == 3
    device.send('1,1.10 kg')
    wait_until(lambda: len(bags) == 3)
    job_id = answer.job.weigh_job_id
    assert [(b.weigh_job_id, b.bag_number) for b in bags] == [(job_id, 1), (0, 0), (job_id, 2)]
    wait_until(lambda: jobs[-1].jobs[0].bags_completed == 2)


def test_an_invalid_reopening_is_refused_with_the_cause(graph, station, indicator, bags):
    assert reopen(graph).code == ResultCode.NO_WEIGH_JOB
    assert reopen(graph, weigh_job_id=99).code == ResultCode.NO_WEIGH_JOB
    first = start(graph, quantity=1).weigh_job_id
    assert 'nothing to reopen' in reopen(graph).message
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert reopen(graph, reason=' ').code == ResultCode.INVALID_ARGUMENT
    assert 'more than the 1 bags' in reopen(graph, quantity=0).message
    start(graph)
    other = reopen(graph, weigh_job_id=first)
    assert other.code == ResultCode.WEIGH_JOB_ACTIVE and 'end it first' in other.message
    old = CommandInfo(operator_id='ann')
    old.issued_at.sec, old.valid_for.sec = 1, 5
    assert reopen(graph, command=old).code == ResultCode.EXPIRED


def test_without_a_web_application_delivery_is_off_and_a_retry_is_refused(graph, station):
    shown = graph.collect(DeliveryState, 'weighing/delivery', latched())
    wait_until(lambda: shown)
    assert shown[0].state == DeliveryState.OFF and shown[0].waiting == 0
    answer = graph.call(RetryDelivery, 'weighing/retry', RetryDelivery.Request(command=CLERK))
    assert answer.code == ResultCode.NOT_READY and 'settings_file' in answer.message


def test_every_command_stands_in_the_audit_refused_ones_too(graph, station, engine):
    start(graph, quantity=0)
    start(graph)
    old = CommandInfo(operator_id='bob', request_id='r-1')
    old.issued_at.sec, old.valid_for.sec = 1, 5
    reopen(graph, command=old)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            'SELECT command, operator_id, code, request_id, arguments, message FROM command_log ORDER BY sequence'
        ).all()
    assert [tuple(row[:3]) for row in rows] == [
        ('weighing/start_job', 'ann', ResultCode.INVALID_ARGUMENT),
        ('weighing/start_job', 'ann', ResultCode.OK),
        ('weighing/reopen_job', 'bob', ResultCode.EXPIRED),
    ]
    assert rows[0].request_id and rows[2].request_id == 'r-1'
    assert '"company": "ACME"' in rows[1].arguments and 'quantity' in rows[0].message


def record(graph, reading_id='bag-1', **changes):
    fields = {'command': CLERK, 'station': 'A', 'scale_id': '7', 'weight': '1.10', 'unit': 'kg'}
    return graph.call(RecordBag, 'weighing/record_bag', RecordBag.Request(reading_id=reading_id, **(fields | changes)))


def test_a_bag_from_elsewhere_is_recorded_and_published_once(graph, station, indicator, bags):
    start(graph)
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    first, repeated = record(graph), record(graph)
    assert first == repeated and first.code == ResultCode.OK and first.job_complete
    assert (first.bag.bag_number, first.bag.scale_id, first.bag.outcome) == (2, '7', BagRecord.IN_TOLERANCE)
    late = record(graph, 'bag-2')
    assert late.bag.outcome == BagRecord.NO_ACTIVE_JOB and 'no active weigh job' in late.message and not late.job_complete
    wait_until(lambda: len(bags) == 3)
    assert [bag.reading_id for bag in bags[1:]] == ['bag-1', 'bag-2']


@pytest.mark.parametrize(
    ('changes', 'code'),
    [
        ({'weight': 'nan'}, ResultCode.INVALID_ARGUMENT),
        ({'unit': 'stone'}, ResultCode.INVALID_ARGUMENT),
        ({'station': ''}, ResultCode.INVALID_ARGUMENT),
        ({'reading_id': ''}, ResultCode.INVALID_ARGUMENT),
        ({'reading_id': 'x' * 37}, ResultCode.INVALID_ARGUMENT),
        ({'station': 'Z', 'reading_id': 'bag-2'}, ResultCode.NO_WEIGH_JOB),
        ({'weight': '1.11'}, ResultCode.KEY_REUSED),
    ],
)
def test_a_bag_that_cannot_be_recorded_is_rejected(graph, station, changes, code):
    start(graph)
    assert record(graph).code == ResultCode.OK
    rejected = record(graph, **changes)
    assert rejected.code == code and rejected.message
