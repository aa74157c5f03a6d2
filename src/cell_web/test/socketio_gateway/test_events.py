import pytest
from cell_web.socketio_gateway.events import (
    LARGEST_REQUESTED,
    PayloadError,
    PickJobRequest,
    QuantityError,
    TriggerRequest,
    parse_job,
    parse_message,
    parse_optional_job,
    parse_part,
    parse_trigger,
    stock_list,
    stock_mapping,
)
from hypothesis import given
from hypothesis import strategies as st

STOCK = {'LY2N-J': {1: 5}, 'EM1-2U1': {1: 2, 2: 0, 4: 7}}


@pytest.mark.parametrize('quantity', [3, '3', ' 3 ', 3.0])
def test_a_job_is_a_part_and_a_quantity(quantity):
    assert parse_job('set_job', {'part_number': ' EM1-2U1 ', 'quantity': quantity}) == PickJobRequest('EM1-2U1', 3)


@pytest.mark.parametrize(
    ('payload', 'message'),
    [
        (None, 'set_job: expected {part_number, quantity}, not null'),
        ('EM1', "not 'EM1'"),
        ([], r'not \[\]'),
        ({}, 'part_number is missing'),
        ({'part_number': '', 'quantity': 1}, 'part_number is empty'),
        ({'part_number': 5, 'quantity': 1}, 'part_number must be a text, not 5'),
        ({'part_number': 'x' * 201, 'quantity': 1}, 'part_number has 201 characters, at most 200'),
        ({'part_number': 'a\nb', 'quantity': 1}, 'control character'),
        ({'part_number': 'a\u200db', 'quantity': 1}, 'a character that cannot be seen'),
        ({'part_number': 'A'}, 'quantity is missing'),
        ({'part_number': 'A', 'quantity': 0}, 'quantity must be 1 to 1000000, not 0'),
        ({'part_number': 'A', 'quantity': -1}, 'not -1'),
        ({'part_number': 'A', 'quantity': 10**400}, 'quantity must be'),
        ({'part_number': 'A', 'quantity': 1.5}, 'whole number, not 1.5'),
        ({'part_number': 'A', 'quantity': float('nan')}, 'whole number, not nan'),
        ({'part_number': 'A', 'quantity': True}, 'must be a whole number, not true'),
        ({'part_number': 'A', 'quantity': 'three'}, "whole number, not 'three'"),
        ({'part_number': 'A', 'quantity': {'a': 'b' * 100}}, r'\.\.\.$'),
    ],
)
def test_a_wrong_job_is_refused_with_its_field(payload, message):
    with pytest.raises(PayloadError, match=message):
        parse_job('set_job', payload)


@pytest.mark.parametrize(
    ('quantity', 'requested'), [(0, 0), (-3, -3), ('-3', -3), (2_000_000, 2_000_000), (10**400, LARGEST_REQUESTED)]
)
def test_a_quantity_that_nobody_can_order_is_refused_with_its_job(quantity, requested):
    with pytest.raises(QuantityError, match='quantity must be 1 to 1000000') as refused:
        parse_job('set_job', {'part_number': 'A', 'quantity': quantity})
    assert (refused.value.part_number, refused.value.requested) == ('A', requested)


@pytest.mark.parametrize('payload', [None, {}, {'part_number': '', 'quantity': ''}, {'part_number': None, 'quantity': None}])
def test_a_start_without_a_part_names_no_job(payload):
    assert parse_optional_job('start_robot', payload) is None


def test_a_start_with_a_part_and_a_quantity_names_a_job():
    assert parse_optional_job('start_robot', {'part_number': 'A', 'quantity': 2}) == PickJobRequest('A', 2)


@pytest.mark.parametrize('payload', [{'part_number': 'A'}, {'quantity': 2}, 'x', 5])
def test_a_start_with_half_a_job_is_refused(payload):
    with pytest.raises(PayloadError, match='start_robot: '):
        parse_optional_job('start_robot', payload)


def test_a_part_may_have_another_field_name():
    assert parse_part('reload_required', {'part': 'A'}, 'part') == 'A'
    with pytest.raises(PayloadError, match='part is missing'):
        parse_part('reload_required', {'part_number': 'A'}, 'part')


@pytest.mark.parametrize(
    ('payload', 'text'),
    [
        (None, ''),
        ({}, ''),
        ({'msg': ''}, ''),
        ({'msg': ' two\nlines '}, ' two\nlines '),
        ({'msg': 'a\tb \U0001f468\u200d\U0001f469'}, 'a\tb \U0001f468\u200d\U0001f469'),
    ],
)
def test_a_message_may_be_missing(payload, text):
    assert parse_message('ping_test', payload) == text


@pytest.mark.parametrize('text', ['\x00', '\x1b[2J', '\x7f', '\ud800'])
def test_a_message_with_a_control_character_is_refused(text):
    with pytest.raises(PayloadError, match='msg has a control character'):
        parse_message('ping_test', {'msg': text})


@pytest.mark.parametrize(
    ('payload', 'request_'),
    [
        ({'trigger': 'D', 'event': 'program_started'}, TriggerRequest('D', 'program_started', '')),
        ({'trigger': 'D'}, TriggerRequest('D', '', '')),
        ({'trigger': 'F', 'event': 'PART_A', 'part_number': 'A'}, TriggerRequest('F', 'PART_A', 'A')),
        ({'trigger': 'F', 'part_number': 'A'}, TriggerRequest('F', '', 'A')),
        ({'trigger': '7', 'part_number': 'A'}, TriggerRequest('7', '', 'A')),
    ],
)
def test_a_trigger_has_a_letter_and_the_event_of_its_acknowledgement(payload, request_):
    assert parse_trigger(payload) == request_


@pytest.mark.parametrize(
    'payload',
    [
        None,
        {},
        {'trigger': ''},
        {'trigger': 'DD'},
        {'trigger': '-'},
        {'trigger': 'Ä'},
        {'trigger': 5},
        {'trigger': 'D', 'event': []},
    ],
)
def test_a_wrong_trigger_is_refused(payload):
    with pytest.raises(PayloadError, match='send_trigger: '):
        parse_trigger(payload)


def test_the_page_gets_the_stock_as_a_list_of_four_trays():
    assert stock_list(STOCK) == {
        'inventory': [
            {'part_number': 'EM1-2U1', 'tray1': 2, 'tray2': 0, 'tray3': 0, 'tray4': 7},
            {'part_number': 'LY2N-J', 'tray1': 5, 'tray2': 0, 'tray3': 0, 'tray4': 0},
        ]
    }


def test_a_hub_client_gets_the_stock_as_a_mapping():
    assert stock_mapping(STOCK) == {'EM1-2U1': [2, 0, 0, 7], 'LY2N-J': [5, 0, 0, 0]}
    assert stock_mapping({}) == {}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda x: (
        st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(['part_number', 'quantity', 'trigger', 'msg']), x, max_size=3)
    ),
)


@given(ANYTHING)
def test_any_payload_is_a_request_or_a_payload_error(payload):
    for parse in (
        lambda p: parse_job('e', p),
        lambda p: parse_optional_job('e', p),
        lambda p: parse_part('e', p),
        lambda p: parse_message('e', p),
        parse_trigger,
    ):
        try:
            parse(payload)
        except PayloadError as error:
            assert len(str(error)) < 200


def test_both_forms_of_the_stock_say_the_same():
    """Port 5001 has a list, port 5002 a mapping, which some pages of port 5001 understand as well."""
    rows = stock_list(STOCK)['inventory']
    assert {row['part_number']: [row[f'tray{tray}'] for tray in (1, 2, 3, 4)] for row in rows} == stock_mapping(STOCK)
