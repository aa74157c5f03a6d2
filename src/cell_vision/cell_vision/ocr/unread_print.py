"""Finds print on a line, close beyond the box that was read: a single character that the text detector left out.

A number with a worn character in it falls into two pieces, and a piece of one character is easily lost. A worn character at the
end is too faint to be read, but differs from the ground. That nothing stood there is known where the ground is as elsewhere.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.ocr.box_geometry import height, length
from cell_vision.types import Point, Polygon

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['print_beyond']

STRIP_HEIGHT = 40
"""Height to which a line is scaled, pixels."""
LONGEST_STRIP = 1200
SEARCH_REACH = 2.0
"""How far beyond the box print is searched, in heights of the box."""
CONTEXT_HEIGHT = 0.4
"""How far above and below the box the frame is examined, in heights of the box: what goes on there is no print."""
LARGEST_GAP = 1.6
"""Print that begins farther from the last ink belongs to something else, in heights of the print."""
INK_CONTRAST = 0.5
"""Least difference from the ground, as a share of the contrast of the print."""
LEAST_CONTRAST = 15
"""Gray levels."""
LEAST_INK = 0.05
"""Least share of a column of the print that is ink."""
UNREAD_OVERHANG = 0.25
"""A character that reaches farther beyond the box was not read, in heights of the print."""
CHARACTER_GAP = 0.2
"""A narrower gap lies within a character, in heights of the print."""
MOST_OVERSHOOT = 0.15
"""A character reaches farther above or below the print of the line by at most this, in heights of the print."""
TRACE_BLUR = 1.3
"""Blur by which the grain of the ground becomes less than a worn stroke, pixels of the strip."""
TRACE_CONTRAST = 0.05
"""Least difference of a worn character from the ground, as a share of the contrast of the print."""
TRACE_NOISE = 4.0
"""The same in standard deviations of the ground around the line."""
TRACE_TEXTURE = 1.2
"""The same as a factor of what the ground has elsewhere beside the line (its highest 0.5 %): texture is no trace."""
TRACE_FROM, TRACE_TO = 0.12, 1.5
"""Where a worn character is searched, from the last ink of the line, in heights of the print: one, or a dash and one."""
TRACE_LINES = 0.4
"""Least share of the rows of the line that hold a trace."""
LOWEST, NARROWEST = 0.6, 0.08
"""Size of a character in heights of the print; a dash is lower, but no number ends with one."""


def print_beyond(image: MatLike, box: Polygon, others: Sequence[Polygon]) -> tuple[bool, bool]:
    """Return whether unread print stands close before the start and after the end of a line.

    Args:
        image: BGR, uint8.
        box: The line, clockwise from the top left of its text.
        others: Boxes of the other lines; print in them was read.
    """
    level, to_frame = _level(image, box)
    beyond = round(SEARCH_REACH * STRIP_HEIGHT)
    if level.shape[1] < 2 * beyond + STRIP_HEIGHT // 2:
        return False, False
    context = round(CONTEXT_HEIGHT * STRIP_HEIGHT)
    inside = level[context:-context, beyond:-beyond]
    ground = float(np.median(inside))
    difference = inside - ground
    high, low = np.percentile(difference, (97, 3))
    sign, contrast = (1.0, float(high)) if high >= -low else (-1.0, float(-low))
    if contrast < LEAST_CONTRAST:
        return False, False
    ink = sign * (level - ground) > INK_CONTRAST * contrast
    rows = np.flatnonzero(ink[context:-context, beyond:-beyond].mean(1) > 0.04) + context
    if len(rows) < STRIP_HEIGHT // 4:
        return False, False
    band = (int(rows[0]), int(rows[-1]) + 1)
    shade = np.asarray(cv2.GaussianBlur(sign * (level - _ground(level[band[0] : band[1]])), (0, 0), TRACE_BLUR), np.float32)
    end = _character_after(ink, beyond, band) or _trace_after(shade, ink, beyond, band, contrast)
    start = _character_after(ink[:, ::-1], beyond, band) or _trace_after(shade[:, ::-1], ink[:, ::-1], beyond, band, contrast)
    wide = ink.shape[1]

    def unread(column: float | None) -> bool:
        if column is None:
            return False
        x, y = (to_frame @ np.array([column, sum(band) / 2, 1.0])).tolist()
        return not any(_holds(other, (x, y)) for other in others)

    return unread(None if start is None else wide - 1 - start), unread(end)


def _level(image: MatLike, box: Polygon) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return a line and its surroundings as a gray strip, and the affine matrix from the strip to the frame.

    The surroundings are SEARCH_REACH at both ends, and CONTEXT_HEIGHT above and below.
    """
    a, b, _, d = (np.array(corner, np.float32) for corner in box)
    scale = STRIP_HEIGHT / height(box)
    along = (b - a) / max(1.0, length(box)) * SEARCH_REACH * height(box)
    down = (d - a) * CONTEXT_HEIGHT
    a, b, d = a - down, b - down, d + down
    tall = round(STRIP_HEIGHT * (1 + 2 * CONTEXT_HEIGHT))
    wide = min(LONGEST_STRIP, round((length(box) + 2 * SEARCH_REACH * height(box)) * scale))
    source = np.array([a - along, b + along, d - along], np.float32)
    target = np.array([(0, 0), (wide, 0), (0, tall)], np.float32)
    matrix = cv2.getAffineTransform(source, target)
    level = cv2.warpAffine(image, matrix, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gray = cv2.GaussianBlur(cv2.cvtColor(level, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    return np.asarray(gray, np.float32), np.asarray(cv2.getAffineTransform(target, source), np.float64)


def _character_after(ink: NDArray[np.bool_], beyond: int, band: tuple[int, int]) -> float | None:
    """Return the middle column of a character that stands alone right after the line, None if there is none."""
    top, bottom = band
    tall = bottom - top
    columns = ink[top:bottom].mean(0) >= LEAST_INK
    wide = ink.shape[1]
    last = np.flatnonzero(columns[: wide - beyond])
    if not len(last):
        return None
    # The end of the box may lie within the margin of a character: the line ends where its ink does.
    at = int(last[-1]) + 1
    while at < wide and columns[at]:
        at += 1
    if at < wide and at - (wide - beyond) > UNREAD_OVERHANG * tall:
        return (at + wide - beyond) / 2
    begin = at
    while begin < wide and not columns[begin]:
        begin += 1
    stop, joint = begin, max(1, round(CHARACTER_GAP * tall))
    while stop < wide and columns[stop : stop + joint].any():
        stop += 1
    if begin - at > LARGEST_GAP * tall or stop - begin < NARROWEST * tall:
        return None
    rows = np.flatnonzero(ink[:, begin:stop].any(1))
    reaches_beyond = (
        rows[0] < top - MOST_OVERSHOOT * tall or rows[-1] > bottom + MOST_OVERSHOOT * tall
    )  # As an edge of the part or a frame around the print.
    low = len(np.flatnonzero(ink[top:bottom, begin:stop].any(1))) < LOWEST * tall
    return None if reaches_beyond or low else (begin + stop) / 2


def _ground(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gray level of the ground at each column of a line: the running median over three heights of it."""
    step = 4
    reach = 3 * len(line) // (2 * step)
    columns = np.median(line, 0)[::step]
    padded = np.pad(columns, reach, mode='edge')
    running = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), 1)
    return np.asarray(np.interp(np.arange(line.shape[1]), np.arange(len(columns)) * step, running), np.float32)


def _trace_after(
    shade: NDArray[np.float32], ink: NDArray[np.bool_], beyond: int, band: tuple[int, int], contrast: float
) -> float | None:
    """Return the middle column of a worn character right after the line, None if the ground there is like elsewhere.

    Args:
        shade: Difference from the ground, positive where it is like ink.
        ink: Where it is print.
        beyond: Columns at each end that lie beyond the box.
        band: First row of the print and the one after its last.
        contrast: Of the print.
    """
    top, bottom = band
    tall, wide = bottom - top, shade.shape[1]
    last = np.flatnonzero(ink[top:bottom, : wide - beyond // 2].mean(0) >= LEAST_INK)
    if not len(last):
        return None
    begin = int(last[-1]) + 1 + round(TRACE_FROM * tall)
    stop = min(wide, begin + round((TRACE_TO - TRACE_FROM) * tall))
    if stop - begin < NARROWEST * tall:
        return None
    elsewhere = np.concatenate(
        [shade[: max(1, top - 2), begin:].ravel(), shade[bottom + 2 :, begin:].ravel(), shade[:, stop:].ravel()]
    )
    if not len(elsewhere):
        return None
    noise = 1.48 * float(np.median(np.abs(elsewhere)))
    limit = max(TRACE_CONTRAST * contrast, TRACE_NOISE * noise, TRACE_TEXTURE * float(np.percentile(elsewhere, 99.5)))
    seen = (shade[:, begin:stop] > limit).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=8)
    inside = np.zeros(seen.shape, np.bool_)
    for i in range(1, count):
        y, high, area = (int(stats[i, k]) for k in (cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
        if area > 2 and y >= top - MOST_OVERSHOOT * tall and y + high <= bottom + MOST_OVERSHOOT * tall:
            inside |= labels == i
    if inside.any(1).sum() < TRACE_LINES * tall or inside.any(0).sum() < NARROWEST * tall:
        return None
    return begin + float(np.flatnonzero(inside.any(0)).mean())


def _holds(box: Polygon, point: Point) -> bool:
    return cv2.pointPolygonTest(np.array(box, np.float32), point, measureDist=False) >= 0
