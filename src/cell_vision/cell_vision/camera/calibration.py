"""Loads a camera calibration in the YAML format of camera_calibration and camera_info_manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CalibrationData = Mapping[str, Any]
"""Parsed YAML."""

SIZES = {'camera_matrix': 9, 'rectification_matrix': 9, 'projection_matrix': 12}


class CalibrationError(ValueError):
    """The calibration cannot be used; the text gives the cause."""


@dataclass(frozen=True)
class Calibration:
    """Intrinsic parameters, row-major, with the names of sensor_msgs/CameraInfo.

    Attributes:
        width: Image width for which it was measured, pixels.
        height: Image height, pixels.
        model: Distortion model, e.g. plumb_bob.
        d: Distortion coefficients, as many as the model has.
        k: Camera matrix, 3 x 3: focal lengths and principal point, pixels.
        r: Rectification matrix, 3 x 3; identity for one camera.
        p: Projection matrix, 3 x 4, pixels.
    """

    width: int
    height: int
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]


def load_calibration(path: str) -> Calibration:
    """Read a calibration file.

    Args:
        path: YAML file, as `camera_calibration` saves it; "~" is expanded.

    Raises:
        CalibrationError: The file cannot be read or is incomplete.
    """
    try:
        data = yaml.safe_load(Path(path).expanduser().read_text(encoding='utf-8'))
    except OSError as error:
        raise CalibrationError(
            f'cannot read the calibration {path}: {error.strerror}. Check parameter calibration_file.'
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CalibrationError(f'the calibration {path} is not YAML: {error}') from error
    try:
        return parse_calibration(data)
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f'the calibration {path} has a missing or invalid entry: {error}') from error


def parse_calibration(data: CalibrationData) -> Calibration:
    """Return a calibration from parsed YAML.

    Args:
        data: Mapping with the keys of `camera_calibration`.

    Raises:
        KeyError: A key is missing.
        ValueError: A matrix has the wrong size.
    """
    matrices = {name: tuple(map(float, data[name]['data'])) for name in SIZES}
    for name, size in SIZES.items():
        if len(matrices[name]) != size:
            raise ValueError(f'{name}: {len(matrices[name])} numbers instead of {size}')
    return Calibration(
        int(data['image_width']),
        int(data['image_height']),
        str(data['distortion_model']),
        tuple(map(float, data['distortion_coefficients']['data'])),
        matrices['camera_matrix'],
        matrices['rectification_matrix'],
        matrices['projection_matrix'],
    )
