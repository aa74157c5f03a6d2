"""Cropped, rotated and undecodable frames."""

from __future__ import annotations

import numpy as np
import pytest
from cell_vision.camera.image_processing import ImageProcessing, process_frame, to_bgr
from cell_vision.camera.jpeg import size_of

PLAIN = ImageProcessing([0, 0, 0, 0], '0', 90)


@pytest.mark.parametrize('rotation, size', [('0', (60, 40)), ('90', (40, 60)), ('180', (60, 40)), ('270', (40, 60))])
def test_a_region_is_cut_out_and_turned(draw, compress, rotation, size):
    image = draw('A', size=(320, 240))
    for frame in (image, compress(image)):
        picture = process_frame(frame, 1, ImageProcessing([10, 20, 60, 40], rotation, 80), pixels=True)
        assert (picture.width, picture.height) == size == size_of(picture.jpeg)
        assert picture.pixels.shape == (size[1], size[0], 3)


def test_what_cannot_be_decoded_is_left_out(draw):
    assert process_frame(b'\xff\xd8nothing', 1, PLAIN, pixels=True) is None
    assert process_frame(b'nothing', 1, PLAIN, pixels=False) is None
    assert process_frame(draw('A', size=(64, 64)), 1, ImageProcessing([200, 200, 5, 5], '0', 80), pixels=False) is None


@pytest.mark.parametrize('bits', [12, 14, 16])
def test_a_sensor_of_12_or_14_bits_in_16_is_as_bright_as_one_of_8(bits):
    picture = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint16)
    assert np.abs(to_bgr(picture << (bits - 8))[:, :, 0].astype(int) - picture).max() <= 1
