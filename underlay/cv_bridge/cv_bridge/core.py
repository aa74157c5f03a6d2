"""The class CvBridge."""

from __future__ import annotations

import array
import sys
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from cv_bridge import encodings
from cv_bridge.conversion import Pixels, convert
from cv_bridge.encodings import Encoding

PASSTHROUGH = 'passthrough'
EXTENSIONS = ('bmp', 'dib', 'jpeg', 'jpg', 'jpe', 'jp2', 'png', 'pbm', 'pgm', 'ppm', 'sr', 'ras', 'tiff', 'tif', 'webp')


class CvBridgeError(TypeError):
    """An image cannot be converted."""


class CvBridge:
    """Converts between ROS images and OpenCV arrays."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = PASSTHROUGH) -> Pixels:
        """Return the pixels of an image: rows x columns, or rows x columns x channels.

        With `passthrough`, or the image's own encoding, the array shares the message's memory where rows are not padded.

        Raises:
            CvBridgeError: The encoding is not known, the data is too short, or the conversion makes no sense.
        """
        source = _encoding(img_msg.encoding)
        pixels = _pixels(img_msg, source)
        return pixels if desired_encoding == PASSTHROUGH else _convert(pixels, source, _encoding(desired_encoding))

    def compressed_imgmsg_to_cv2(self, cmprs_img_msg: CompressedImage, desired_encoding: str = PASSTHROUGH) -> Pixels:
        """Decode a JPEG, PNG or other compressed image.

        Raises:
            CvBridgeError: The data is no image, or the conversion makes no sense.
        """
        data = np.frombuffer(cmprs_img_msg.data, dtype=np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
        if pixels is None:
            raise CvBridgeError(f"The {len(data)} bytes of format '{cmprs_img_msg.format}' are no image that OpenCV can decode")
        if desired_encoding == PASSTHROUGH:
            return pixels
        return _convert(pixels, _decoded_encoding(pixels), _encoding(desired_encoding))

    def cv2_to_imgmsg(self, cvim: Pixels, encoding: str = PASSTHROUGH, header: Any = None) -> Image:
        """Make an image message.

        Args:
            cvim: Rows x columns, or rows x columns x channels.
            encoding: Meaning of the values; with `passthrough` OpenCV's type name, such as 8UC3.
            header: Header of the message.

        Raises:
            TypeError: `cvim` is no array.
            CvBridgeError: The encoding does not fit the array.
        """
        _check_array(cvim)
        name = _array_type(cvim)
        if encoding != PASSTHROUGH and _encoding(encoding).cv_type != name:
            raise CvBridgeError(f'encoding specified as {encoding}, but image has incompatible type {name}')
        message = Image(height=cvim.shape[0], width=cvim.shape[1], encoding=name if encoding == PASSTHROUGH else encoding)
        if header is not None:
            message.header = header
        order = cvim.dtype.byteorder
        message.is_bigendian = int(order == '>' or (order == '=' and sys.byteorder == 'big'))
        message.step = cvim.dtype.itemsize * int(np.prod(cvim.shape[1:]))
        message.data = _bytes(np.ascontiguousarray(cvim))
        return message

    def cv2_to_compressed_imgmsg(self, cvim: Pixels, dst_format: str = 'jpg') -> CompressedImage:
        """Compress an array.

        Args:
            cvim: Grey, BGR or BGRA.
            dst_format: Extension of the file type, such as jpg or png.

        Raises:
            TypeError: `cvim` is no array.
            CvBridgeError: The format is not known or cannot carry this array.
        """
        _check_array(cvim)
        if dst_format not in EXTENSIONS:
            raise CvBridgeError(f"format '{dst_format}' is not known, use one of {', '.join(EXTENSIONS)}")
        try:
            done, data = cv2.imencode('.' + dst_format, cvim)
        except cv2.error as problem:
            raise CvBridgeError(f'OpenCV cannot compress this image as {dst_format}: {problem}') from None
        if not done:
            raise CvBridgeError(f'OpenCV cannot compress this image as {dst_format}')
        return CompressedImage(format=dst_format, data=_bytes(data))

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        """Return the numpy type and the number of channels of an encoding."""
        known = _encoding(encoding)
        return known.dtype, known.channels

    def dtype_with_channels_to_cvtype2(self, dtype: Any, n_channels: int) -> str:
        """Return OpenCV's name of a numpy type with channels, such as 8UC3."""
        return f'{encodings.OPENCV_DEPTH[np.dtype(dtype).name]}C{n_channels}'


def _encoding(name: str) -> Encoding:
    try:
        return encodings.parse(name)
    except ValueError as problem:
        raise CvBridgeError(str(problem)) from None


def _array_type(pixels: Pixels) -> str:
    try:
        return encodings.of_array(pixels)
    except ValueError as problem:
        raise CvBridgeError(str(problem)) from None


def _convert(pixels: Pixels, source: Encoding, target: Encoding) -> Pixels:
    try:
        return convert(pixels, source, target)
    except (ValueError, cv2.error) as problem:
        raise CvBridgeError(str(problem)) from None


def _check_array(value: Any) -> None:
    if not isinstance(value, np.ndarray):
        raise TypeError('Your input type is not a numpy array')


def _pixels(message: Image, source: Encoding) -> Pixels:
    """Return the message's memory as an array of its encoding."""
    kind = np.dtype(source.dtype)
    row = message.width * source.channels * kind.itemsize
    step = message.step or row
    if step < row or len(message.data) < step * (message.height - 1) + row:
        raise CvBridgeError(
            f'{len(message.data)} bytes in rows of {step} are too few for {message.width}x{message.height} '
            f'pixels of {message.encoding}'
        )
    shape = (message.height, message.width) if source.channels == 1 else (message.height, message.width, source.channels)
    strides = (step, source.channels * kind.itemsize, kind.itemsize)[: len(shape)]
    pixels: Pixels = np.ndarray(shape, kind, message.data, strides=strides)
    if kind.itemsize > 1 and bool(message.is_bigendian) == (sys.byteorder == 'little'):
        pixels = pixels.byteswap()
    return np.ascontiguousarray(pixels)


def _decoded_encoding(pixels: Pixels) -> Encoding:
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = pixels.dtype.itemsize * 8
    return _encoding({1: f'mono{bits}', 3: f'bgr{bits}', 4: f'bgra{bits}'}.get(channels, _array_type(pixels)))


def _bytes(data: Pixels) -> array.array[int]:
    """Return memory as the type that message fields take without a look at each element."""
    whole = array.array('B')
    whole.frombytes(data.data.cast('B') if data.size else b'')
    return whole
