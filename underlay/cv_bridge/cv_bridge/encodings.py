"""What the encodings of sensor_msgs/Image mean (source: sensor_msgs/image_encodings.hpp)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {'8U': 'uint8', '8S': 'int8', '16U': 'uint16', '16S': 'int16', '32S': 'int32', '32F': 'float32', '64F': 'float64'}
OPENCV_DEPTH = {name: depth for depth, name in DTYPES.items()}
_COLORS = {'mono': 1, 'rgb': 3, 'bgr': 3, 'rgba': 4, 'bgra': 4}
_YUV = {'yuv422': 'uyvy', 'uyvy': 'uyvy', 'yuv422_yuy2': 'yuyv', 'yuyv': 'yuyv'}
_BAYER = re.compile(r'bayer_(rggb|bggr|gbrg|grbg)(8|16)')
_COLOR = re.compile(r'(mono|rgba?|bgra?)(8|16)')
_PLAIN = re.compile(r'(8U|8S|16U|16S|32S|32F|64F)(?:C([1-9]\d*))?')


@dataclass(frozen=True)
class Encoding:
    """One encoding: `layout` is a colour order, a Bayer pattern, uyvy, yuyv, or empty for numbers without a meaning."""

    name: str
    dtype: str
    channels: int
    layout: str = ''

    @property
    def cv_type(self) -> str:
        """OpenCV's name of the array type, such as 8UC3."""
        return f'{OPENCV_DEPTH[self.dtype]}C{self.channels}'

    @property
    def is_bayer(self) -> bool:
        """Whether each pixel carries one colour of a mosaic."""
        return self.layout in ('rggb', 'bggr', 'gbrg', 'grbg')

    @property
    def is_yuv(self) -> bool:
        """Whether two pixels share their colour."""
        return self.layout in ('uyvy', 'yuyv')


def parse(name: str) -> Encoding:
    """Return what an encoding means.

    Raises:
        ValueError: The encoding is not known.
    """
    if match := _COLOR.fullmatch(name):
        return Encoding(name, f'uint{match[2]}', _COLORS[match[1]], match[1])
    if match := _BAYER.fullmatch(name):
        return Encoding(name, f'uint{match[2]}', 1, match[1])
    if name in _YUV:
        return Encoding(name, 'uint8', 2, _YUV[name])
    if match := _PLAIN.fullmatch(name):
        return Encoding(name, DTYPES[match[1]], int(match[2] or 1))
    raise ValueError(f'Unrecognized image encoding [{name}]')


def of_array(array: np.ndarray[Any, Any]) -> str:
    """Return OpenCV's name of an array's type.

    Raises:
        ValueError: OpenCV has no such type.
    """
    depth = OPENCV_DEPTH.get(array.dtype.name)
    if depth is None or array.ndim not in (2, 3):
        raise ValueError(f'An array of {array.dtype.name} with {array.ndim} dimensions is no image')
    return f'{depth}C{1 if array.ndim == 2 else array.shape[2]}'
