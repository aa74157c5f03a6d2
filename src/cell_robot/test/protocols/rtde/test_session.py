"""RTDE handshake and data."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest
from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import MessageLevel, PacketType
from cell_robot.protocols.rtde.framing import RtdeError, encode_packet
from cell_robot.protocols.rtde.session import HandshakeStage, ReceiveSession

NAMES = ('timestamp', 'actual_q', 'robot_mode', 'robot_status_bits')
TYPE_LIST = b'DOUBLE,VECTOR6D,INT32,UINT32'
PACKAGE = b'\x01' + struct.pack('>d6diI', 41.5, 0.0, -1.5, -1.5, -1.5, 1.5, 0.0, 7, 3)
VALUES = {'timestamp': 41.5, 'actual_q': (0.0, -1.5, -1.5, -1.5, 1.5, 0.0), 'robot_mode': 7, 'robot_status_bits': 3}


def text_frame(text=b'overload', source=b'RTDE', level=MessageLevel.WARNING):
    return encode_packet(PacketType.TEXT, bytes([len(text)]) + text + bytes([len(source)]) + source + bytes([level]))


def handshake(until=HandshakeStage.RUNNING):
    """Return a session that has come so far."""
    session = ReceiveSession(125.0, NAMES)
    assert session.hello() == codec.version_request()
    answers = [
        encode_packet(PacketType.VERSION, b'\x01'),
        encode_packet(PacketType.CONTROLLER_VERSION, struct.pack('>IIII', 5, 11, 1, 108318)),
        encode_packet(PacketType.OUTPUTS, b'\x01' + TYPE_LIST),
        encode_packet(PacketType.START, b'\x01'),
    ]
    asked = [codec.controller_version_request(), codec.outputs_request(125.0, NAMES), codec.start_request(), b'']
    for answer, expected in zip(answers, asked, strict=True):
        if session.stage is until:
            break
        assert session.feed(answer).send == expected
    return session


def test_the_handshake_ends_in_data():
    session = handshake()
    assert session.version == (5, 11, 1, 108318)
    received = session.feed(encode_packet(PacketType.DATA, PACKAGE) * 3 + text_frame())
    assert received.packages == [VALUES] * 3
    assert [text.text for text in received.texts] == ['overload']


def test_data_may_come_together_with_the_answer_to_start():
    session = handshake(until=HandshakeStage.START)
    received = session.feed(encode_packet(PacketType.START, b'\x01') + encode_packet(PacketType.DATA, PACKAGE))
    assert received.packages == [VALUES]


@pytest.mark.parametrize(
    ('until', 'answer', 'words'),
    [
        (HandshakeStage.VERSION, encode_packet(PacketType.VERSION, b'\x00'), 'too old'),
        (HandshakeStage.VERSION, encode_packet(PacketType.VERSION, b''), 'bytes long'),
        (HandshakeStage.VERSION, encode_packet(PacketType.START, b'\x01'), 'kind 83'),
        (HandshakeStage.VERSION, encode_packet(PacketType.DATA, PACKAGE), 'kind 85'),
        (HandshakeStage.CONTROLLER_VERSION, encode_packet(PacketType.CONTROLLER_VERSION, b'\x00'), 'version is 1'),
        (HandshakeStage.OUTPUTS, encode_packet(PacketType.OUTPUTS, b'\x00DOUBLE,IN_USE,INT32,UINT32'), 'another client'),
        (HandshakeStage.START, encode_packet(PacketType.START, b'\x00'), 'start the data'),
        (HandshakeStage.RUNNING, encode_packet(PacketType.DATA, PACKAGE[:-1]), 'not of recipe'),
    ],
)
def test_a_refusal_at_any_stage_ends_the_connection_with_its_reason(until, answer, words):
    session = handshake(until)
    with pytest.raises(RtdeError, match=words):
        session.feed(answer)


def test_random_bytes_end_in_an_error_or_in_nothing():
    rng = random.Random(11)
    for _ in range(300):
        session = handshake(rng.choice(list(HandshakeStage)))
        with contextlib.suppress(RtdeError):
            assert session.feed(rng.randbytes(rng.randrange(400))).packages == []


def with_optional(answer):
    """Return a session that asked for an unknown optional variable, and its reply to `answer`."""
    session = ReceiveSession(125.0, NAMES, ('tcp_offset',))
    session.feed(encode_packet(PacketType.VERSION, b'\x01'))
    session.feed(encode_packet(PacketType.CONTROLLER_VERSION, struct.pack('>IIII', 3, 15, 8, 106339)))
    return session, session.feed(encode_packet(PacketType.OUTPUTS, answer)).send


def test_an_optional_variable_that_the_firmware_does_not_know_is_left_out():
    session, asked = with_optional(b'\x00' + TYPE_LIST.rstrip(b',') + b',NOT_FOUND')
    assert asked == codec.outputs_request(125.0, NAMES)
    assert session.feed(encode_packet(PacketType.OUTPUTS, b'\x01' + TYPE_LIST)).send == codec.start_request()


def test_a_needed_variable_that_the_firmware_does_not_know_is_named_with_the_software():
    with pytest.raises(RtdeError, match=r'PolyScope 3\.15\.8.*actual_q'):
        with_optional(b'\x00DOUBLE,NOT_FOUND,INT32,UINT32,VECTOR6D')


def test_a_rate_that_the_controller_refuses_is_reported():
    with pytest.raises(RtdeError, match='receive_frequency'):
        with_optional(b'\x00' + TYPE_LIST.rstrip(b',') + b',VECTOR6D')


def test_unknown_packets_and_texts_of_another_layout_are_skipped():
    session = handshake()
    received = session.feed(
        encode_packet(99, b'new') + encode_packet(PacketType.TEXT, b'\xff') + encode_packet(PacketType.DATA, PACKAGE)
    )
    assert received.packages == [VALUES]
