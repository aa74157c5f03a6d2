import socket

import pytest
from cell_common.qos import events, latched
from cell_common.runner import StartError
from cell_common.testing import free_port, matched_subscribers, wait_until
from cell_weighing.bridge.node import ScaleBridgeNode
from cell_weighing.storage.journal_reader import last_sequences, read_journal

from cell_interfaces.msg import AlarmEvent, ScaleList, ScaleReading


@pytest.fixture
def readings(graph, bridge):
    received = graph.collect(ScaleReading, 'weighing/weight', events())
    wait_until(lambda: matched_subscribers(bridge, 'weighing/weight') == 1)
    return received


def scale(lists, scale_id):
    return next((s for s in lists[-1].scales if s.scale_id == scale_id), None) if lists else None


def test_a_printed_line_becomes_a_reading(indicator, readings):
    indicator().send('3,12.500 kg')
    wait_until(lambda: readings)
    reading = readings[0]
    assert (reading.scale_id, reading.weight, reading.unit, reading.sequence) == ('3', '12.500', 'kg', 1)
    assert (reading.status, reading.stability) == (ScaleReading.VALID, ScaleReading.STABILITY_UNKNOWN)
    assert reading.raw == '3,12.500 kg' and len(reading.reading_id) == 36 and reading.received_at.sec > 0


def test_a_malformed_line_is_recorded_counted_and_no_number(graph, indicator, readings, engine):
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    device = indicator()
    device.send('3,12.500 kg', '3,nan kg')
    wait_until(lambda: len(readings) == 2)
    assert readings[1].status == ScaleReading.MALFORMED
    assert (readings[1].scale_id, readings[1].weight, readings[1].sequence) == ('3', '', 2)
    assert readings[1].message
    wait_until(lambda: (entry := scale(lists, '3')) and entry.malformed == 1 and entry.readings == 1)
    with engine.connect() as connection:
        assert [r.raw for r in read_journal(connection, '3', 0)] == [b'3,12.500 kg', b'3,nan kg']


def test_noise_creates_no_scale(graph, indicator, readings):
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    indicator().send('GET,/ HTTP/1.1')
    wait_until(lambda: readings)
    assert readings[0].scale_id == '' and readings[0].status == ScaleReading.MALFORMED
    wait_until(lambda: (entry := scale(lists, '')) and entry.malformed == 1 and entry.connected)


def test_lines_split_and_glued_come_out_whole(indicator, readings):
    device = indicator()
    for piece in (b'3,12', b'.500 kg\r', b'\n3,1.000 kg\r\n3,2.0', b'00 kg\n'):
        device.raw(piece)
    wait_until(lambda: len(readings) == 3)
    assert [r.weight for r in readings] == ['12.500', '1.000', '2.000']


def test_a_line_cut_off_by_the_end_of_the_connection_is_no_reading(indicator, readings):
    device = indicator()
    device.send('3,1.000 kg')
    device.raw(b'3,12.5')
    device.close()
    wait_until(lambda: len(readings) == 2)
    assert readings[1].status == ScaleReading.MALFORMED and 'middle of the line' in readings[1].message


def test_two_indicators_with_one_id_lose_no_line_and_an_alarm_is_raised(graph, indicator, readings):
    raised = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    old, new = indicator(), indicator()
    old.send('3,1.000 kg')
    wait_until(lambda: len(readings) == 1)
    new.send('3,2.000 kg')
    wait_until(lambda: len(readings) == 2)
    wait_until(lambda: any(a.key == 'duplicate/3' for a in raised))
    peer = f'127.0.0.1:{new.socket.getsockname()[1]}'
    wait_until(lambda: (entry := scale(lists, '3')) and entry.peer == peer)
    for number in range(20):
        old.send(f'3,1.{number:03} kg')
        new.send(f'3,2.{number:03} kg')
    wait_until(lambda: len(readings) == 42)
    assert {r.weight for r in readings[2:]} == {f'{kind}.{number:03}' for kind in (1, 2) for number in range(20)}
    assert all('also connected from' in r.message for r in readings[1:])
    old.close()

    def alone():
        new.send('3,3.000 kg')
        return readings[-1].message == ''

    wait_until(alone)  # the end of the old connection may be noticed after the first of these lines


def test_an_indicator_without_line_ends_is_understood(indicator, readings):
    device = indicator()
    device.raw(b'1,27.5 lb')
    wait_until(lambda: len(readings) == 1)
    device.raw(b'1,27.6 lb1,27.7 lb')
    wait_until(lambda: len(readings) == 3)
    assert [r.weight for r in readings] == ['27.5', '27.6', '27.7']


def test_a_print_that_makes_no_bag_is_reported_and_a_pattern_raises_an_alarm(graph, indicator):
    reported = graph.collect(ScaleReading, 'weighing/not_taken', events())
    raised = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    device = indicator()
    device.send('3,0.000 kg')
    wait_until(lambda: len(reported) == 1)
    assert reported[0].scale_id == '3' and 'zero' in reported[0].message
    device.send('3,-0.020 kg')
    wait_until(lambda: len(reported) == 2)
    assert 'below zero' in reported[1].message and not [a for a in raised if a.key == 'not_taken/3']
    device.send('3,0.000 kg')
    wait_until(lambda: any(a.key == 'not_taken/3' and a.kind == AlarmEvent.RAISED for a in raised))
    device.send('3,1.000 kg')
    wait_until(lambda: any(a.key == 'not_taken/3' and a.kind == AlarmEvent.CLEARED for a in raised))
    assert len(reported) == 3


def test_the_list_shows_when_a_scale_has_gone(graph, indicator, readings):
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    device = indicator()
    device.send('3,1.000 kg')
    wait_until(lambda: (entry := scale(lists, '3')) and entry.connected and entry.last_weight == '1.000')
    device.close()
    wait_until(lambda: (entry := scale(lists, '3')) and not entry.connected and entry.last_weight == '1.000')


def test_three_malformed_lines_in_a_row_raise_an_alarm_that_a_valid_line_clears(graph, indicator, readings):
    alarm_events = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    device = indicator()
    device.send('3,1.000 kg', '3,?', '3,?', '3,?')
    wait_until(lambda: any(a.key == 'malformed/3' and a.kind == AlarmEvent.RAISED for a in alarm_events))
    device.send('3,1.000 kg')
    wait_until(lambda: any(a.key == 'malformed/3' and a.kind == AlarmEvent.CLEARED for a in alarm_events))


def test_sequence_numbers_continue_after_a_restart(graph, bridge, indicator, database_url, engine):
    indicator().send('3,1.000 kg', '3,2.000 kg')
    wait_until(lambda: _last(engine) == {'3': 2})
    graph.remove(bridge)
    again = graph.add(ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=database_url)))
    wait_until(lambda: not again.listening.error)
    with socket.create_connection(('127.0.0.1', again.listening.port)) as device:
        device.sendall(b'3,3.000 kg\r\n')
        wait_until(lambda: _last(engine) == {'3': 3})


def _last(engine):
    with engine.connect() as connection:
        return last_sequences(connection)


def test_a_port_in_use_is_reported_and_opened_when_it_is_free(graph, database_url):
    alarm_events = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    port = free_port()
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', port))
        holder.listen()
        node = graph.add(ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=port, database_url=database_url)))
        wait_until(lambda: alarm_events and alarm_events[-1].kind == AlarmEvent.RAISED)
        assert str(port) in alarm_events[-1].text and 'Stop the program' in alarm_events[-1].action
    wait_until(lambda: not node.listening.error)
    wait_until(lambda: alarm_events[-1].kind == AlarmEvent.CLEARED)


def test_a_database_that_cannot_be_opened_ends_the_node_with_the_cause(graph):
    with pytest.raises(StartError, match='cannot make the state folder'):
        ScaleBridgeNode(**graph.options(database_url='sqlite:////proc/nowhere/cell.db'))


def test_a_silent_connection_is_closed_only_when_configured(graph, database_url):
    node = graph.add(
        ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=database_url, idle_timeout=0.2))
    )
    wait_until(lambda: not node.listening.error)
    with socket.create_connection(('127.0.0.1', node.listening.port), timeout=30) as device:
        assert device.recv(1) == b''
