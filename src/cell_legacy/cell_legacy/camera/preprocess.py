"""Prepares a frame for OCR as the replaced backend did.

Kept for scripts. The cell's own reader needs no such step: its detector finds the part and crops it upright.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ['deskew', 'preprocess_for_ocr', 'to_bgr']

BILATERAL_DIAMETER = 5
BILATERAL_SIGMA = 50.0
SHARPEN_AMOUNT = 0.5
"""Share of the difference between the frame and its blurred copy that is added: mild."""
BLOCK_SIDE = 11
"""Side of the neighborhood of the adaptive threshold, pixels."""
THRESHOLD_OFFSET = 2.0
SMALLEST_ANGLE_DEG = 0.1
LARGEST_ANGLE_DEG = 45.0


def preprocess_for_ocr(frame_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame as black print on white: gray, smoothed, sharpened, thresholded and deskewed.

    Args:
        frame_bgr: An image as `to_bgr` takes it.

    Returns:
        BGR image of the same height and width; its three channels are equal.

    Raises:
        ValueError: It is not an image of at least one pixel.
    """
    gray = cv2.cvtColor(to_bgr(frame_bgr), cv2.COLOR_BGR2GRAY)
    smooth = cv2.bilateralFilter(gray, BILATERAL_DIAMETER, BILATERAL_SIGMA, BILATERAL_SIGMA)
    sharp = cv2.addWeighted(smooth, 1.0 + SHARPEN_AMOUNT, cv2.GaussianBlur(smooth, (0, 0), 1.0), -SHARPEN_AMOUNT, 0.0)
    binary = cv2.adaptiveThreshold(sharp, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, BLOCK_SIDE, THRESHOLD_OFFSET)
    return np.asarray(cv2.cvtColor(deskew(np.asarray(binary, np.uint8)), cv2.COLOR_GRAY2BGR), np.uint8)


def deskew(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rotate a gray image so that the smallest rectangle around its non-zero pixels lies straight.

    The angle is the one of smallest size. The replaced module took OpenCV's number as it was, which since OpenCV 4.5.1 lies
    in (0, 90] and turned straight images by 90 degrees.
    """
    if not cv2.countNonZero(image):
        return image
    # Modulo 90: older releases of OpenCV return angles in [-90, 0).
    angle = float(cv2.minAreaRect(cv2.findNonZero(image))[2]) % 90.0
    if angle > LARGEST_ANGLE_DEG:
        angle -= 90.0
    if abs(angle) < SMALLEST_ANGLE_DEG:
        return image
    height, width = image.shape[:2]
    rotation = cv2.getRotationMatrix2D((width / 2.0, height / 2.0), angle, 1.0)
    turned = cv2.warpAffine(image, rotation, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def to_bgr(frame: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return an image as BGR, shape (height, width, 3), uint8.

    Args:
        frame: BGR, BGRA or gray image, shape (height, width[, channels]), uint8 0..255 or floating-point 0..1.

    Raises:
        ValueError: It is not such an image; the text says how to convert it.
    """
    if not isinstance(frame, np.ndarray) or frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError('expected an image as a numpy array of shape (height, width, 3)')
    channels = 1 if frame.ndim == 2 else frame.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f'expected an image with 1, 3 or 4 channels, got shape {frame.shape}')
    pixels = _to_uint8(frame)
    if channels == 1:
        return np.asarray(cv2.cvtColor(pixels.reshape(frame.shape[:2]), cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8) if channels == 4 else pixels


def _to_uint8(frame: NDArray[np.generic]) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8:
        return np.asarray(frame, np.uint8)
    if np.issubdtype(frame.dtype, np.floating):
        values = np.asarray(frame, float)
        if values.min() >= 0.0 and values.max() <= 1.0:  # False for NaN, too
            return np.rint(values * 255.0).astype(np.uint8)
    raise ValueError(
        f'expected an image of uint8 (0..255) or of floating-point numbers 0..1, got {frame.dtype}: scale it, e.g. '
        "cv2.normalize(frame, None, 0, 255, cv2.NORM_MINMAX).astype('uint8')"
    )
