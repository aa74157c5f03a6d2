"""RTDE requests and answers, byte by byte."""

from __future__ import annotations

import struct

import pytest
from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import TYPES, MessageLevel, PacketType, RtdeRecipe
from cell_robot.protocols.rtde.framing import RtdeError, encode_packet

NAMES = ('timestamp', 'actual_q', 'robot_mode', 'robot_status_bits')
TYPE_LIST = b'DOUBLE,VECTOR6D,INT32,UINT32'
PACKAGE = b'\x01' + struct.pack('>d6diI', 41.5, 0.0, -1.5, -1.5, -1.5, 1.5, 0.0, 7, 3)
VALUES = {'timestamp': 41.5, 'actual_q': (0.0, -1.5, -1.5, -1.5, 1.5, 0.0), 'robot_mode': 7, 'robot_status_bits': 3}


def text_frame(text=b'overload', source=b'RTDE', level=MessageLevel.WARNING):
    return encode_packet(PacketType.TEXT, bytes([len(text)]) + text + bytes([len(source)]) + source + bytes([level]))


def test_requests_have_the_bytes_of_the_guide():
    assert codec.version_request() == b'\x00\x05V\x00\x02'
    assert codec.controller_version_request() == b'\x00\x03v'
    assert codec.start_request() == b'\x00\x03S' and codec.pause_request() == b'\x00\x03P'
    assert codec.outputs_request(125.0, ['timestamp']) == b'\x00\x14O' + struct.pack('>d', 125.0) + b'timestamp'
    assert (
        codec.inputs_request(['speed_slider_mask', 'speed_slider_fraction'])[2:] == b'Ispeed_slider_mask,speed_slider_fraction'
    )


def test_a_package_is_read_and_written_by_its_recipe():
    recipe = codec.parse_rtde_recipe(b'\x01' + TYPE_LIST, NAMES)
    assert recipe.unpack(PACKAGE) == VALUES
    assert recipe.pack(VALUES) == encode_packet(PacketType.DATA, PACKAGE)


def test_every_type_survives_the_way_there_and_back():
    recipe = RtdeRecipe(9, tuple(f'v{number}' for number in range(len(TYPES))), tuple(TYPES))
    values = {
        name: (1 if count == 1 else tuple(range(count))) for name, (_, count) in zip(recipe.names, TYPES.values(), strict=True)
    }
    assert recipe.unpack(recipe.pack(values)[3:]) == values


@pytest.mark.parametrize('payload', [b'', PACKAGE[:-1], PACKAGE + b'\x00', b'\x02' + PACKAGE[1:]])
def test_a_package_of_another_recipe_is_refused(payload):
    with pytest.raises(RtdeError):
        codec.parse_rtde_recipe(b'\x01' + TYPE_LIST, NAMES).unpack(payload)


@pytest.mark.parametrize(
    'values', [{}, {**VALUES, 'robot_mode': 2**40}, {**VALUES, 'actual_q': (0.0,)}, {**VALUES, 'timestamp': 'x'}]
)
def test_values_that_do_not_fit_are_refused(values):
    with pytest.raises(RtdeError):
        codec.parse_rtde_recipe(b'\x01' + TYPE_LIST, NAMES).pack(values)


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
        codec.parse_rtde_recipe(payload, NAMES)


@pytest.mark.parametrize('names', [[], ['x' * 3000]])
def test_a_list_of_names_that_cannot_be_sent_is_refused(names):
    with pytest.raises(RtdeError):
        codec.inputs_request(names)


def test_text_messages_are_read():
    message = codec.parse_text(text_frame()[3:])
    assert (message.text, message.source, message.level) == ('overload', 'RTDE', MessageLevel.WARNING)


@pytest.mark.parametrize('payload', [b'', b'\x05abc', b'\x01a', b'\x01a\x01b', b'\x01a\x01b\x02\x02'])
def test_text_messages_that_are_cut_off_are_refused(payload):
    with pytest.raises(RtdeError):
        codec.parse_text(payload)
