import pytest
from cell_common.parameters import ParameterError
from cell_common.qos import events, latched
from cell_common.testing import wait_until
from cell_weighing.weigh_station_node import WeighStationNode

from cell_interfaces.msg import AlarmEvent, BagList, BagRecord, CommandInfo, ResultCode, WeighJob, WeighJobList
from cell_interfaces.srv import EndWeighJob, StartWeighJob, VoidBag

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
        (1, BagRecord.IN_TOLERANCE, 'A'), (2, BagRecord.UNDER, 'A'), (3, BagRecord.IN_TOLERANCE, 'A')]
    assert bags[1].message == '0.98 kg is under the limit of 0.99 kg'
    wait_until(lambda: jobs and jobs[-1].jobs[0].state == WeighJob.COMPLETED)
    job = jobs[-1].jobs[0]
    assert (job.bags_completed, job.bags_out, job.started_by) == (2, 1, 'ann')


def test_a_bag_without_a_job_is_recorded_and_not_good(graph, station, indicator, bags):
    told = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    indicator().send('1,1.10 kg')
    wait_until(lambda: bags)
    assert (bags[0].outcome, bags[0].weigh_job_id, bags[0].bag_number) == (BagRecord.NO_ACTIVE_JOB, 0, 0)
    wait_until(lambda: any(a.key == 'no_job_A' and a.kind == AlarmEvent.RAISED for a in told))
    assert start(graph).code == ResultCode.OK
    wait_until(lambda: any(a.key == 'no_job_A' and a.kind == AlarmEvent.CLEARED for a in told))


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


def test_bags_weighed_while_the_station_was_down_are_caught_up(graph, station, indicator, bags, database_url):
    start(graph, quantity=3)
    device = indicator()
    device.send('1,1.10 kg')
    wait_until(lambda: len(bags) == 1)
    graph.remove(station)
    device.send('1,1.11 kg', '1,1.12 kg')
    again = graph.add(WeighStationNode(**graph.options(database_url=database_url)))
    latest = graph.collect(BagList, 'weighing/bags', latched())
    wait_until(lambda: latest and len(latest[-1].bags) == 3)
    assert [(b.weight, b.bag_number) for b in latest[-1].bags] == [('1.12', 3), ('1.11', 2), ('1.10', 1)]
    assert not again._problem


def test_a_second_job_at_a_station_is_refused(graph, station):
    assert start(graph).code == ResultCode.OK
    refused = start(graph)
    assert refused.code == ResultCode.WEIGH_JOB_ACTIVE and 'end it first' in refused.message
    assert start(graph, station='B').code == ResultCode.OK


@pytest.mark.parametrize('changes', [
    {'company': ' '}, {'station': 'Z'}, {'target_weight': '0'}, {'target_weight': 'nan'}, {'target_weight': '1e3'},
    {'unit': 'stone'}, {'quantity': 0}, {'tolerance': '1'}, {'tolerance': '-0.1'}])
def test_a_job_that_cannot_be_is_refused_with_words(graph, station, changes):
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
    assert graph.call(VoidBag, 'weighing/void_bag', request).code == ResultCode.UNKNOWN_BAG


def test_a_void_without_a_reason_or_of_no_bag_is_refused(graph, station):
    assert graph.call(VoidBag, 'weighing/void_bag', VoidBag.Request(bag_id=1)).code == ResultCode.INVALID_ARGUMENT
    assert graph.call(VoidBag, 'weighing/void_bag', VoidBag.Request(bag_id=9, reason='x')).code == ResultCode.UNKNOWN_BAG


def test_scales_and_stations_that_do_not_go_together_stop_the_node(graph, database_url):
    with pytest.raises(ParameterError, match='same length'):
        WeighStationNode(**graph.options(database_url=database_url, scale_ids=['1'], stations=['A', 'B']))
    with pytest.raises(ParameterError, match='default_tolerance'):
        WeighStationNode(**graph.options(database_url=database_url, default_tolerance='ten percent'))
