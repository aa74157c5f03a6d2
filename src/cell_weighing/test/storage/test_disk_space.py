"""The disk is really full: nothing counts as stored that is not, and it goes on by itself."""

import os
import socket
import subprocess
import threading

import pytest
from cell_common.database import open_database
from cell_common.ids import new_id
from cell_common.qos import events, latched
from cell_common.testing import matched_subscribers, wait_until
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.bridge.node import ScaleBridgeNode
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.reader import open_reader
from cell_weighing.storage.disk_space import DatabaseDisk
from cell_weighing.storage.journal_reader import read_journal
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from cell_interfaces.msg import AlarmEvent, ScaleReading

pytestmark = pytest.mark.slow


def reading():
    return WeightReading(new_id(), '1', 0, 100, 200, b'x' * 2000, ReadingStatus.VALID, '1.10', 'kg')


def test_a_database_that_may_not_grow_hands_nothing_on_until_it_may(engine, database_url):
    small = open_database(database_url)
    with small.connect() as connection:
        pages = [connection.exec_driver_sql('PRAGMA page_count').scalar() + 8]
    event.listen(
        small,
        'begin',
        lambda connection: connection.connection.driver_connection.execute(f'PRAGMA max_page_count={pages[0]}'),
        insert=True,
    )
    received, complaints = [], []
    writer = JournalWriter(small, received.extend, complaints.append)
    sent = [reading() for _ in range(40)]
    for one in sent:
        writer.append([one])
    wait_until(lambda: complaints)
    assert 'disk is full' in complaints[0] and writer.pending == 40 - len(received) > 0
    with engine.connect() as connection:
        assert [r.reading_id for r in read_journal(connection, '1', 0)] == [r.reading_id for r in received]
    pages[0] += 1000
    wait_until(lambda: not writer.pending)
    assert complaints[-1] == '' and writer.close() == 0
    with engine.connect() as connection:
        assert read_journal(connection, '1', 0) == received == sent and [r.sequence for r in received] == list(range(1, 41))
    small.dispose()


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / 'tiny'
    folder.mkdir()
    if os.geteuid() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], check=False).returncode:
        pytest.skip('a file system can be mounted by root only')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def test_a_full_disk_raises_an_alarm_with_its_free_space_and_recovers(graph, tiny_disk):
    alarms = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    published = graph.collect(ScaleReading, 'weighing/weight', events(2000))
    url = f'sqlite:///{tiny_disk}/cell.db'
    node = graph.add(ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=url, free_space=1.0)))
    wait_until(lambda: not node.listening.error)
    device = socket.create_connection(('127.0.0.1', node.listening.port), timeout=30)
    device.sendall(b'1,0.01 kg\r\n')
    wait_until(lambda: len(published) == 1)
    block = tiny_disk / 'block'
    with pytest.raises(OSError, match='No space'), block.open('wb', buffering=0) as file:
        while file.write(b'x' * 4096):
            pass
    warning = node.journal_health()
    assert warning.level == 1 and 'MB are free' in warning.message
    for number in range(2, 400):
        device.sendall(f'1,{number / 100:.2f} kg\r\n'.encode())
    wait_until(lambda: any(a.key == 'journal' and a.kind == AlarmEvent.RAISED for a in alarms), 20)
    raised = next(a for a in alarms if a.key == 'journal' and a.kind == AlarmEvent.RAISED)
    assert 'Disk full: free space 0.0 MB' in raised.consequence and node.journal_health().level == 2
    with open_reader(url).connect() as connection:
        assert len(published) <= len(read_journal(connection, '1', 0)) < 399
    block.unlink()
    wait_until(lambda: len(published) == 399, 20)
    assert [message.weight for message in published] == [f'{number / 100:.2f}' for number in range(1, 400)]
    wait_until(lambda: any(a.key == 'journal' and a.kind == AlarmEvent.CLEARED for a in alarms[alarms.index(raised) :]))
    assert node.journal_health().level == 0
    device.close()


@pytest.fixture
def refusing(graph, database_url):
    """A bridge of which 100 lines may wait, and a switch that makes its database refuse."""
    node = graph.add(
        ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=database_url, waiting_limit=100))
    )
    wait_until(lambda: not node.listening.error)
    refuse = threading.Event()

    def fail(_connection, _cursor, statement, *_):
        if refuse.is_set() and statement.startswith('INSERT INTO weigh_reading'):
            raise OperationalError(statement, {}, Exception('database or disk is full'))

    event.listen(Engine, 'before_cursor_execute', fail)
    refuse.set()
    yield node, refuse
    event.remove(Engine, 'before_cursor_execute', fail)


def raised(alarms, key, kind=AlarmEvent.RAISED):
    return any(alarm.key == key and alarm.kind == kind for alarm in alarms)


def test_when_too_many_lines_wait_no_more_are_read_and_none_is_lost(graph, refusing):
    node, refuse = refusing
    weights = [f'{number // 1000}.{number % 1000:03d}' for number in range(1, 5001)]
    alarms = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    published = graph.collect(ScaleReading, 'weighing/weight', events(10_000))
    wait_until(lambda: matched_subscribers(node, 'weighing/weight') == 1)
    with socket.create_connection(('127.0.0.1', node.listening.port), timeout=30) as device:
        device.sendall(''.join(f'1,{weight} kg\r\n' for weight in weights).encode())
        wait_until(lambda: raised(alarms, 'held_back'))
        assert 100 <= node.pending < 1000 and 'indicators are not read' in node.journal_health().message
        assert not published
        refuse.clear()
        wait_until(lambda: len(published) == 5000, 20)
    assert [message.weight for message in published] == weights
    wait_until(lambda: raised(alarms, 'held_back', AlarmEvent.CLEARED))


def test_while_few_lines_wait_the_indicators_are_read_on(graph, refusing):
    node, _ = refusing
    alarms = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    with socket.create_connection(('127.0.0.1', node.listening.port), timeout=30) as device:
        device.sendall(b'1,0.010 kg\r\n' * 50)
        wait_until(lambda: node.pending == 50 and raised(alarms, 'journal'))
        device.sendall(b'1,0.010 kg\r\n')
        wait_until(lambda: node.pending == 51)
    assert not raised(alarms, 'held_back') and 'indicators are not read' not in node.journal_health().message


def test_the_free_space_of_a_database_server_is_unknown():
    disk = DatabaseDisk('postgresql+psycopg://cell@plant/cell', 1e9)
    assert disk.free_mb() is None and disk.health() is None
    assert disk.describe_error('server closed the connection') == 'server closed the connection'


@pytest.mark.parametrize(
    'message',
    [
        'could not extend file "base/1"',
        '(1114, "The table \'weigh_reading\' is full")',
        '(1021, \'Disk full (/tmp/#sql); waiting for someone to free some space... (errno: 28 "No space left on device")\')',
        '(1114, "La tabla \'weigh_reading\' se ha llenado")',
        "1114 (HY000): The table 'weigh_reading' is full",
        'Disk full (./cell/weigh_reading.ibd); waiting for someone to free some space',
    ],
)
def test_a_database_server_names_its_full_disk(message):
    assert (
        DatabaseDisk('mariadb+pymysql://cell@plant/cell', 1e9).describe_error(message) == "disk full: on the database's server"
    )


@pytest.mark.parametrize(
    'message', ['', '(2013, "Lost connection to server")', '(1205, "Lock wait timeout")', '(1062, "Duplicate entry \'1114\'")']
)
def test_another_error_of_a_database_server_stays_as_it_is(message):
    assert DatabaseDisk('mariadb+pymysql://cell@plant/cell', 1e9).describe_error(message) == message


def test_little_free_space_is_a_warning_that_says_what_to_do(tmp_path):
    url = f'sqlite:///{tmp_path}/cell.db'
    assert DatabaseDisk(url, 0).health() is None
    warned = DatabaseDisk(url, 1e9).health()
    assert warned.level == 1 and str(tmp_path) in warned.message and 'free space' in warned.message
