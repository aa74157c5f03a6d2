"""Readings in ROS messages and back."""

from __future__ import annotations

import array

import numpy as np
import pytest
from cell_vision.likelihoods import CLASSES, StripEnds, pack, with_ends
from cell_vision.ocr.conversions import fill_result, readings_of, text_message
from cell_vision.types import FrameReading, Reading

from cell_interfaces.msg import OcrResult

BOX = ((1.0, 2.0), (30.0, 2.0), (30.0, 12.0), (1.0, 12.0))
STRIP = pack([np.zeros((20, CLASSES), np.float32)])


@pytest.mark.parametrize('strips', [(), (STRIP,), (STRIP, with_ends(STRIP, StripEnds(cut_end=True)))])
def test_a_reading_comes_back_with_its_likelihoods(strips):
    result = OcrResult()
    fill_result(result, FrameReading((Reading('74LS12', 0.5, BOX, strips),), 640, 480, 0.1, 'engine'))
    assert readings_of(result) == (Reading('74LS12', 0.5, BOX, strips),)


@pytest.mark.parametrize('data', [b'\x00', b'\x05\x00\x00\x00abc', b'\x03\x00\x00\x00abc'])
def test_damaged_likelihoods_are_left_out_and_the_text_stays(data):
    message = text_message(Reading('74LS12', 0.5, BOX))
    message.likelihoods = array.array('B', data)
    assert readings_of(OcrResult(texts=[message])) == (Reading('74LS12', 0.5, BOX),)
