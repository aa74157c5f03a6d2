"""Readings on their way from the worker to the node."""

from __future__ import annotations

import io

import numpy as np
import pytest
from cell_vision.likelihoods import CLASSES, pack
from cell_vision.ocr.worker.protocol import ProtocolError, decode_reading, encode_reading, read_message, write_message
from cell_vision.types import FrameReading, Reading

BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
STRIP = pack([np.zeros((20, CLASSES), np.float32)])
READING = FrameReading((Reading('A1', 0.5, BOX, (STRIP, STRIP)), Reading('B2', 0.5, BOX)), 10, 10, 0.1, 'engine')


def test_the_likelihoods_of_a_reading_cross_the_pipe():
    stream = io.BytesIO()
    write_message(stream, encode_reading(READING))
    stream.seek(0)
    message = read_message(stream)
    assert message is not None and decode_reading(message[0]) == READING


@pytest.mark.parametrize('strip', [3, 'no base64!', None])
def test_likelihoods_that_are_no_text_of_the_protocol_are_refused(strip):
    header = encode_reading(READING)
    header['readings'][0][3] = strip
    with pytest.raises(ProtocolError, match='not a reading'):
        decode_reading(header)
