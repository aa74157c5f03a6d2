"""Delivery over real sockets to a web application that can be made to do anything."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cell_common.qos import events, latched
from cell_common.testing import FULL, wait_until
from cell_weighing.delivery.http_client import HttpPoster
from cell_weighing.delivery.outbox import Outbox
from cell_weighing.delivery.policy import DeliveryItem
from cell_weighing.station.node import WeighStationNode
from cell_weighing.storage.journal_reader import last_sequences
from cell_weighing.storage.tables import DeliveryRow, WeightReadingRow
from sqlalchemy import select
from sqlalchemy.orm import Session

from cell_interfaces.msg import AlarmEvent, BagRecord, CommandInfo, DeliveryState, ResultCode
from cell_interfaces.srv import RetryDelivery

pytestmark = pytest.mark.slow

ITEM = DeliveryItem('0190-id', 'A', '3', '12.500', 'kg')


class FakeApplication:
    """Serves POST /api/prepuff/scan_bag; one record a key."""

    def __init__(self):
        self.requests, self.bags, self.key = [], {}, 's3cret'
        self.closed = threading.Event()
        self.mood = lambda: 200
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                if len(body) == int(self.headers['Content-Length']):  # else the poster was killed in the middle
                    application.answer(self, {name: values[0] for name, values in parse_qs(body).items()})

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}/'
        self.lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler, fields):
        with self.lock:
            self.requests.append((handler.path, dict(handler.headers), fields))
            mood = self.mood()
            if handler.headers['Authorization'] != f'Bearer {self.key}':
                mood = 401
            if mood in (200, 'drop', 'slow'):
                self.bags.setdefault(handler.headers['Idempotency-Key'], fields)
        if mood == 'drop':
            handler.connection.close()
            return
        if mood == 'slow':
            self.closed.wait(1.5)
            mood = 200
        received = json.dumps({'bag_id': len(self.bags), 'bag_num': 1, 'in_tolerance': True, 'job_complete': False}).encode()
        handler.send_response(mood)
        handler.send_header('Content-Length', str(len(received)))
        handler.end_headers()
        handler.wfile.write(received)

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def application():
    running = FakeApplication()
    yield running
    running.close()


@pytest.fixture
def settings_file(tmp_path, application):
    path = tmp_path / 'old_server.json'
    path.write_text(
        json.dumps(
            {
                'host': '0.0.0.0',
                'port': 10001,
                'site_url': application.url,
                'controller': 'api/prepuff',
                'function': 'scan_bag',
                'api_key': 's3cret',
                'station': 'Z',
            }
        )
    )
    return str(path)


@pytest.fixture
def station(graph, database_url, settings_file):
    node = graph.add(
        WeighStationNode(
            **graph.options(database_url=database_url, settings_file=settings_file, scale_ids=['1'], stations=['A'])
        )
    )
    node.bags = graph.collect(BagRecord, 'weighing/bag', events())
    return node


def test_a_bag_is_posted_as_the_old_server_did(station, indicator, application, engine):
    indicator().send('1,12.500 kg', '77,1.5 lb')
    wait_until(lambda: len(application.bags) == 2)
    path, headers, fields = next(r for r in application.requests if r[2]['scale'] == '1')
    assert path == '/api/prepuff/scan_bag' and fields == {'weight': '12.500', 'unit': 'kg', 'scale': '1', 'station': 'A'}
    assert headers['Authorization'] == 'Bearer s3cret'
    assert headers['Content-Type'] == 'application/x-www-form-urlencoded'
    assert {fields['station'] for fields in application.bags.values()} == {'A', 'Z'}
    wait_until(lambda: Outbox(engine).counts().delivered == 2)
    with Session(engine) as session:
        row = session.scalars(select(DeliveryRow).where(DeliveryRow.scale_id == '1')).one()
    assert row.received_ns <= row.validated_ns <= row.stored_ns <= row.posted_ns <= row.acknowledged_ns
    assert (row.bag_num, row.in_tolerance, row.job_complete) == (1, True, False)
    assert headers['Idempotency-Key'] == row.reading_id


def test_weighing_continues_while_the_web_application_is_down_and_an_alarm_is_raised(graph, station, indicator, application):
    received = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    application.mood = lambda: 500
    indicator().send(*[f'1,{n}.0 kg' for n in range(1, 6)])
    wait_until(lambda: len(station.bags) == 5)
    wait_until(
        lambda: any(a.key == 'delivery' and a.kind == AlarmEvent.RAISED and 'HTTP 500' in a.consequence for a in received)
    )
    application.mood = lambda: 200
    wait_until(lambda: len(application.bags) == 5)
    assert [fields['weight'] for fields in application.bags.values()] == ['1.0', '2.0', '3.0', '4.0', '5.0']
    wait_until(lambda: received[-1].key == 'delivery' and received[-1].kind == AlarmEvent.CLEARED)


def test_a_key_that_is_not_accepted_is_never_shown(graph, station, indicator, application, capfd):
    received = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    application.key = 'another'
    indicator().send('1,1.0 kg')
    wait_until(lambda: any(a.key == 'delivery' and 'does not accept the key' in a.consequence for a in received))
    assert len(application.requests) == 1
    out = capfd.readouterr()
    assert 's3cret' not in out.out + out.err + ''.join(a.text + a.consequence for a in received)
    assert all('s3cret' not in str(p.value) for p in station.get_parameters_by_prefix('').values())


def retry(graph, bag_id=0):
    return graph.call(
        RetryDelivery, 'weighing/retry', RetryDelivery.Request(command=CommandInfo(operator_id='ann'), bag_id=bag_id)
    )


def test_refused_bags_are_listed_and_sent_again_when_a_person_says_so(graph, station, indicator, application):
    shown = graph.collect(DeliveryState, 'weighing/delivery', latched())
    assert retry(graph).code == ResultCode.NOT_REFUSED
    application.mood = lambda: 422
    indicator().send('1,1.0 kg', '1,2.0 kg', '77,3.0 kg')
    wait_until(lambda: shown and shown[-1].dead == 3)
    newest = shown[-1].dead_letters[0]
    assert newest.http_status == 422 and 'HTTP 422' in newest.reason and newest.refused_at.sec
    assert {letter.weight for letter in shown[-1].dead_letters} == {'1.0', '2.0', '3.0'}
    application.mood = lambda: 200
    one = next(letter for letter in shown[-1].dead_letters if letter.weight == '2.0')
    answer = retry(graph, one.bag_id)
    assert (answer.code, answer.count) == (ResultCode.OK, 1)
    wait_until(lambda: shown[-1].dead == 2 and shown[-1].delivered == 1)
    assert retry(graph, one.bag_id).code == retry(graph, 999).code == ResultCode.NOT_REFUSED
    assert retry(graph).count == 2
    wait_until(lambda: (shown[-1].state, shown[-1].dead, shown[-1].delivered) == (DeliveryState.UP, 0, 3))
    assert shown[-1].last_delivered_at.sec and not shown[-1].dead_letters
    assert len(application.bags) == 3


def test_a_pause_is_shown_and_ended_by_a_person(graph, station, indicator, application):
    shown = graph.collect(DeliveryState, 'weighing/delivery', latched())
    application.key = 'another'
    indicator().send('1,1.0 kg')
    wait_until(lambda: shown and shown[-1].state == DeliveryState.PAUSED and shown[-1].waiting == 1)
    assert 'does not accept the key' in shown[-1].message and shown[-1].oldest_waiting_at.sec
    application.key = 's3cret'
    assert (answer := retry(graph)).code == ResultCode.OK and answer.count == 0
    wait_until(lambda: shown[-1].state == DeliveryState.UP and shown[-1].delivered == 1)


def test_an_outage_is_shown_but_not_more_often_than_once_a_second(graph, station, indicator, application):
    shown = graph.collect(DeliveryState, 'weighing/delivery', latched())
    application.mood = lambda: 500
    indicator().send(*[f'1,{n}.0 kg' for n in range(1, 60)])
    wait_until(lambda: shown and shown[-1].state == DeliveryState.RETRYING and shown[-1].waiting == 59)
    stamps = [message.stamp.sec + message.stamp.nanosec / 1e9 for message in shown]
    # Over the whole time: after a pause of the machine two messages may follow each other closely.
    assert len(stamps) <= stamps[-1] - stamps[0] + 2


@pytest.mark.parametrize(('mood', 'status'), [(200, 200), (500, 500), ('drop', 0), ('slow', 0), (302, 302)])
def test_the_poster_never_raises(application, mood, status):
    application.mood = lambda: mood
    answer = HttpPoster(application.url, timeout=0.3).post(ITEM, 's3cret')
    assert answer.status == status and bool(answer.error) == (status == 0)


def test_an_unreachable_web_application_is_no_connection():
    assert HttpPoster('http://127.0.0.1:1/x').post(ITEM, 'k').error == 'no connection'


@pytest.mark.parametrize('kills', [2, pytest.param(100 if FULL else 15, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_killed_at_random_moments_every_bag_arrives_once_and_in_order(database_url, engine, application, kills):
    luck = random.Random(kills)
    application.key = 'key'
    application.mood = lambda: luck.choice([200, 200, 200, 200, 500, 'drop', 200, 200])
    with starting(database_url, application.url) as start:
        for _ in range(kills):
            process, before = start(), len(application.requests)
            more = luck.randint(0, 20)
            wait_until(lambda: len(application.requests) >= before + more, 60)  # noqa: B023
            os.kill(process, signal.SIGKILL)
        application.mood = lambda: 200
        process, before = start(), len(application.requests)
        wait_until(lambda: len(application.requests) > before + 5, 60)
        os.kill(process, signal.SIGKILL)
    _finish(engine, application.url)
    with Session(engine) as session:
        readings = list(
            session.execute(select(WeightReadingRow.reading_id, WeightReadingRow.scale_id).order_by(WeightReadingRow.sequence))
        )
    for scale, station in (('1', 'A'), ('2', 'B')):
        weighed = [reading for reading, of in readings if of == scale]
        assert weighed and [key for key, fields in application.bags.items() if fields['station'] == station] == weighed
    with engine.connect() as connection:
        assert sum(last_sequences(connection).values()) == len(readings) == len(application.bags)


@contextlib.contextmanager
def starting(database_url, url):
    """Give what starts a station, once the last one has ended, and returns its process id when it is ready."""
    command = [sys.executable, str(Path(__file__).with_name('killed_station.py')), database_url, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:

        def start():
            running.stdin.write('start\n')
            running.stdin.flush()
            return int(running.stdout.readline())

        try:
            yield start
        finally:
            os.killpg(running.pid, signal.SIGKILL)  # with the station of a test that failed


def _finish(engine, url):
    """Work off what is left, in this process."""
    from cell_weighing.delivery.sender import IDLE, DeliveryContext, StationQueue
    from cell_weighing.domain.station_map import StationMap
    from cell_weighing.station.store import WeighStore

    WeighStore(engine, StationMap({'1': 'A', '2': 'B'}), time.time_ns, deliver=True).catch_up()
    context = DeliveryContext(Outbox(engine), url, HttpPoster(url).post, lambda: 'key', time.time_ns, random.random)
    for station in 'AB':
        queue = StationQueue(station, context)
        while queue.step() != IDLE:
            pass
