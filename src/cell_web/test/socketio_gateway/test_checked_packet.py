import pytest
from cell_web.socketio_gateway.checked_packet import LARGEST_EVENT, UNREADABLE, CheckedPacket
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet


@pytest.mark.parametrize(
    ('text', 'kind', 'data'),
    [
        ('2["set_job",{"quantity":1}]', packet.EVENT, ['set_job', {'quantity': 1}]),
        ('2["get_inventory"]', packet.EVENT, ['get_inventory']),
        ('217["ping_test",null]', packet.EVENT, ['ping_test', None]),
        ('0', packet.CONNECT, None),
        ('0{"token":"x"}', packet.CONNECT, {'token': 'x'}),
        ('1', packet.DISCONNECT, None),
        ('31[]', packet.ACK, []),
    ],
)
def test_a_packet_of_a_client_is_read(text, kind, data):
    read = CheckedPacket(encoded_packet=text)
    assert (read.packet_type, read.data) == (kind, data)


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'invalid literal'),
        ('2', 'begins with its name'),
        ('2[]', 'begins with its name'),
        ('2[5]', 'begins with its name'),
        ('2[{"a":1}]', 'begins with its name'),
        ('2{}', 'begins with its name'),
        ('2"x"', 'begins with its name'),
        ('2["set_job",{"part_nu', ''),
        ('2["x",' + '[' * 200_000, ''),
        ('4{}', 'not one of a client'),
        ('9["x"]', 'not one of a client'),
        ('x', 'invalid literal'),
        ('59-["x",{}]', 'at most 8 attachments'),
        ('599999999999-["x",{}]', 'too many attachments'),
        ('2' + '1' * 200 + '["x"]', 'too long'),
        ('2["set_job","' + 'x' * LARGEST_EVENT + '"]', 'set_job has more than 1 MB'),
        ('2{"a":"' + 'x' * LARGEST_EVENT + '"}', 'an event has more than 1 MB'),
        (b'\x00\x01', 'binary data without an event'),
        (b'2["x"]', 'binary data without an event'),
        (b'', 'invalid literal'),
    ],
)
def test_a_broken_packet_becomes_an_event_that_names_the_reason(text, reason):
    read = CheckedPacket(encoded_packet=text)
    assert read.packet_type == packet.EVENT and read.attachment_count == 0
    assert read.data[0] == UNREADABLE and reason in read.data[1] and len(read.data[1]) <= 100


@pytest.mark.parametrize('placeholder', ['{"_placeholder":true,"num":5}', '{"_placeholder":true,"num":"a"}'])
def test_a_placeholder_without_an_attachment_ends_with_its_event(placeholder):
    read = CheckedPacket(encoded_packet=f'51-["x",{placeholder}]')
    assert read.attachment_count == 1
    assert read.add_attachment(b'data') and read.data[0] == UNREADABLE


def test_an_attachment_that_is_too_large_ends_with_its_event():
    read = CheckedPacket(encoded_packet='51-["x",{"_placeholder":true,"num":0}]')
    assert read.add_attachment(bytes(LARGEST_EVENT + 1)) and 'binary part has more than 1 MB' in read.data[1]


def test_attachments_take_their_places():
    read = CheckedPacket(encoded_packet='52-["x",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]')
    assert not read.add_attachment(b'first')
    assert read.add_attachment(b'second') and read.data == ['x', {'a': b'second'}, b'first']


@given(st.one_of(st.text(), st.binary(), st.from_regex(r'\d{0,3}-?(/[a-z]{0,3},)?\d{0,3}[\[{"].*', fullmatch=True)))
def test_any_input_is_a_packet(text):
    read = CheckedPacket(encoded_packet=text)
    assert read.packet_type != packet.EVENT or isinstance(read.data[0], str)
