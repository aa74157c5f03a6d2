import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.alarms import AlarmReporter
from cell_common.qos import latched
from cell_common.testing import wait_until
from cell_coordinator.alarms.node import AlarmsNode

from cell_common import alarms
from cell_interfaces.msg import Alarm, AlarmEvent, AlarmList, CommandInfo, ResultCode
from cell_interfaces.srv import HandleAlarm


@pytest.fixture
def options(graph, database_url):
    return graph.options(database_url=database_url)


@pytest.fixture
def node(graph, options):
    return graph.add(AlarmsNode(**options))


@pytest.fixture
def reporter(graph):
    return AlarmReporter(graph.node)


@pytest.fixture
def lists(graph):
    return graph.collect(AlarmList, 'alarms', latched())


def raise_alarm(reporter, text='robot lost', key='lost', priority=alarms.HIGH):
    reporter.raise_alarm(key, priority, text, consequence='stands', action='look')


def handle(graph, service='acknowledge', alarm_id='', seconds=0, **command):
    return graph.call(
        HandleAlarm,
        f'alarms/{service}',
        HandleAlarm.Request(
            alarm_id=alarm_id, shelve_for=Duration(sec=seconds), command=CommandInfo(operator_id='ann', **command)
        ),
    )


def active(lists):
    return [(alarm.key, alarm.state) for alarm in lists[-1].alarms] if lists else None


def test_an_alarm_is_raised_acknowledged_and_cleared(graph, node, reporter, lists):
    raise_alarm(reporter)
    wait_until(lambda: active(lists) == [('lost', Alarm.UNACKNOWLEDGED)])
    alarm = lists[-1].alarms[0]
    assert (alarm.source, alarm.priority, alarm.text, alarm.count) == ('test', Alarm.HIGH, 'robot lost', 1)
    assert handle(graph).code == ResultCode.OK
    wait_until(lambda: active(lists) == [('lost', Alarm.ACKNOWLEDGED)])
    assert lists[-1].alarms[0].acknowledged_by == 'ann'
    reporter.clear_alarm('lost')
    wait_until(lambda: active(lists) == [])


def test_acknowledgements_survive_a_restart(graph, node, options, reporter, lists):
    raise_alarm(reporter)
    raise_alarm(reporter, key='closed')
    wait_until(lambda: lists and len(lists[-1].alarms) == 2)
    handle(graph)
    reporter.clear_alarm('closed')
    wait_until(lambda: active(lists) == [('lost', Alarm.ACKNOWLEDGED)])
    graph.remove(node)
    lists.clear()
    graph.add(AlarmsNode(**options))
    wait_until(lambda: lists)
    raise_alarm(reporter, key='new', priority=alarms.LOW)
    wait_until(lambda: len(lists[-1].alarms) == 2)
    assert active(lists) == [('lost', Alarm.ACKNOWLEDGED), ('new', Alarm.UNACKNOWLEDGED)]
    assert lists[-1].alarms[0].count == 1


def test_a_node_that_starts_again_after_a_crash_clears_what_it_had_raised(graph, node, reporter, lists):
    raise_alarm(reporter)
    raise_alarm(reporter, key='unknown')
    wait_until(lambda: lists and len(lists[-1].alarms) == 2)
    restarted = AlarmReporter(graph.node)
    raise_alarm(restarted, key='unknown')
    wait_until(lambda: dict(active(lists)) == {'lost': Alarm.RETURNED, 'unknown': Alarm.UNACKNOWLEDGED})


def test_an_alarm_raised_before_the_node_started_is_received(graph, reporter, options, lists):
    raise_alarm(reporter)
    graph.add(AlarmsNode(**options))
    wait_until(lambda: active(lists) == [('lost', Alarm.UNACKNOWLEDGED)])


def test_an_alarm_is_shelved_and_bad_commands_are_rejected(graph, node, reporter, lists):
    raise_alarm(reporter)
    wait_until(lambda: lists and lists[-1].alarms)
    alarm_id = lists[-1].alarms[0].alarm_id
    assert handle(graph, 'shelve', alarm_id, 9 * 3600).code == ResultCode.INVALID_ARGUMENT
    assert handle(graph, 'shelve', 'nope', 60).code == ResultCode.UNKNOWN_ALARM
    assert handle(graph, 'shelve', alarm_id, 60, issued_at=Time(sec=1), valid_for=Duration(sec=1)).code == ResultCode.EXPIRED
    assert handle(graph, 'shelve', alarm_id, 60).code == ResultCode.OK
    wait_until(lambda: active(lists) == [('lost', Alarm.SHELVED)])
    assert handle(graph, 'shelve', alarm_id, 0).message == '1 shown again'
    wait_until(lambda: active(lists) == [('lost', Alarm.UNACKNOWLEDGED)])
    assert handle(graph, 'shelve', alarm_id, 1).code == ResultCode.OK
    wait_until(lambda: active(lists) == [('lost', Alarm.SHELVED)])
    wait_until(lambda: active(lists) == [('lost', Alarm.UNACKNOWLEDGED)])


def event(key, stamp_s, kind=AlarmEvent.RAISED):
    return AlarmEvent(
        stamp=Time(sec=stamp_s),
        source='foreign',
        key=key,
        kind=kind,
        priority=alarms.LOW,
        text=key,
        consequence='c',
        action='a',
    )


def test_every_alarm_of_a_flood_is_shown_with_one_that_says_so(graph, node, lists):
    publisher = graph.node.create_publisher(AlarmEvent, 'alarms/events', latched(alarms.LATCHED_DEPTH))
    wait_until(publisher.get_subscription_count)
    for number in range(400):
        publisher.publish(event(f'key{number}', 1))
    wait_until(lambda: lists and len(lists[-1].alarms) == 401)
    assert {f'key{number}' for number in range(400)} | {'flood'} == {alarm.key for alarm in lists[-1].alarms}
    assert lists[-1].alarms[0].key == 'flood' and 'alarms at once' in lists[-1].alarms[0].text


def test_a_reporter_loses_no_alarm_of_a_flood_before_the_node_starts(graph, reporter, options, lists):
    for number in range(200):
        raise_alarm(reporter, key=f'key{number}')
    graph.add(AlarmsNode(**options))
    wait_until(lambda: lists and len([alarm for alarm in lists[-1].alarms if alarm.source == 'test']) == 200)


@pytest.mark.parametrize('stamps', [(4000, 100, 200), (100, 4000, 50)])
def test_an_alarm_of_another_time_of_day_comes_and_goes(graph, node, lists, stamps):
    now = graph.node.get_clock().now().seconds_nanoseconds()[0]
    publisher = graph.node.create_publisher(AlarmEvent, 'alarms/events', latched(alarms.LATCHED_DEPTH))
    wait_until(publisher.get_subscription_count)
    first, second, third = (now + stamp for stamp in stamps)
    publisher.publish(event('a', first))
    wait_until(lambda: active(lists) == [('a', Alarm.UNACKNOWLEDGED)])
    publisher.publish(event('a', second, AlarmEvent.CLEARED))
    wait_until(lambda: active(lists) == [('a', Alarm.RETURNED)])
    handle(graph)
    publisher.publish(event('a', third))
    wait_until(lambda: active(lists) == [('a', Alarm.UNACKNOWLEDGED)])
