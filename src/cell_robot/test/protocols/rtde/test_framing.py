"""RTDE packets from a byte stream."""

from __future__ import annotations

import struct

import pytest
from cell_robot.protocols.rtde.codec import MessageLevel, PacketType
from cell_robot.protocols.rtde.framing import PacketSplitter, RtdeError, encode_packet

PACKAGE = b'\x01' + struct.pack('>d6diI', 41.5, 0.0, -1.5, -1.5, -1.5, 1.5, 0.0, 7, 3)


def text_frame(text=b'overload', source=b'RTDE', level=MessageLevel.WARNING):
    return encode_packet(PacketType.TEXT, bytes([len(text)]) + text + bytes([len(source)]) + source + bytes([level]))


def test_frames_are_cut_wherever_the_bytes_were_split():
    stream = encode_packet(PacketType.DATA, PACKAGE) + text_frame() + encode_packet(PacketType.START, b'\x01')
    for size in (1, 2, 3, 7, len(stream)):
        splitter = PacketSplitter()
        frames = [found for at in range(0, len(stream), size) for found in splitter.feed(stream[at : at + size])]
        assert [found.kind for found in frames] == [PacketType.DATA, PacketType.TEXT, PacketType.START]
        assert frames[0].payload == PACKAGE


@pytest.mark.parametrize('start', [b'\x00\x00V', b'\x00\x02V\x00'])
def test_a_size_that_makes_no_sense_is_an_error(start):
    with pytest.raises(RtdeError, match='no RTDE server'):
        PacketSplitter().feed(start)


def test_a_flood_never_makes_the_splitter_keep_more_than_a_frame():
    splitter = PacketSplitter()
    for _ in range(200):
        splitter.feed(b'\xff\xff' + b'x' * 65_533 + b'\xff\xff')
        splitter.feed(b'x' * 65_533)
        assert splitter.pending <= 65_535


def test_a_frame_that_is_too_long_is_not_made():
    with pytest.raises(RtdeError):
        encode_packet(PacketType.DATA, bytes(70_000))
