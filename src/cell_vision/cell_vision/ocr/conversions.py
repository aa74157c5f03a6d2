"""Converts readings of the OCR engine to ROS messages and back."""

from __future__ import annotations

import array
from collections.abc import Iterable, Sequence

from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import CodeReading, OcrResult, ResultCode, TextReading
from cell_vision.likelihoods import join_strips, split_strips, unpack
from cell_vision.ocr.worker.supervisor import ReadFailure
from cell_vision.types import Barcode, FrameReading, Point, Polygon, Reading

RESULT_CODES: dict[ReadFailure, int] = {
    ReadFailure.NONE: ResultCode.OK,
    ReadFailure.BAD_IMAGE: ResultCode.BAD_IMAGE,
    ReadFailure.ENGINE_FAILED: ResultCode.ENGINE_FAILED,
    ReadFailure.TOO_SLOW: ResultCode.TIMED_OUT,
    ReadFailure.SUPERSEDED: ResultCode.NOT_READY,
}


def fill_result(result: OcrResult, reading: FrameReading, frames: int = 1) -> None:
    """Copy a reading into a result.

    Args:
        result: Its request_id is set; a reading without one has no crop that could be fetched.
        reading: The reading.
        frames: Number of frames from which the reading was fused.
    """
    result.status = OcrResult.OK if reading.readings else OcrResult.NO_TEXT
    result.message = '' if reading.readings else 'no text was found in the frame'
    result.texts = [text_message(item) for item in reading.readings]
    result.codes = [
        CodeReading(format=code.format, text=code.text, polygon=point_messages(code.polygon)) for code in reading.codes
    ]
    result.frames = frames
    if reading.crop is not None and reading.readings:
        result.has_crop, result.crop_polygon = bool(result.request_id), point_messages(reading.crop.polygon)
    result.image_width = reading.width
    result.image_height = reading.height
    result.engine = reading.engine
    result.read_time = reading.seconds


def text_message(reading: Reading) -> TextReading:
    """Return one text as a message."""
    return TextReading(
        text=reading.text,
        score=min(1.0, max(0.0, reading.score)),
        polygon=point_messages(reading.polygon),
        likelihoods=array.array('B', join_strips(reading.likelihoods)),
    )


def point_messages(polygon: Iterable[Point]) -> list[Point32]:
    """Return corners as messages.

    Args:
        polygon: Pixels; Point32 has 24 bits of precision, enough for a thousandth of a pixel.
    """
    return [Point32(x=float(x), y=float(y)) for x, y in polygon]


def jpeg_message(jpeg: bytes) -> CompressedImage:
    """Return a JPEG as a message without header."""
    return CompressedImage(format='jpeg', data=array.array('B', jpeg))


def readings_of(result: OcrResult) -> tuple[Reading, ...]:
    """Return the texts of a result."""
    return tuple(
        Reading(text.text, float(text.score), _quad(text.polygon), _strips(bytes(text.likelihoods)))
        for text in result.texts
        if text.text
    )


def _strips(data: bytes) -> tuple[bytes, ...]:
    """Return the packed strips of a text; none when another program has damaged them: the text alone is then judged."""
    try:
        strips = split_strips(data)
        for strip in strips:
            unpack(strip)
    except ValueError:
        return ()
    return strips


def codes_of(result: OcrResult) -> tuple[Barcode, ...]:
    """Return the barcodes of a result.

    Args:
        result: Reading whose polygons have four corners.
    """
    return tuple(Barcode(code.format, code.text, _quad(code.polygon)) for code in result.codes if code.text)


def polygon_of(corners: Iterable[Point32]) -> tuple[Point, ...]:
    """Return corners as pairs of pixels."""
    return tuple((float(corner.x), float(corner.y)) for corner in corners)


def _quad(corners: Sequence[Point32]) -> Polygon:
    a, b, c, d = polygon_of(corners)
    return a, b, c, d
