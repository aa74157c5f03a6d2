"""Commands of one client are executed in their order; a motion runs beside those that follow it."""

import pytest
from cell_common.testing import wait_until
from cell_web.socketio_gateway.cell_link import CellResult

JOB = {'part_number': 'EM1-2U1', 'quantity': 2}
OLD, NEW = {'EM1-2U1': {1: 2}}, {'EM1-2U1': {1: 24}}


def test_a_start_waits_for_the_job_that_was_set_before_it(page, connect, link):
    client = connect(page.server.port)
    link.may_answer.clear()
    client.send('set_job', JOB)
    client.send('start_robot')
    client.send('start_camera')
    client.send('ping_test', {'msg': 'x'})
    client.wait('pong_test')
    assert link.commands == [('set_job', 'EM1-2U1', 2)]
    link.may_answer.set()
    client.wait('status', 3)
    assert link.commands == [('set_job', 'EM1-2U1', 2), ('start', False), ('set_camera', True)]


@pytest.mark.parametrize(
    ('event', 'payload', 'command'),
    [
        ('start_robot', None, ('start', False)),
        ('set_benchmark', {'part_number': 'EM1-2U1'}, ('set_benchmark', 'EM1-2U1')),
        ('capture_component', None, ('capture',)),
    ],
)
def test_a_stop_does_not_wait_for_a_motion(page, connect, link, event, payload, command):
    client = connect(page.server.port)
    link.may_answer.clear()
    client.send(event, payload)
    client.send('stop_camera')
    wait_until(lambda: link.commands == [command, ('set_camera', False)], 5.0, 'both commands under way')
    link.may_answer.set()
    client.wait('status', 2)


def test_a_second_letter_reaches_the_robot_node_while_the_first_moves(hub, connect, link):
    client = connect(hub.server.port)
    link.may_answer.clear()
    for _ in range(2):
        client.send('send_trigger', {'trigger': 'F'})
    client.send('get_inventory')
    client.wait('ack', 2)
    link.may_answer.set()


def test_a_command_that_fails_does_not_hold_the_next_ones(page, connect, link):
    client = connect(page.server.port)
    client.send('set_job', {})
    client.send('set_benchmark', {})
    client.send('set_job', JOB)
    client.wait('status', 3)
    assert link.commands == [('set_job', 'EM1-2U1', 2)]


def test_two_clients_do_not_wait_for_each_other(page, connect, link):
    first, second = connect(page.server.port), connect(page.server.port)
    link.may_answer.clear()
    first.send('set_job', JOB)
    second.send('start_camera')
    wait_until(lambda: len(link.commands) == 2, 5.0, 'both commands')
    link.may_answer.set()


def test_the_counts_after_a_reset_are_those_of_its_answer(page, background, connect, link):
    background.run(page.on_stock(OLD), 30.0)
    client = connect(page.server.port)
    client.wait('update_inventory')
    link.result = CellResult(True, 'reset', NEW)
    client.send('reset_inventory')
    assert client.wait('update_inventory', 2)['inventory'][0]['tray1'] == 24
    background.run(page.on_stock(NEW), 30.0)  # the event of the same change
    client.send('ping_test')
    client.wait('pong_test')
    assert len(client.all('update_inventory')) == 2


@pytest.mark.parametrize('result', [CellResult(True, 'nothing to do', OLD), CellResult(False, 'no answer')])
def test_a_reset_that_changes_nothing_is_answered_with_the_stock(page, background, connect, link, result):
    background.run(page.on_stock(OLD), 30.0)
    client = connect(page.server.port)
    client.wait('update_inventory')
    link.result = result
    client.send('reset_inventory', 5)  # an event without fields ignores its payload
    assert client.wait('update_inventory', 2)['inventory'][0]['tray1'] == 2


@pytest.mark.parametrize('event', ['set_job', 'submitPartRequest', 'start_robot'])
def test_a_quantity_out_of_range_is_an_invalid_job(page, background, connect, link, event):
    background.run(page.on_stock(OLD), 30.0)
    client, other = connect(page.server.port), connect(page.server.port)
    client.send(event, {'part_number': 'EM1-2U1', 'quantity': 0})
    assert client.wait('job_invalid') == {'part_number': 'EM1-2U1', 'requested': 0, 'available': 2}
    assert 'quantity must be 1 to 1000000, not 0' in client.wait('status')['msg']
    other.send('ping_test')
    other.wait('pong_test')
    assert link.commands == [] and other.all('job_invalid') == []
