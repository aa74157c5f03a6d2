import base64

import pytest
from cell_common.testing import wait_until
from cell_web.socketio_gateway.cell_link import CaptureEvent, CellResult, JobRefusal

STOCK = {'EM1-2U1': {1: 2, 2: 0, 3: 1, 4: 7}}
LIST = {'inventory': [{'part_number': 'EM1-2U1', 'tray1': 2, 'tray2': 0, 'tray3': 1, 'tray4': 7}]}


@pytest.fixture
def client(page, connect):
    return connect(page.server.port)


def test_a_ping_is_answered_with_its_message(client):
    client.send('ping_test', {'msg': 'hello'})
    assert client.wait('pong_test') == {'msg': 'hello'}


def test_a_page_gets_the_last_known_stock_when_it_connects(page, background, connect):
    background.run(page.on_stock(STOCK), 30.0)
    assert connect(page.server.port).wait('update_inventory') == LIST


def test_a_page_that_reloads_gets_the_stock_again(page, background, connect):
    background.run(page.on_stock(STOCK), 30.0)
    for _ in range(3):
        peer = connect(page.server.port)
        assert peer.wait('update_inventory') == LIST
        peer.sio.disconnect()


def test_the_stock_is_sent_on_request(page, background, client):
    background.run(page.on_stock(STOCK), 30.0)
    client.send('get_inventory')
    assert client.wait('update_inventory', 2) == LIST


def test_an_unknown_stock_is_reported_on_request(client):
    client.send('get_inventory')
    assert 'not known yet' in client.wait('status')['msg']


def test_an_unchanged_stock_is_not_sent_again(page, background, client):
    for _ in range(3):
        background.run(page.on_stock(STOCK), 30.0)
    background.run(page.on_stock({'EM1-2U1': {1: 1}}), 30.0)
    client.wait('update_inventory', 2)
    assert len(client.all('update_inventory')) == 2


@pytest.mark.parametrize('event', ['set_job', 'submitPartRequest'])
def test_a_job_is_set(client, link, event):
    client.send(event, {'part_number': 'EM1-2U1', 'quantity': 3})
    assert client.wait('status') == {'msg': 'done as asked'}
    assert link.commands == [('set_job', 'EM1-2U1', 3)]


def test_a_refused_job_is_sent_to_every_page(page, background, connect):
    peers = [connect(page.server.port) for _ in range(2)]
    background.run(page.on_job_refused(JobRefusal('EM1-2U1', 99, 10)), 30.0)
    for peer in peers:
        assert peer.wait('job_invalid') == {'part_number': 'EM1-2U1', 'requested': 99, 'available': 10}


def test_the_program_is_started(client, link):
    client.send('start_robot')
    client.wait('status')
    assert link.commands == [('start', False)]


def test_a_start_with_a_part_sets_the_job_first(client, link):
    client.send('start_robot', {'part_number': 'EM1-2U1', 'quantity': 2})
    client.wait('status')
    assert link.commands == [('set_job', 'EM1-2U1', 2), ('start', True)]


def test_nothing_starts_when_its_job_is_refused(client, link):
    link.result = CellResult(False, 'only 1 in the trays')
    client.send('start_robot', {'part_number': 'EM1-2U1', 'quantity': 2})
    assert client.wait('status') == {'msg': 'only 1 in the trays'}
    assert link.commands == [('set_job', 'EM1-2U1', 2)]


def test_a_reset_is_followed_by_the_stock(page, background, client, link):
    background.run(page.on_stock(STOCK), 30.0)
    client.send('reset_inventory')
    assert client.wait('update_inventory', 2) == LIST
    assert link.commands == [('reset_stock', 'page 127.0.0.1')]


def test_the_camera_is_started_and_stopped(client, link):
    client.send('start_camera')
    client.wait('status')
    client.send('stop_camera')
    client.wait('status', 2)
    assert link.commands == [('set_camera', True), ('set_camera', False)]


def test_video_is_sent_until_the_page_stops_it(page, background, client):
    client.send('ping_test')
    client.wait('pong_test')
    background.run(page.on_frame(b'jpeg'), 30.0)
    assert base64.b64decode(client.wait('video_frame')['frame']) == b'jpeg'
    client.send('stop_camera')
    client.wait('status')
    background.run(page.on_frame(b'jpeg'), 30.0)
    client.send('ping_test')
    client.wait('pong_test', 2)
    assert len(client.all('video_frame')) == 1


def test_the_camera_is_watched_only_while_a_page_wants_video(page, background, connect, link):
    peer = connect(page.server.port)
    wait_until(lambda: link.watching is True, 5.0, 'the camera watched')
    peer.sio.disconnect()
    wait_until(lambda: not page.server.clients, 5.0, 'the page gone')
    background.run(page.on_frame(b'jpeg'), 30.0)
    assert link.watching is False


def test_a_benchmark_is_set_and_sent_to_every_page(page, background, client, link, connect):
    other = connect(page.server.port)
    client.send('set_benchmark', {'part_number': 'EM1-2U1'})
    client.wait('status')
    assert link.commands == [('set_benchmark', 'EM1-2U1')]
    background.run(page.on_benchmark('EM1-2U1', ('EM1-2U1', 'OMRON'), b'jpeg'), 30.0)
    expected = {'image': base64.b64encode(b'jpeg').decode(), 'part_number': 'EM1-2U1', 'texts': ['EM1-2U1', 'OMRON']}
    assert client.wait('benchmark_set') == other.wait('benchmark_set') == expected


def test_a_capture_runs_in_the_background_and_the_page_stays_responsive(page, background, client, link):
    link.may_answer.clear()
    client.send('capture_component')
    wait_until(lambda: link.commands == [('capture',)], 5.0, 'the capture begun')
    client.send('ping_test', {'msg': 'x'})
    client.wait('pong_test')
    link.may_answer.set()
    background.run(page.on_capture(CaptureEvent(('EM1-2U1',), True, 0.98765, b'jpeg')), 30.0)
    image = base64.b64encode(b'jpeg').decode()
    assert client.wait('component_captured') == {'image': image, 'texts': ['EM1-2U1'], 'match': True, 'score': 0.9877}


def test_reload_required_is_relayed_to_every_page(page, client, connect):
    other = connect(page.server.port)
    client.send('reload_required', {'part': 'EM1-2U1'})
    assert client.wait('reload_required') == other.wait('reload_required') == {'part': 'EM1-2U1'}


@pytest.mark.parametrize(
    ('event', 'payload', 'message'),
    [
        ('set_job', None, 'set_job: expected {part_number, quantity}, not null'),
        ('set_job', {'part_number': 'A'}, 'quantity is missing'),
        ('submitPartRequest', {'part_number': 'A', 'quantity': 'x'}, 'whole number'),
        ('start_robot', {'part_number': 'A'}, 'quantity is missing'),
        ('set_benchmark', {}, 'part_number is missing'),
        ('reload_required', 'A', 'expected {part}'),
        ('ping_test', 5, 'expected {msg}'),
        ('open_door', {}, "event 'open_door' is not known here; known events: capture_component, "),
        ('set_job', {'part_number': 'A' * 100_000, 'quantity': 1}, 'has 100000 characters'),
    ],
)
def test_a_wrong_payload_gets_a_status_that_names_it(client, link, event, payload, message):
    client.send(event, payload)
    assert message in client.wait('status')['msg']
    assert link.commands == []
