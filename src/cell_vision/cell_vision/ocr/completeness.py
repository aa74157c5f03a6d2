"""Finds ends of a line that may be cut off: by the rim of the frame, glare, a finger, or the outline of the part.

Where the ground changes right after the last visible character, more print may be hidden or missing.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.likelihoods import StripEnds, with_ends
from cell_vision.ocr.box_geometry import height, length
from cell_vision.ocr.engines.ink_gaps import gaps_of_text
from cell_vision.ocr.engines.pitch import mark_gaps
from cell_vision.ocr.unread_print import print_beyond
from cell_vision.types import MISSING, UNREAD, Polygon, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['cut_ends', 'mark_cut_ends']

STRIP_HEIGHT = 40
"""Height to which a line is scaled, pixels."""
# Bounds the time of a strip that the detector stretched over the whole frame.
LONGEST_STRIP = 1200
GROUND_REACH = 0.3
"""How far beyond the box of a line the ground is examined, in heights of the box."""
RIM_DISTANCE = 0.1
"""A box that ends closer than this to the rim of the frame may be cut off, in its heights. A box is larger than its print."""
MARGIN = 0.1
"""Outer share of the height of a box that holds no print of its line."""
FOREIGN_SHARE = 0.85
"""Least share of a column that differs from the ground where something else begins."""
LEAST_STEP = 20
"""Least difference from the ground, gray levels."""
SHARE_OF_CONTRAST = 0.4
"""The same as a share of the contrast of the print."""
TOUCHING_GAP = 0.22
"""Something that begins closer than this to the last ink touches the print, in heights of the box."""
PLATEAU_LENGTH = 0.15
"""What is not print covers at least this much of the strip's end, in heights of the box."""
TOUCHING_DEPTH = 0.45
"""Something that reaches this far into the box touches the print, in its heights."""
EDGE, SHARP = 0.15, 0.5
"""At the edge of something the gray level changes within EDGE heights by at least this share of the limit."""
LEAST_CHARACTERS = 3
LONE_END = re.compile(rf'^\w[ {MISSING}]|[ {MISSING}]\w$')
"""A text with a single character at an end, behind a blank or a gap."""
LIGHT_SEGMENTS = 8
"""Pieces of a line whose brightness shows how the light falls off along it."""


def mark_cut_ends(image: MatLike, readings: Sequence[Reading], others: Sequence[Reading] = ()) -> list[Reading]:
    """Return the readings of a frame with MISSING at each end that may be cut off, or near which unread print stands.

    Unread print is MISSING after a blank: it may belong to the line, or not. The likelihoods of a reading carry its ends, too.

    Args:
        image: The frame, BGR, uint8.
        readings: Its texts.
        others: Further readings of the frame, as of other passes: their print was read.
    """
    # A single character beside a line may be the rest of its number after a worn one: it does not count as read, nor does a
    # longer box of the line that holds it behind a blank.
    boxes = {
        other.polygon
        for other in (*readings, *others)
        if sum(map(str.isalnum, other.text)) > 1 and not LONE_END.search(other.text)
    }
    return [_marked(image, reading, [box for box in boxes if box != reading.polygon]) for reading in readings]


def _marked(image: MatLike, reading: Reading, others: Sequence[Polygon]) -> Reading:
    """Return a reading with a mark wherever print may be lost: at a cut end, in a gap, or where unread print stands beside it.

    Args:
        image: Frame of the reading, shape (height, width, 3), BGR.
        reading: One text.
        others: Polygons of all other texts, which explain print beside it.
    """
    # Short texts are no part numbers, and a mark would only add noise to them.
    if reading.text == UNREAD or sum(map(str.isalnum, reading.text)) < LEAST_CHARACTERS:
        return reading
    start, end = cut_ends(image, reading.polygon)
    text, gapped = reading.text.strip(), False
    if not reading.likelihoods and MISSING not in text and any(map(str.isdigit, text)):
        # An engine that gives only text has not measured the gaps.
        text = _with_gaps(image, reading.polygon, text)
        gapped = MISSING in text
    before, after = print_beyond(image, reading.polygon, others) if any(map(str.isdigit, text)) else (False, False)
    if not (start or end or before or after or gapped):
        return reading
    ends = StripEnds(start, end, before and not start, after and not end)
    if before and not start:
        text = f'{MISSING} {text}'
    if after and not end:
        text = f'{text} {MISSING}'
    if start and not text.startswith(MISSING):
        text = MISSING + text
    if end and not text.endswith(MISSING):
        text += MISSING
    return replace(reading, text=text, likelihoods=tuple(with_ends(strip, ends) for strip in reading.likelihoods))


def _with_gaps(image: MatLike, box: Polygon, text: str) -> str:
    strip = _strip(image, box)
    beyond = round(GROUND_REACH * STRIP_HEIGHT)
    inside = np.clip(strip[:, beyond : strip.shape[1] - beyond], 0, 255).astype(np.uint8)
    printed = text.replace(' ', '')
    return mark_gaps(text, printed, gaps_of_text(inside, text)) or text if inside.size else text


def cut_ends(image: MatLike, box: Polygon) -> tuple[bool, bool]:
    """Return whether the start and the end of a line may be cut off.

    Args:
        image: BGR, uint8.
        box: The line, clockwise from the top left of its text.
    """
    at_rim = _touches_rim(image.shape[1], image.shape[0], box)
    # Both ends are outside: there is nothing to measure.
    if all(at_rim):
        return at_rim
    strip = _strip(image, box)
    beyond = round(GROUND_REACH * STRIP_HEIGHT)
    inside = strip[:, beyond : strip.shape[1] - beyond] if strip.shape[1] > 4 * beyond else strip
    strip = strip - _ground(inside, (strip.shape[1] - inside.shape[1]) // 2, strip.shape[1])
    contrast = float(np.percentile(np.abs(strip[:, beyond:-beyond] if inside.shape != strip.shape else strip), 95))
    limit = max(LEAST_STEP, SHARE_OF_CONTRAST * contrast)
    return (
        at_rim[0] or _something_touches(strip[:, ::-1], limit),
        at_rim[1] or _something_touches(strip, limit),
    )


def _ground(inside: NDArray[np.float32], begin: int, wide: int) -> NDArray[np.float32]:
    """Return the gray level of the ground at each column of a strip: light that falls off along a line is no edge.

    A line is laid through the medians of LIGHT_SEGMENTS; the median of their slopes passes over a reflection in some of them.

    Args:
        inside: The part of the strip with the print.
        begin: Its first column in the strip.
        wide: Columns of the strip.
    """
    if inside.shape[1] < 2 * LIGHT_SEGMENTS:
        return np.full(wide, np.median(inside), np.float32)
    pieces = np.array_split(np.arange(inside.shape[1]), LIGHT_SEGMENTS)
    places = np.array([piece.mean() for piece in pieces])
    levels = np.array([np.median(inside[:, piece]) for piece in pieces])
    first, second = np.triu_indices(LIGHT_SEGMENTS, 1)
    slope = float(np.median((levels[second] - levels[first]) / (places[second] - places[first])))
    level = float(np.median(levels - slope * places))
    return np.asarray(level + slope * (np.arange(wide) - begin), np.float32)


def _touches_rim(wide: int, high: int, box: Polygon) -> tuple[bool, bool]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = box
    reach, long = RIM_DISTANCE * height(box), max(1.0, length(box))
    ux, uy = (bx - ax) / long * reach, (by - ay) / long * reach

    def outside(x: float, y: float) -> bool:
        return x <= 0 or y <= 0 or x >= wide - 1 or y >= high - 1

    start = outside(ax - ux, ay - uy) or outside(dx - ux, dy - uy)
    end = outside(bx + ux, by + uy) or outside(cx + ux, cy + uy)
    return start, end


def _strip(image: MatLike, box: Polygon) -> NDArray[np.float32]:
    """Return a line with GROUND_REACH at both ends: gray, float32, STRIP_HEIGHT pixels high."""
    a, b, _, d = (np.array(corner, np.float32) for corner in box)
    scale = STRIP_HEIGHT / height(box)
    along = (b - a) / max(1.0, length(box)) * GROUND_REACH * height(box)
    wide = min(LONGEST_STRIP, max(8, math.ceil((length(box) + 2 * GROUND_REACH * height(box)) * scale)))
    source = np.array([a - along, b + along, d - along], np.float32)
    matrix = cv2.getAffineTransform(source, np.array([(0, 0), (wide, 0), (0, STRIP_HEIGHT)], np.float32))
    # BORDER_REPLICATE: beyond the frame the ground continues, so that the rim itself is no change
    # of ground.
    level = cv2.warpAffine(image, matrix, (wide, STRIP_HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(level, cv2.COLOR_BGR2GRAY), np.float32)


def _something_touches(strip: NDArray[np.float32], limit: float) -> bool:
    """Return whether something other than print begins right after the last ink.

    Args:
        strip: Difference from the ground, the end in question on the right.
        limit: What differs by more is something else, gray levels.
    """
    differs = np.abs(strip) > limit
    high, wide = differs.shape
    covered = differs.mean(0) >= FOREIGN_SHARE
    if not covered[-round(PLATEAU_LENGTH * high) :].all():
        return False  # A stroke of a letter may be as high as the box, but ground follows it.
    edge = max(1, round(MARGIN * high))
    outer = np.asarray(differs[:edge].any(0) | differs[-edge:].any(0))
    begin = wide - 1
    while begin > 0 and (covered[begin - 1] or outer[begin - 1]):
        begin -= 1
    step = round(EDGE * high)
    before, after = np.median(strip[:, max(0, begin - step) : begin], 0), float(np.median(strip[:, begin : begin + step]))
    if len(before) and float(np.abs(before - after).max()) < SHARP * limit:
        return False  # The light falls off; an edge is sharper.
    ink = np.flatnonzero(differs[2 * edge : -2 * edge, :begin].any(0))
    if not len(ink):
        return False
    reaches_into_print = wide - begin > (GROUND_REACH + TOUCHING_DEPTH) * high
    return reaches_into_print or begin - int(ink[-1]) <= TOUCHING_GAP * high
