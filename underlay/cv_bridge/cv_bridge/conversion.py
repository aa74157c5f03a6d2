"""Conversion of an array from one encoding to another, as cv_bridge does it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from cv_bridge.encodings import Encoding

Pixels = np.ndarray[Any, Any]

# OpenCV names a Bayer pattern by its second row, second and third column; ROS by the first two pixels of the first rows.
_OPENCV_BAYER = {'rggb': 'BG', 'bggr': 'RG', 'gbrg': 'GR', 'grbg': 'GB'}
_COLOR_NAMES = {'mono': 'GRAY', 'rgb': 'RGB', 'bgr': 'BGR', 'rgba': 'RGBA', 'bgra': 'BGRA'}
_YUV_NAMES = {'uyvy': 'UYVY', 'yuyv': 'YUY2'}
_SCALE = {('uint8', 'uint16'): 65535.0 / 255.0, ('uint16', 'uint8'): 255.0 / 65535.0}


def convert(pixels: Pixels, source: Encoding, target: Encoding) -> Pixels:
    """Return an image in another encoding; the array itself when nothing is to be done.

    Raises:
        ValueError: There is no sensible conversion between the two.
    """
    if source.layout == target.layout or not source.layout or not target.layout:
        _check_plain(source, target)
    else:
        pixels = _recolor(pixels, source, target)
    return _change_depth(pixels, source, target)


def _check_plain(source: Encoding, target: Encoding) -> None:
    if not source.layout and target.layout:
        raise ValueError(f'[{source.name}] is not a color format. but [{target.name}] is. The conversion does not make sense')
    if source.channels != target.channels:
        raise ValueError(f'[{source.name}] and [{target.name}] do not have the same number of channels')


def _recolor(pixels: Pixels, source: Encoding, target: Encoding) -> Pixels:
    if target.is_bayer or target.is_yuv:
        raise ValueError(f'There is no conversion from [{source.name}] to [{target.name}]')
    wanted = _COLOR_NAMES[target.layout]
    if source.is_bayer:
        return _demosaic(pixels, source, wanted)
    if source.is_yuv:
        return cv2.cvtColor(pixels, getattr(cv2, f'COLOR_YUV2{wanted}_{_YUV_NAMES[source.layout]}'))
    return cv2.cvtColor(pixels, getattr(cv2, f'COLOR_{_COLOR_NAMES[source.layout]}2{wanted}'))


def _demosaic(pixels: Pixels, source: Encoding, wanted: str) -> Pixels:
    """Interpolate a mosaic; OpenCV does it to three channels or to grey, four come by a second step."""
    plain = wanted.removesuffix('A')
    image = cv2.cvtColor(pixels, getattr(cv2, f'COLOR_Bayer{_OPENCV_BAYER[source.layout]}2{plain}'))
    return image if plain == wanted else cv2.cvtColor(image, getattr(cv2, f'COLOR_{plain}2{wanted}'))


def _change_depth(pixels: Pixels, source: Encoding, target: Encoding) -> Pixels:
    if source.dtype == target.dtype:
        return pixels
    scale = _SCALE.get((source.dtype, target.dtype), 1.0) if target.layout else 1.0
    kind = np.dtype(target.dtype)
    if kind.kind == 'f':
        return pixels.astype(kind)
    limits = np.iinfo(kind)
    return np.clip(np.rint(pixels.astype(np.float64) * scale), limits.min, limits.max).astype(kind)
