"""Draws readings and verdict over a frame, readable on a tablet at arm's length.

The verdict is shown by color and by shape: a tick, a cross or a question mark, and a solid or dashed border.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.types import Barcode, Point, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

Color = tuple[int, int, int]
"""Blue, green, red, 0..255."""
READ: Color = (230, 190, 60)
CODE: Color = (230, 130, 220)
GOOD: Color = (90, 200, 70)
BAD: Color = (70, 70, 235)
UNSURE: Color = (50, 180, 250)
WHITE: Color = (255, 255, 255)
DARK: Color = (32, 26, 24)
FONT = cv2.FONT_HERSHEY_DUPLEX
LETTER_WIDTH = 1 / 62
"""Width of a letter of a label, as a share of the frame width; letters of the banner are twice as large."""
UNCERTAIN = 0.9
"""Text with less confidence has a dashed outline."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


class VerdictIcon(enum.Enum):
    """Icon of a verdict, which tells it without its color."""

    TICK = 'tick'
    CROSS = 'cross'
    QUESTION = 'question'


COLORS = {VerdictIcon.TICK: GOOD, VerdictIcon.CROSS: BAD, VerdictIcon.QUESTION: UNSURE}


@dataclass(frozen=True)
class OverlayVerdict:
    """Title, icon and place of a verdict.

    Attributes:
        title: E.g. "MATCH EM1-2U1".
        icon: Tells the verdict without its color.
        polygon: Of the text that decided, pixels; empty = none.
    """

    title: str
    icon: VerdictIcon
    polygon: Sequence[Point] = ()

    @property
    def color(self) -> Color:
        """Return the color of the icon."""
        return COLORS[self.icon]


def draw_overlay(
    image: MatLike, readings: Sequence[Reading], verdict: OverlayVerdict | None, codes: Sequence[Barcode] = ()
) -> None:
    """Draw polygons, texts and verdict into a frame.

    Args:
        image: BGR, uint8, shape (height, width, 3); modified.
        readings: Texts of the frame.
        verdict: Drawn as a banner with border, None = no verdict yet.
        codes: Barcodes of the frame.
    """
    # Print itself is taken space: a label must not cover the number that the operator wants to
    # check.
    taken = [_bounds(polygon) for polygon in [*(item.polygon for item in readings), *(item.polygon for item in codes)]]
    if verdict is not None:
        taken.append(_banner(image, verdict))
    for reading in readings:
        _outline(image, reading.polygon, READ, dashed=reading.score < UNCERTAIN)
        _label(image, f'{reading.text}  {reading.score:.0%}', reading.polygon, READ, taken)
    for code in codes:
        _outline(image, code.polygon, CODE)
        _label(image, f'{code.format} {code.text}', code.polygon, CODE, taken)
    if verdict is not None and verdict.polygon:
        _outline(image, verdict.polygon, verdict.color, thick=2)


def _banner(image: MatLike, verdict: OverlayVerdict) -> Box:
    """Draw border, bar, icon and title; return the bar."""
    high, wide = image.shape[:2]
    scale = 2 * _scale(image)
    bar = max(24, round(scale * 46))
    edge = max(3, wide // 110)
    if verdict.icon is VerdictIcon.TICK:
        cv2.rectangle(image, (0, 0), (wide - 1, high - 1), verdict.color, 2 * edge)
    else:
        corners = [(0.0, 0.0), (wide - 1.0, 0.0), (wide - 1.0, high - 1.0), (0.0, high - 1.0)]
        _dashes(image, corners, verdict.color, 2 * edge, wide / 24)
    cv2.rectangle(image, (0, 0), (wide - 1, bar), verdict.color, -1)
    _draw_icon(image, verdict.icon, (edge + bar // 2, bar // 2), round(bar * 0.4))
    # OpenCV's Hershey fonts have ASCII only; other characters would be drawn as several question
    # marks.
    title = _to_ascii(verdict.title)
    room = wide - 2 * bar
    length = cv2.getTextSize(title, FONT, scale, 2)[0][0]
    scale *= min(1.0, room / max(1, length))
    height = cv2.getTextSize(title, FONT, scale, 2)[0][1]
    at = (edge + bar + bar // 4, (bar + height) // 2)
    cv2.putText(image, title, at, FONT, scale, DARK, max(1, round(scale * 2)), cv2.LINE_AA)
    return 0, 0, wide, bar


def _draw_icon(image: MatLike, icon: VerdictIcon, middle: tuple[int, int], radius: int) -> None:
    """Draw an icon in a white disc."""
    x, y = middle
    thick = max(2, radius // 3)
    cv2.circle(image, middle, radius, WHITE, -1, cv2.LINE_AA)
    if icon is VerdictIcon.TICK:
        path = [(x - radius // 2, y), (x - radius // 8, y + radius // 2 - 1), (x + radius // 2, y - radius // 2 + 1)]
        cv2.polylines(image, [np.array(path, np.int32)], False, (40, 140, 30), thick, cv2.LINE_AA)
    elif icon is VerdictIcon.CROSS:
        arm = round(radius * 0.45)
        for one in (1, -1):
            cv2.line(image, (x - arm, y - arm * one), (x + arm, y + arm * one), (40, 40, 200), thick, cv2.LINE_AA)
    else:
        scale = radius / 13
        (wide, high), _ = cv2.getTextSize('?', FONT, scale, thick)
        cv2.putText(image, '?', (x - wide // 2, y + high // 2), FONT, scale, (10, 90, 170), thick, cv2.LINE_AA)


def _outline(image: MatLike, polygon: Sequence[Point], color: Color, *, thick: int = 1, dashed: bool = False) -> None:
    """Draw a polygon with a dark rim, so that it is visible on any ground."""
    width = max(2, round(_scale(image) * 3)) * thick
    corners = np.array(polygon, np.float64).round().astype(np.int32)
    cv2.polylines(image, [corners], True, DARK, width + 2, cv2.LINE_AA)
    if dashed:
        _dashes(image, polygon, color, width, 6.0 * width)
    else:
        cv2.polylines(image, [corners], True, color, width, cv2.LINE_AA)


def _dashes(image: MatLike, polygon: Sequence[Point], color: Color, width: int, dash: float) -> None:
    corners = np.array(polygon, np.float64)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        pieces = max(1, round(float(np.linalg.norm(end - start)) / dash))
        for piece in range(0, pieces, 2):
            a, b = start + (end - start) * piece / pieces, start + (end - start) * min(1.0, (piece + 1) / pieces)
            cv2.line(image, _pixel(a), _pixel(b), color, width, cv2.LINE_AA)


def _label(image: MatLike, text: str, polygon: Sequence[Point], color: Color, taken: list[Box]) -> None:
    """Write a text on a dark box next to its polygon, where it covers neither print nor another label."""
    scale, text = _scale(image), _to_ascii(text)
    (wide, high), below = cv2.getTextSize(text, FONT, scale, max(1, round(scale * 1.6)))
    pad = max(2, high // 4)
    left, top, right, bottom = _bounds(polygon)
    size = (wide + 2 * pad, high + below + 2 * pad)
    level = (top + bottom - size[1]) / 2
    places = [(right + 3 * pad, level), (left - size[0] - 3 * pad, level), (left, top - size[1] - pad), (left, bottom + pad)]
    boxes = [_inside(image, place, size) for place in places]
    # With no free place the first one is used: a covered label is better than a missing one.
    box = next((box for box in boxes if not any(_overlap(box, other) for other in taken)), boxes[0])
    taken.append(box)
    cv2.rectangle(image, box[:2], box[2:], DARK, -1)
    cv2.rectangle(image, box[:2], (box[0] + pad // 2, box[3]), color, -1)
    cv2.putText(image, text, (box[0] + pad, box[1] + pad + high), FONT, scale, WHITE, max(1, round(scale * 1.6)), cv2.LINE_AA)


def _bounds(polygon: Sequence[Point]) -> Box:
    corners = np.array(polygon)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return round(float(left)), round(float(top)), round(float(right)), round(float(bottom))


def _inside(image: MatLike, place: tuple[float, float], size: tuple[int, int]) -> Box:
    x = round(min(max(0.0, place[0]), max(0, image.shape[1] - size[0])))
    y = round(min(max(0.0, place[1]), max(0, image.shape[0] - size[1])))
    return x, y, x + size[0], y + size[1]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _scale(image: MatLike) -> float:
    """Return the scale of the font, whose letters are about 20 pixels wide at scale 1."""
    return max(0.35, float(image.shape[1]) * LETTER_WIDTH / 24)


def _to_ascii(text: str) -> str:
    return text.encode('ascii', 'replace').decode()


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
