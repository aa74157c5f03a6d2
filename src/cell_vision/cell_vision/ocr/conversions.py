"""Between what the engine read and the ROS messages that carry it."""

from __future__ import annotations

import array
from collections.abc import Iterable
from typing import Any

from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import CodeReading, OcrResult, ResultCode, TextReading
from cell_vision.ocr.worker.supervisor import Answer, Outcome
from cell_vision.types import Code, FrameReading, Point, Reading

CODES = {
    Outcome.BAD_IMAGE: ResultCode.BAD_IMAGE,
    Outcome.ENGINE_FAILED: ResultCode.ENGINE_FAILED,
    Outcome.TOO_SLOW: ResultCode.TIMED_OUT,
    Outcome.SUPERSEDED: ResultCode.NOT_READY,
}


def text_message(reading: Reading) -> TextReading:
    """Return one reading as a message."""
    return TextReading(text=reading.text, score=min(1.0, max(0.0, reading.score)), polygon=points(reading.polygon))


def points(polygon: Iterable[Point]) -> list[Point32]:
    """Return corners as messages."""
    return [Point32(x=float(x), y=float(y)) for x, y in polygon]


def picture(jpeg: bytes) -> CompressedImage:
    """Return a crop as a message."""
    return CompressedImage(format='jpeg' if jpeg else '', data=array.array('B', jpeg))


def readings_of(result: OcrResult) -> tuple[Reading, ...]:
    """Return the readings that a message carries."""
    return tuple(Reading(text.text, float(text.score), polygon_of(text.polygon)) for text in result.texts if text.text)


def codes_of(result: OcrResult) -> tuple[Code, ...]:
    """Return the codes that a message carries."""
    return tuple(Code(code.format, code.text, polygon_of(code.polygon)) for code in result.codes if code.text)


def fill_result(result: OcrResult, reading: FrameReading, frames: int = 1) -> None:
    """Put the reading of one or several frames into a result."""
    result.status = OcrResult.OK if reading.readings else OcrResult.NO_TEXT
    result.message = '' if reading.readings else 'no text was found in the frame'
    result.texts = [text_message(item) for item in reading.readings]
    result.codes = [CodeReading(format=code.format, text=code.text, polygon=points(code.polygon)) for code in reading.codes]
    result.frames = frames
    if reading.crop is not None and reading.readings:
        result.has_crop, result.crop_polygon = bool(result.request_id), points(reading.crop.polygon)
    result.image_width = reading.width
    result.image_height = reading.height
    result.engine = reading.engine
    result.read_time = reading.seconds


def code_of(answer: Answer) -> int:
    """Return the ResultCode of an engine's answer."""
    return int(CODES.get(answer.failure, ResultCode.OK))


def polygon_of(corners: Any) -> Any:
    """Return the corners that a message carries."""
    return tuple((float(corner.x), float(corner.y)) for corner in corners)
