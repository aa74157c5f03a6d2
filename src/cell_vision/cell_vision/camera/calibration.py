"""Read a camera calibration as camera_calibration writes it (camera_info_manager's YAML)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SIZES = {'camera_matrix': 9, 'rectification_matrix': 9, 'projection_matrix': 12}


class CalibrationError(ValueError):
    """The calibration cannot be used; the text says why."""


@dataclass(frozen=True)
class Calibration:
    """Intrinsic parameters, row-major; names and meanings as in sensor_msgs/CameraInfo."""

    width: int
    height: int
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]


def load_calibration(path: str) -> Calibration:
    """Read a calibration file.

    Raises:
        CalibrationError: It cannot be read or lacks something.
    """
    try:
        data = yaml.safe_load(Path(path).expanduser().read_text(encoding='utf-8'))
    except OSError as problem:
        raise CalibrationError(
            f'cannot read the calibration {path}: {problem.strerror}. Check parameter calibration_file.'
        ) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise CalibrationError(f'the calibration {path} is not YAML: {problem}') from problem
    try:
        return parse_calibration(data)
    except (KeyError, TypeError, ValueError) as problem:
        raise CalibrationError(f'the calibration {path} lacks or spoils {problem}') from problem


def parse_calibration(data: Mapping[str, Any]) -> Calibration:
    """Make a calibration of parsed YAML.

    Raises:
        KeyError: A key is missing.
        ValueError: A matrix has the wrong size.
    """
    matrices = {name: tuple(map(float, data[name]['data'])) for name in SIZES}
    for name, size in SIZES.items():
        if len(matrices[name]) != size:
            raise ValueError(f'{name}: {len(matrices[name])} numbers where {size} are needed')
    return Calibration(
        int(data['image_width']),
        int(data['image_height']),
        str(data['distortion_model']),
        tuple(map(float, data['distortion_coefficients']['data'])),
        matrices['camera_matrix'],
        matrices['rectification_matrix'],
        matrices['projection_matrix'],
    )
