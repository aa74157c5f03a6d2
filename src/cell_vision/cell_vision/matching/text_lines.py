"""Groups the text boxes of a frame into lines of print, by their geometry.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import cv2
import numpy as np

from cell_vision.likelihoods import Rendering, StripEnds, ends_of, frame_of, unpack
from cell_vision.matching.alignment import SEAM, normalize
from cell_vision.matching.evidence_line import APART, GLUED, join_boxes
from cell_vision.ocr.box_geometry import center, enclose, overlaps
from cell_vision.types import MISSING, Point, Polygon, Reading

_Item = TypeVar('_Item')

SAME_ANGLE = math.radians(20)
SAME_HEIGHT = 1.7
SAME_BASELINE = 0.5
"""Two boxes are on one line if their centers differ by less than this across the line, in letter heights."""
SEAM_GAP = 0.6
"""A narrower gap is not a blank, in letter heights."""
MOST_OVERLAP = 0.9
"""Boxes that overlap by more than this are readings of the same print, in letter heights."""
GLUED_GAP = 0.25
"""The ends of two boxes of one word are closer than this, in heights of a box, which reaches beyond the print."""
LINE_GAP = 2.5
"""A wider gap ends the line, in letter heights."""
# Measured: see docs/decisions/0007, draws 3 and 4.
PART_GAP = 5.0
"""Lines farther apart than this belong to different parts, in letter heights of the larger one."""
MARK_CHARACTERS = MISSING + ' ' + SEAM
NEXT_LINE = 2.2
"""Largest distance to the center of the next line, in letter heights."""


@dataclass(frozen=True)
class TextLine:
    """A line of print.

    Attributes:
        text: Normalized; see `cell_vision.matching.alignment`.
        score: Lowest confidence of its boxes, 0..1.
        polygon: Corners of its box, or of a box around all its boxes, pixels.
        display_text: As read, for messages.
        holes: Indices into `text` where a character may be missing; inside the text a blank stands
            there.
        strips: Log likelihoods: the renderings of each strip of the line; empty when the engine
            gave none for all its boxes.
        ends: What the frame shows at the ends of each strip.
        frames: Number of the frame of each strip.
        key: The packed likelihoods and seams from which `strips` were made: equal for equal ones.
    """

    text: str
    score: float
    polygon: tuple[Point, ...]
    display_text: str
    holes: tuple[int, ...] = ()
    strips: tuple[tuple[Rendering, ...], ...] = field(default=(), compare=False, repr=False)
    ends: tuple[StripEnds, ...] = field(default=(), compare=False, repr=False)
    frames: tuple[int, ...] = field(default=(), compare=False, repr=False)
    key: tuple[bytes, ...] = field(default=(), compare=False, repr=False)


def are_adjacent(one: TextLine, other: TextLine) -> bool:
    """Return whether two lines are so close that they may belong to one part.

    Args:
        one: A line.
        other: Another line of the same frame.
    """
    reach = PART_GAP * max(_height(one), _height(other))
    first, second = (np.array(line.polygon, np.float32).reshape(-1, 1, 2) for line in (one, other))
    return any(
        cv2.pointPolygonTest(area, (float(x), float(y)), measureDist=True) >= -reach
        for area, points in ((first, other.polygon), (second, one.polygon))
        for x, y in points
    )


def never(_above: str, _below: str) -> bool:
    """Return False: only a hyphen joins two lines."""
    return False


def same_place(one: TextLine, other: TextLine) -> bool:
    """Return whether two lines are readings of the same print.

    Args:
        one: A line with a polygon of four corners; others are nowhere.
        other: A line of the same frame.
    """
    boxes = [line.polygon for line in (one, other)]
    return all(len(box) == 4 for box in boxes) and overlaps(_quad(boxes[0]), _quad(boxes[1]), SAME_BASELINE)


def _quad(points: Sequence[Point]) -> Polygon:
    a, b, c, d = points
    return a, b, c, d


def _height(line: TextLine) -> float:
    return float(min(cv2.minAreaRect(np.array(line.polygon, np.float32))[1]))


@dataclass(frozen=True)
class _Box:
    reading: Reading
    center: Point
    angle: float
    wide: float
    high: float


def group_lines(readings: Sequence[Reading], joins: Callable[[str, str], bool] = never) -> list[TextLine]:
    """Return the lines of a frame; a text that goes on on the next line is returned as an additional line.

    Args:
        readings: Texts of one frame, in any order and direction; lines may run at any angle.
        joins: Whether a line (normalized) and the one below it are one text, though no hyphen ends the upper one.

    Returns:
        Lines in no particular order. The single rows of a joined text stay in the result,
        because the hyphen may be print of its own.
    """
    rows = _rows([_box(reading) for reading in readings])
    lines = [_line(row) for row in rows]
    for above in rows:
        below = [row for row in rows if row is not above and _continues(above, row, joins)]
        lines += [_line([*above, *row], wrapped=True) for row in below]
    return lines


def _box(reading: Reading) -> _Box:
    a, b, c, d = reading.polygon
    angle = math.atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0])
    wide = (math.dist(a, b) + math.dist(d, c)) / 2
    high = (math.dist(a, d) + math.dist(b, c)) / 2
    return _Box(reading, center(reading.polygon), angle, wide, max(1.0, high))


def _rows(boxes: list[_Box]) -> list[list[_Box]]:
    """Chain each box to the nearest one that follows it on its line."""
    following: dict[int, int] = {}
    pairs = sorted(
        (gap, i, j)
        for i, left in enumerate(boxes)
        for j, right in enumerate(boxes)
        if i != j and (gap := _gap(left, right)) is not None
    )
    for _, i, j in pairs:
        # Pairs come sorted by their gap: the nearest follower is taken, and each box follows one
        # other at most.
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
    if not _similar_height(left, right):
        return None
    high = (left.high + right.high) / 2
    along, across = _offset(left, right)
    if along < left.wide / 2:
        return None  # Its center lies in the left one: another reading of the same print, not what follows it.
    gap = (along - (left.wide + right.wide) / 2) / high
    return gap if abs(across) < SAME_BASELINE * high and along > 0 and -MOST_OVERLAP < gap < LINE_GAP else None


def _similar_height(one: _Box, other: _Box) -> bool:
    turn = abs(math.remainder(one.angle - other.angle, math.tau))
    return turn < SAME_ANGLE and max(one.high, other.high) < SAME_HEIGHT * min(one.high, other.high)


def _offset(one: _Box, other: _Box) -> tuple[float, float]:
    """Return the offset of `other` along and across the line of `one`, pixels; across is positive below."""
    dx, dy = other.center[0] - one.center[0], other.center[1] - one.center[1]
    cos, sin = math.cos(one.angle), math.sin(one.angle)
    return dx * cos + dy * sin, dy * cos - dx * sin


def _continues(above: list[_Box], below: list[_Box], joins: Callable[[str, str], bool]) -> bool:
    last, first = above[-1], below[0]
    upper, lower = normalize(last.reading.text), normalize(first.reading.text)
    if not (upper.endswith('-') or joins(upper, lower)) or not _similar_height(last, first):
        return False
    along, across = _offset(above[0], first)
    return 0 < across < NEXT_LINE * last.high and abs(along) < (above[0].wide + first.wide) / 2


def _line(row: list[_Box], *, wrapped: bool = False) -> TextLine:
    """Join the boxes of a row to one line.

    Args:
        row: At least one, from left to right.
        wrapped: The boxes stand in two lines of print, and a number is broken between them.
    """
    text, seams = normalize(row[0].reading.text), []
    for left, right in pairwise(row):
        gap = _gap(left, right)
        line_break = gap is None and wrapped
        text += (SEAM if line_break or (gap is not None and gap < SEAM_GAP) else ' ') + normalize(right.reading.text)
        seams.append(GLUED if line_break or (gap is not None and gap < GLUED_GAP) else APART)
    display_text = ' '.join(box.reading.text for box in row)
    text, holes = _without_marks(text)
    score = min(box.reading.score for box in row)
    polygon = enclose([box.reading.polygon for box in row])
    packed = _strips(row)
    return TextLine(
        text,
        score,
        polygon,
        display_text,
        holes,
        tuple(_joined(strip, seams) for strip in packed),
        tuple(_ends(strip) for strip in packed),
        tuple(frame_of(strip[0]) for strip in packed),
        _key(row, seams),
    )


def _strips(row: list[_Box]) -> list[tuple[bytes, ...]]:
    """Return the strips of a line, each a packed one of every box: the first strips of a frame together, then the second ones.

    Empty when the engine gave none for one of the boxes.
    """
    boxes = [box.reading.likelihoods for box in row]
    if not all(boxes):
        return []
    if len(boxes) == 1:
        return [(strip,) for strip in boxes[0]]
    result = []
    for frame in sorted(set.intersection(*({frame_of(strip) for strip in strips} for strips in boxes))):
        own = [[strip for strip in strips if frame_of(strip) == frame] for strips in boxes]
        result += [tuple(_at(strips, number) for strips in own) for number in range(max(map(len, own)))]
    # No frame has all boxes of the line.
    return result or [tuple(_at(strips, number) for strips in boxes) for number in range(max(map(len, boxes)))]


def _joined(strip: Sequence[bytes], seams: Sequence[int]) -> tuple[Rendering, ...]:
    pieces = [unpack(piece) for piece in strip]
    if len(pieces) == 1:
        return tuple(pieces[0])
    return tuple(join_boxes([_at(piece, i) for piece in pieces], seams) for i in range(max(map(len, pieces))))


def _ends(strip: Sequence[bytes]) -> StripEnds:
    """Return the ends of a strip: the start of its first box, the end of its last one."""
    first, last = ends_of(strip[0]), ends_of(strip[-1])
    return StripEnds(first.cut_start, last.cut_end, first.more_before, last.more_after)


def _key(row: list[_Box], seams: Sequence[int]) -> tuple[bytes, ...]:
    return (*(strip for box in row for strip in (*box.reading.likelihoods, b'')), bytes(seams))


def _at(items: Sequence[_Item], index: int) -> _Item:
    return items[min(index, len(items) - 1)]


def _without_marks(text: str) -> tuple[str, tuple[int, ...]]:
    """Return a text with a blank for each MISSING inside it, and the places of all."""
    kept, holes = '', []
    for i, character in enumerate(text):
        if character != MISSING:
            kept += character
            continue
        holes.append(len(kept))
        inside = text[:i].strip(MARK_CHARACTERS) and text[i + 1 :].strip(MARK_CHARACTERS)
        if inside and not kept.endswith(' ') and text[i + 1] != ' ':
            kept += ' '
    return kept, tuple(holes)
