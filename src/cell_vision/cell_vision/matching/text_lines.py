"""Join the boxes that an OCR engine found into lines of print, by their geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from cell_vision.matching.alignment import SEAM, normalise
from cell_vision.types import Point, Polygon, Reading

SAME_ANGLE = math.radians(20)
SAME_HEIGHT = 1.7
SAME_BASELINE = 0.5
"""Two boxes stand on one line when their middles differ by less than this across the line, in letter heights."""
SEAM_GAP = 0.6
"""A gap narrower than this is no blank, in letter heights."""
LINE_GAP = 2.5
"""A gap wider than this ends the line, in letter heights."""
TOGETHER = 5.0
"""Lines farther apart than this are of different parts, in letter heights of the larger one."""
NEXT_LINE = 2.2
"""The next line's middle is at most this far below, in letter heights."""


@dataclass(frozen=True)
class Line:
    """A line of print."""

    text: str
    """Normalised; see `cell_vision.matching.alignment`."""
    score: float
    """Least confidence of its boxes, 0..1."""
    polygon: tuple[Point, ...]
    """Of its first box when it has one, else around all, pixels."""
    shown: str
    """As read, for people."""


def stand_together(one: Line, other: Line) -> bool:
    """Say whether two lines are so near each other that they may be of one part."""
    reach = TOGETHER * max(_height(one), _height(other))
    first, second = (np.array(line.polygon, np.float32).reshape(-1, 1, 2) for line in (one, other))
    return any(
        cv2.pointPolygonTest(area, (float(x), float(y)), measureDist=True) >= -reach
        for area, points in ((first, other.polygon), (second, one.polygon))
        for x, y in points
    )


def _height(line: Line) -> float:
    return float(min(cv2.minAreaRect(np.array(line.polygon, np.float32))[1]))


@dataclass(frozen=True)
class _Box:
    reading: Reading
    middle: Point
    angle: float
    wide: float
    high: float


def join_lines(readings: Sequence[Reading]) -> list[Line]:
    """Return the lines of a frame; a text that a hyphen carries over to the next line is returned as one line more."""
    rows = _rows([_box(reading) for reading in readings])
    lines = [_line(row) for row in rows]
    for above in rows:
        below = [row for row in rows if row is not above and _continues(above, row)]
        lines += [_line([*above, *row], wrapped=True) for row in below]
    return lines


def _box(reading: Reading) -> _Box:
    a, b, c, d = reading.polygon
    middle = (sum(p[0] for p in reading.polygon) / 4, sum(p[1] for p in reading.polygon) / 4)
    angle = math.atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0])
    wide = (math.dist(a, b) + math.dist(d, c)) / 2
    high = (math.dist(a, d) + math.dist(b, c)) / 2
    return _Box(reading, middle, angle, wide, max(1.0, high))


def _rows(boxes: list[_Box]) -> list[list[_Box]]:
    """Chain the boxes: each to the nearest one that follows it on its line."""
    following: dict[int, int] = {}
    pairs = sorted(
        (gap, i, j)
        for i, left in enumerate(boxes)
        for j, right in enumerate(boxes)
        if i != j and (gap := _gap(left, right)) is not None
    )
    for _, i, j in pairs:
        if i not in following and j not in following.values():
            following[i] = j
    rows = []
    for start in sorted(set(range(len(boxes))) - set(following.values())):
        row, at = [boxes[start]], start
        while at in following:
            at = following[at]
            row.append(boxes[at])
        rows.append(row)
    return rows


def _gap(left: _Box, right: _Box) -> float | None:
    """Return the gap between two boxes of one line in letter heights, None when `right` does not follow `left`."""
    if not _alike(left, right):
        return None
    high = (left.high + right.high) / 2
    along, across = _offset(left, right)
    gap = (along - (left.wide + right.wide) / 2) / high
    return gap if abs(across) < SAME_BASELINE * high and along > 0 and -SAME_HEIGHT < gap < LINE_GAP else None


def _alike(one: _Box, other: _Box) -> bool:
    turn = abs(math.remainder(one.angle - other.angle, math.tau))
    return turn < SAME_ANGLE and max(one.high, other.high) < SAME_HEIGHT * min(one.high, other.high)


def _offset(one: _Box, other: _Box) -> tuple[float, float]:
    """Return how far `other` is along and across the line of `one`, pixels; across is positive below."""
    dx, dy = other.middle[0] - one.middle[0], other.middle[1] - one.middle[1]
    cos, sin = math.cos(one.angle), math.sin(one.angle)
    return dx * cos + dy * sin, dy * cos - dx * sin


def _continues(above: list[_Box], below: list[_Box]) -> bool:
    last, first = above[-1], below[0]
    if not normalise(last.reading.text).endswith('-') or not _alike(last, first):
        return False
    along, across = _offset(above[0], first)
    return 0 < across < NEXT_LINE * last.high and abs(along) < (above[0].wide + first.wide) / 2


def _line(row: list[_Box], *, wrapped: bool = False) -> Line:
    text = normalise(row[0].reading.text)
    for left, right in pairwise(row):
        gap = _gap(left, right)
        blank = SEAM if (gap is None and wrapped) or (gap is not None and gap < SEAM_GAP) else ' '
        text += blank + normalise(right.reading.text)
    shown = ' '.join(box.reading.text for box in row)
    return Line(text, min(box.reading.score for box in row), _around(row), shown)


def _around(row: list[_Box]) -> Polygon:
    if len(row) == 1:
        return row[0].reading.polygon
    first, last = row[0].reading.polygon, row[-1].reading.polygon
    return first[0], last[1], last[2], first[3]
