import pytest
from cell_web.socketio_gateway.cell_link import CellResult, JobRefusal
from cell_web.socketio_gateway.hub_server import HubServer
from cell_web.socketio_gateway.server import SocketIoSettings

STOCK = {'EM1-2U1': {1: 2, 4: 7}}
MAPPING = {'EM1-2U1': [2, 0, 0, 7]}


@pytest.fixture
def client(hub, connect):
    return connect(hub.server.port)


def test_a_backend_gets_the_stock_as_a_mapping_when_it_connects_and_on_change(hub, background, connect):
    background.run(hub.on_stock(STOCK), 30.0)
    peer = connect(hub.server.port)
    assert peer.wait('update_inventory') == MAPPING
    background.run(hub.on_stock(STOCK), 30.0)
    background.run(hub.on_stock({'EM1-2U1': {1: 1}}), 30.0)
    assert peer.wait('update_inventory', 2) == {'EM1-2U1': [1, 0, 0, 0]}
    assert len(peer.all('update_inventory')) == 2


@pytest.mark.parametrize(
    ('payload', 'event', 'acknowledged'),
    [
        ({'trigger': 'D', 'event': 'program_started', 'part_number': ''}, 'START_PROGRAM', 'program_started'),
        ({'trigger': 'D', 'event': 'START_PROGRAM'}, 'START_PROGRAM', 'START_PROGRAM'),
        ({'trigger': 'D', 'event': 'program_started', 'part_number': 'EM1-2U1'}, 'START_PROGRAM', 'program_started'),
        ({'trigger': 'D', 'event': 'START_PROGRAM', 'part_number': '—'}, 'START_PROGRAM', 'START_PROGRAM'),
        ({'trigger': 'F', 'event': 'PART_EM1-2U1', 'part_number': 'EM1-2U1'}, 'PART_EM1-2U1', 'PART_EM1-2U1'),
        ({'trigger': 'F'}, 'PART_EM1-2U1', 'PART_EM1-2U1'),
    ],
)
def test_a_letter_becomes_a_trigger_and_is_acknowledged_by_its_event(client, link, payload, event, acknowledged):
    client.send('send_trigger', payload)
    assert client.wait('ack') == {'event': acknowledged}
    assert link.commands == [('trigger', event)]


def test_the_acknowledgement_is_sent_when_the_robot_acknowledges_not_when_it_ends(client, link):
    link.may_answer.clear()
    client.send('send_trigger', {'trigger': 'F', 'event': 'PART_EM1-2U1', 'part_number': 'EM1-2U1'})
    assert client.wait('ack') == {'event': 'PART_EM1-2U1'}
    link.may_answer.set()


def test_only_the_sender_gets_the_acknowledgement(hub, client, connect):
    other = connect(hub.server.port)
    client.send('send_trigger', {'trigger': 'D'})
    client.wait('ack')
    other.send('get_inventory')
    other.wait('status')
    assert other.all('ack') == []


def test_a_trigger_that_was_not_carried_through_gets_a_status_and_no_acknowledgement(client, link):
    link.acknowledge, link.result = False, CellResult(False, 'START_PROGRAM: no robot program is connected')
    client.send('send_trigger', {'trigger': 'D'})
    assert 'no robot program is connected' in client.wait('status')['msg']
    assert client.all('ack') == []


@pytest.mark.parametrize(
    ('payload', 'message'),
    [
        ({'trigger': 'P'}, 'letter P is refused'),
        ({'trigger': 'Z', 'event': 'PART_X'}, 'letter Z is refused'),
        ({'trigger': 'G', 'part_number': 'EM1-2U1'}, 'its letter is F'),
        ({'trigger': 'G', 'event': 'PART_EM1-2U1', 'part_number': ''}, 'its letter is F'),
        ({'trigger': 'F', 'event': 'program_started'}, 'not program_started'),
        ({'trigger': 'DD'}, 'must be one letter'),
        (None, 'expected {trigger, event, part_number}'),
    ],
)
def test_a_letter_that_is_not_allowed_moves_nothing(client, link, payload, message):
    client.send('send_trigger', payload)
    assert message in client.wait('status')['msg']
    assert link.commands == []


def test_a_job_is_set_and_a_reset_is_answered_with_the_stock(hub, background, client, link):
    background.run(hub.on_stock(STOCK), 30.0)
    client.send('set_job', {'part_number': 'EM1-2U1', 'quantity': 1})
    client.wait('status')
    client.send('reset_inventory')
    client.wait('update_inventory', 2)
    assert link.commands == [('set_job', 'EM1-2U1', 1), ('reset_stock', 'hub 127.0.0.1')]


def test_a_backend_may_reset_and_trigger_as_soon_as_it_is_connected(serve, link, connect):
    client = connect(serve(HubServer(SocketIoSettings('127.0.0.1', 0, replay_s=60.0), link, {}).server).port)
    client.send('reset_inventory')
    client.send('send_trigger', {'trigger': 'D'})
    client.wait('ack')
    assert link.commands == [('reset_stock', 'hub 127.0.0.1'), ('trigger', 'START_PROGRAM')]


def test_refused_jobs_and_empty_trays_are_relayed(hub, background, client):
    background.run(hub.on_job_refused(JobRefusal('A', 5, 1)), 30.0)
    background.run(hub.on_reload('A'), 30.0)
    assert client.wait('job_invalid') == {'part_number': 'A', 'requested': 5, 'available': 1}
    assert client.wait('reload_required') == {'part': 'A'}
