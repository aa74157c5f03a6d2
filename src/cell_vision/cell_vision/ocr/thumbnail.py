"""Small gray thumbnails of camera frames, decoded from the message as it was received.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.camera.jpeg import size_of

__all__ = ['jpeg_of', 'thumbnail_of']

WIDTH = 160
"""Cells in a row of a thumbnail."""
HEADER_STRINGS = 2
"""frame_id and format."""
CDR_LITTLE_ENDIAN = 0x01
PNG = b'\x89PNG\r\n\x1a\n'
HEADER_BYTES = 131_072
"""The size is within these, also behind a color profile or a preview."""
MOST_PIXELS = 64_000_000
"""A larger image is not decoded: its header may lie."""


def jpeg_of(data: bytes) -> memoryview:
    """Return the compressed image of a serialized sensor_msgs/CompressedImage, without a copy.

    The layout is CDR (OMG DDSI-RTPS 10.5): encapsulation (4 bytes), `stamp` (8), two strings with
    their length first, and the length and bytes of the image; each length is aligned to 4 bytes
    after the encapsulation.

    Args:
        data: Message as received.

    Raises:
        ValueError: The message is cut.
    """
    order = '<' if data[1:2] and data[1] & CDR_LITTLE_ENDIAN else '>'
    try:
        at = 12
        for _ in range(HEADER_STRINGS):
            (length,) = struct.unpack_from(f'{order}I', data, at)
            at = (at + 4 + length + 3) // 4 * 4
        (length,) = struct.unpack_from(f'{order}I', data, at)
    except struct.error as error:
        raise ValueError('the message of the camera is cut') from error
    return memoryview(data)[at + 4 : at + 4 + length]


def thumbnail_of(jpeg: memoryview | bytes) -> NDArray[np.uint8] | None:
    """Return an image as gray cells, None if it cannot be decoded.

    A JPEG is decoded at an eighth of its size, which uses only the mean of each block of 8 x 8
    pixels.

    Args:
        jpeg: JPEG or PNG.

    Returns:
        uint8, WIDTH cells wide, as high as the image's proportions demand.
    """
    size = size_in_header(bytes(jpeg[:HEADER_BYTES]))
    # Decoding happens in the node's process here, so a hostile or damaged header must not claim
    # gigabytes.
    if size is None or size[0] * size[1] > MOST_PIXELS:
        return None
    try:
        small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    except cv2.error:
        return None
    if small is None:
        return None
    cells = (WIDTH, min(WIDTH * 4, max(1, round(small.shape[0] * WIDTH / small.shape[1]))))
    if (small.shape[1], small.shape[0]) != cells:
        small = cv2.resize(small, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def size_in_header(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a JPEG or PNG, None for anything else: it is not decoded in this process.

    Args:
        data: First bytes of the image; HEADER_BYTES are enough.
    """
    if data.startswith(PNG) and len(data) >= 24:
        width, height = struct.unpack_from('>II', data, 16)
        return width, height
    return size_of(data)
