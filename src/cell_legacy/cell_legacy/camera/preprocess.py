"""Prepares a frame for OCR as the replaced backend did.

Kept for scripts. The cell's own reader needs no such step: its detector finds the part and crops it upright.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ['deskew', 'preprocess_for_ocr']

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
        frame_bgr: BGR, gray or BGRA image, shape (height, width[, channels]), uint8.

    Returns:
        BGR image of the same height and width; its three channels are equal.

    Raises:
        ValueError: It is not an image of at least one pixel.
    """
    if getattr(frame_bgr, 'ndim', 0) not in (2, 3) or np.size(frame_bgr) == 0:
        raise ValueError('preprocess_for_ocr: expected an image as a numpy array of shape (height, width, 3)')
    gray = _to_gray(np.asarray(frame_bgr, np.uint8))
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


def _to_gray(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if frame.ndim == 2 or frame.shape[2] == 1:
        return frame.reshape(frame.shape[:2])
    code = cv2.COLOR_BGRA2GRAY if frame.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(frame, code), np.uint8)
