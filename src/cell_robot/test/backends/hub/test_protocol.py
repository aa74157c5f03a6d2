import pytest
from cell_robot.backends.hub.protocol import acknowledged_event, trigger_payload
from cell_robot.backends.trigger import TriggerCommand


@pytest.mark.parametrize(
    ('event', 'letter', 'payload'),
    [
        ('PART_G8NB-17SR', 'F', {'trigger': 'F', 'event': 'PART_G8NB-17SR', 'part_number': 'G8NB-17SR'}),
        ('START_PROGRAM', 'D', {'trigger': 'D', 'event': 'program_started', 'part_number': ''}),
        ('PLACE', 'P', {'trigger': 'P', 'event': 'PLACE', 'part_number': ''}),
    ],
)
def test_a_trigger_is_a_letter_an_event_and_a_part_number(event, letter, payload):
    assert trigger_payload(TriggerCommand('t1', event, 3), letter) == payload


@pytest.mark.parametrize(
    ('payload', 'event'),
    [
        ({'event': 'PLACE'}, 'PLACE'),
        ({'event': 'PART_EM1-2U1', 'more': 1}, 'PART_EM1-2U1'),
        ({'event': 'program_started'}, 'START_PROGRAM'),
        ({'event': 'START_PROGRAM'}, 'START_PROGRAM'),
    ],
)
def test_an_ack_names_its_event(payload, event):
    assert acknowledged_event(payload) == event


@pytest.mark.parametrize(
    'payload',
    [None, 'PLACE', ['PLACE'], {}, {'event': None}, {'event': 3}, {'event': ''}, {'event': 'x' * 201}, {'event': 'A\nB'}],
)
def test_other_payloads_are_no_ack(payload):
    assert acknowledged_event(payload) is None
