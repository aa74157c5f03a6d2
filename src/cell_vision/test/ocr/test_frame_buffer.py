import struct

import pytest
from cell_common.time import NS_PER_S
from cell_vision.ocr.frame_buffer import LatestFrame, SerializedFrame, stamp_of


def frame(stamp):
    return SerializedFrame(stamp, b'')


@pytest.mark.parametrize(('order', 'encapsulation'), [('<', b'\0\1\0\0'), ('>', b'\0\0\0\0')])
def test_the_stamp_is_read_in_the_byte_order_of_the_message(order, encapsulation):
    data = encapsulation + struct.pack(f'{order}iI', 1_700_000_000, 5)
    assert stamp_of(data) == 1_700_000_000 * NS_PER_S + 5


def test_a_message_without_a_header_is_refused():
    with pytest.raises(ValueError, match='11 bytes has no header'):
        stamp_of(bytes(11))


def test_a_frame_that_is_there_is_passed_on_at_once():
    frames, seen = LatestFrame(), []
    frames.update(frame(5))
    frames.on_newer(4, seen.append)()
    frames.update(frame(6))
    assert seen == [frame(5)]


def test_a_callback_waits_for_a_frame_later_than_its_stamp_and_is_called_once():
    frames, seen = LatestFrame(), []
    frames.update(frame(5))
    frames.on_newer(5, seen.append)
    for stamp in (5, 4, 6, 7):
        frames.update(frame(stamp))
    assert seen == [frame(6)] and frames.newest == frame(7)


def test_a_canceled_callback_is_not_called():
    frames, seen = LatestFrame(), []
    cancel = frames.on_newer(0, seen.append)
    cancel()
    cancel()
    frames.update(frame(1))
    assert seen == []


def test_a_callback_may_wait_for_the_next_frame():
    frames, seen = LatestFrame(), []

    def again(received):
        seen.append(received.stamp)
        frames.on_newer(received.stamp, again)

    frames.on_newer(0, again)
    for stamp in (1, 2, 3):
        frames.update(frame(stamp))
    assert seen == [1, 2, 3]
