"""Calibration files."""

from __future__ import annotations

import pytest
from cell_vision.camera.calibration import CalibrationError, load_calibration

CALIBRATION = """
image_width: 1280
image_height: 720
camera_name: cell
distortion_model: plumb_bob
camera_matrix: {rows: 3, cols: 3, data: [900, 0, 640, 0, 900, 360, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [900, 0, 640, 0, 0, 900, 360, 0, 0, 0, 1, 0]}
"""


def test_a_calibration_is_read(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION)
    known = load_calibration(str(path))
    assert (known.width, known.k[0], len(known.p), known.d[1]) == (1280, 900.0, 12, -0.2)


@pytest.mark.parametrize('text', [': [', 'image_width: 3', CALIBRATION.replace('900, 0, 640, 0, 900, 360, 0, 0, 1', '1, 2')])
def test_a_spoilt_calibration_is_refused(tmp_path, text):
    path = tmp_path / 'camera.yaml'
    path.write_text(text)
    with pytest.raises(CalibrationError):
        load_calibration(str(path))
