"""RTDE frames, recipes and the handshake, byte by byte."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest
from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import TYPES, Kind, Level, Recipe
from cell_robot.protocols.rtde.framing import FrameSplitter, RtdeError, frame
from cell_robot.protocols.rtde.session import ReceiveSession, Stage

NAMES = ('timestamp', 'actual_q', 'robot_mode', 'robot_status_bits')
TYPE_LIST = b'DOUBLE,VECTOR6D,INT32,UINT32'
PACKAGE = b'\x01' + struct.pack('>d6diI', 41.5, 0.0, -1.5, -1.5, -1.5, 1.5, 0.0, 7, 3)
VALUES = {'timestamp': 41.5, 'actual_q': (0.0, -1.5, -1.5, -1.5, 1.5, 0.0), 'robot_mode': 7, 'robot_status_bits': 3}


def text_frame(text=b'overload', source=b'RTDE', level=Level.WARNING):
    return frame(Kind.TEXT, bytes([len(text)]) + text + bytes([len(source)]) + source + bytes([level]))


def test_requests_have_the_bytes_of_the_guide():
    assert codec.ask_version() == b'\x00\x05V\x00\x02'
    assert codec.ask_controller_version() == b'\x00\x03v'
    assert codec.ask_start() == b'\x00\x03S' and codec.ask_pause() == b'\x00\x03P'
    assert codec.ask_outputs(125.0, ['timestamp']) == b'\x00\x14O' + struct.pack('>d', 125.0) + b'timestamp'
    assert codec.ask_inputs(['speed_slider_mask', 'speed_slider_fraction'])[2:] == b'Ispeed_slider_mask,speed_slider_fraction'


def test_frames_are_cut_wherever_the_bytes_were_split():
    stream = frame(Kind.DATA, PACKAGE) + text_frame() + frame(Kind.START, b'\x01')
    for size in (1, 2, 3, 7, len(stream)):
        splitter = FrameSplitter()
        frames = [found for at in range(0, len(stream), size) for found in splitter.feed(stream[at : at + size])]
        assert [found.kind for found in frames] == [Kind.DATA, Kind.TEXT, Kind.START]
        assert frames[0].payload == PACKAGE


@pytest.mark.parametrize('start', [b'\x00\x00V', b'\x00\x02V\x00'])
def test_a_size_that_makes_no_sense_is_an_error(start):
    with pytest.raises(RtdeError, match='no RTDE server'):
        FrameSplitter().feed(start)


def test_a_flood_never_makes_the_splitter_keep_more_than_a_frame():
    splitter = FrameSplitter()
    for _ in range(200):
        splitter.feed(b'\xff\xff' + b'x' * 65_533 + b'\xff\xff')
        splitter.feed(b'x' * 65_533)
        assert len(splitter._rest) <= 65_535


def test_a_frame_that_is_too_long_is_not_made():
    with pytest.raises(RtdeError):
        frame(Kind.DATA, bytes(70_000))


def test_a_package_is_read_and_written_by_its_recipe():
    recipe = codec.recipe(b'\x01' + TYPE_LIST, NAMES)
    assert recipe.unpack(PACKAGE) == VALUES
    assert recipe.pack(VALUES) == frame(Kind.DATA, PACKAGE)


def test_every_type_survives_the_way_there_and_back():
    recipe = Recipe(9, tuple(f'v{number}' for number in range(len(TYPES))), tuple(TYPES))
    values = {
        name: (1 if count == 1 else tuple(range(count))) for name, (_, count) in zip(recipe.names, TYPES.values(), strict=True)
    }
    assert recipe.unpack(recipe.pack(values)[3:]) == values


@pytest.mark.parametrize('payload', [b'', PACKAGE[:-1], PACKAGE + b'\x00', b'\x02' + PACKAGE[1:]])
def test_a_package_of_another_recipe_is_refused(payload):
    with pytest.raises(RtdeError):
        codec.recipe(b'\x01' + TYPE_LIST, NAMES).unpack(payload)


@pytest.mark.parametrize(
    'values', [{}, {**VALUES, 'robot_mode': 2**40}, {**VALUES, 'actual_q': (0.0,)}, {**VALUES, 'timestamp': 'x'}]
)
def test_values_that_do_not_fit_are_refused(values):
    with pytest.raises(RtdeError):
        codec.recipe(b'\x01' + TYPE_LIST, NAMES).pack(values)


@pytest.mark.parametrize(
    ('payload', 'words'),
    [
        (b'\x00DOUBLE,NOT_FOUND,INT32,UINT32', 'actual_q: the controller does not know it'),
        (b'\x00DOUBLE,IN_USE,INT32,IN_USE', 'actual_q: another client owns it; robot_status_bits: another client owns it'),
        (b'\x00' + TYPE_LIST, 'refused the list'),
        (b'\x01DOUBLE', '1 types to 4'),
        (b'\x01DOUBLE,FLOAT128,INT32,UINT32', 'FLOAT128'),
        (b'', 'empty'),
    ],
)
def test_a_refused_list_names_the_variables_and_why(payload, words):
    with pytest.raises(RtdeError, match=words):
        codec.recipe(payload, NAMES)


@pytest.mark.parametrize('names', [[], ['x' * 3000]])
def test_a_list_of_names_that_cannot_be_sent_is_refused(names):
    with pytest.raises(RtdeError):
        codec.ask_inputs(names)


def test_text_messages_are_read():
    message = codec.text(text_frame()[3:])
    assert (message.text, message.source, message.level) == ('overload', 'RTDE', Level.WARNING)


@pytest.mark.parametrize('payload', [b'', b'\x05abc', b'\x01a', b'\x01a\x01b', b'\x01a\x01b\x02\x02'])
def test_text_messages_that_are_cut_off_are_refused(payload):
    with pytest.raises(RtdeError):
        codec.text(payload)


def handshake(until=Stage.RUNNING):
    """Return a session that has come so far."""
    session = ReceiveSession(125.0, NAMES)
    assert session.begin() == codec.ask_version()
    answers = [
        frame(Kind.VERSION, b'\x01'),
        frame(Kind.CONTROLLER_VERSION, struct.pack('>IIII', 5, 11, 1, 108318)),
        frame(Kind.OUTPUTS, b'\x01' + TYPE_LIST),
        frame(Kind.START, b'\x01'),
    ]
    asked = [codec.ask_controller_version(), codec.ask_outputs(125.0, NAMES), codec.ask_start(), b'']
    for answer, expected in zip(answers, asked, strict=True):
        if session.stage is until:
            break
        assert session.feed(answer).send == expected
    return session


def test_the_handshake_ends_in_data():
    session = handshake()
    assert session.version == (5, 11, 1, 108318)
    received = session.feed(frame(Kind.DATA, PACKAGE) * 3 + text_frame())
    assert received.packages == [VALUES] * 3
    assert [text.text for text in received.texts] == ['overload']


def test_data_may_come_together_with_the_answer_to_start():
    session = handshake(until=Stage.START)
    received = session.feed(frame(Kind.START, b'\x01') + frame(Kind.DATA, PACKAGE))
    assert received.packages == [VALUES]


@pytest.mark.parametrize(
    ('until', 'answer', 'words'),
    [
        (Stage.VERSION, frame(Kind.VERSION, b'\x00'), 'too old'),
        (Stage.VERSION, frame(Kind.VERSION, b''), 'bytes long'),
        (Stage.VERSION, frame(Kind.START, b'\x01'), 'kind 83'),
        (Stage.VERSION, frame(Kind.DATA, PACKAGE), 'kind 85'),
        (Stage.CONTROLLER_VERSION, frame(Kind.CONTROLLER_VERSION, b'\x00'), 'version is 1'),
        (Stage.OUTPUTS, frame(Kind.OUTPUTS, b'\x00DOUBLE,IN_USE,INT32,UINT32'), 'another client'),
        (Stage.START, frame(Kind.START, b'\x00'), 'start the data'),
        (Stage.RUNNING, frame(Kind.DATA, PACKAGE[:-1]), 'not of recipe'),
    ],
)
def test_a_refusal_at_any_stage_ends_the_connection_with_its_reason(until, answer, words):
    session = handshake(until)
    with pytest.raises(RtdeError, match=words):
        session.feed(answer)


def test_random_bytes_end_in_an_error_or_in_nothing():
    chance = random.Random(11)
    for _ in range(300):
        session = handshake(chance.choice(list(Stage)))
        with contextlib.suppress(RtdeError):
            assert session.feed(chance.randbytes(chance.randrange(400))).packages == []
