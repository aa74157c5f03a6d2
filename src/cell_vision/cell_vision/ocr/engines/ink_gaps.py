"""Measures gaps between the characters of a line on the image: columns without ink.

Where a character is worn off, the recognizer reads its neighbors as if they stood side by side. The image still shows how
much room is between them, finer than the recognizer's steps of a sixth of the strip's height.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['gaps_of_text', 'ink_gaps', 'ink_mask', 'wide_gaps']

HEIGHT = 48
"""Height to which a strip is scaled, pixels."""
INK = 0.25
"""Least difference from the ground, as a share of the contrast of the print: also a faint stroke is ink."""
LEAST_CONTRAST = 12
"""Gray levels; print fainter than this has no measurable gaps."""
GRAIN, MOST_GRAIN = 4.0, 0.5
"""Noise counts as GRAIN times the median difference of neighboring pixels; above this share of the contrast it hides gaps."""
MARGIN = 0.03
"""Outer share of the height that belongs to other lines."""
WIDE, WIDER = 0.6, 0.35
"""A gap of at least WIDE heights, and by WIDER larger than the usual one, has room for a character. Right prints of all our
typefaces have up to 0.55, with a character missing from 0.8 on."""
OPEN_RIGHT, OPEN_LEFT, OPEN_ROOM = 'LFP7', 'J4', 0.3
"""Characters with one thin stroke on that side: where it is faint, the gap beside them looks wider by up to OPEN_ROOM."""
LEAST_GAPS = 3
SPECK = 0.06
"""A column with less ink than this share of the height is empty."""


def ink_mask(strip: MatLike) -> NDArray[np.bool_] | None:
    """Return where a strip has ink, HEIGHT pixels high; None when it has too little contrast."""
    scale = HEIGHT / strip.shape[0]
    gray = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY) if strip.ndim == 3 else strip
    size = (max(8, round(strip.shape[1] * scale)), HEIGHT)
    level = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    smooth = np.asarray(cv2.GaussianBlur(level, (3, 3), 0), np.float32)
    edge = round(MARGIN * HEIGHT)
    rows = smooth[edge:-edge]
    ground = np.median(rows)
    dark, bright = np.percentile(rows - ground, (3, 97))
    sign, contrast = (1.0, float(bright)) if bright >= -dark else (-1.0, float(-dark))
    grain = GRAIN * float(np.median(np.abs(np.diff(rows, axis=1))))
    if contrast < LEAST_CONTRAST or grain > MOST_GRAIN * contrast:
        return None
    return np.asarray(sign * (smooth - ground) > max(INK * contrast, grain))


def ink_gaps(strip: MatLike, places: Sequence[float]) -> list[float]:
    """Return for each pair of neighboring characters the longest run of empty columns between them, in heights of the print.

    Args:
        strip: The line, BGR, uint8.
        places: Center of each character, as a share of the strip's width.

    Returns:
        One value fewer than characters; empty when the print is too faint to measure.
    """
    mask = ink_mask(strip)
    if mask is None or len(places) < 2:
        return []
    edge = round(MARGIN * HEIGHT)
    inside = mask[edge:-edge]
    rows = np.flatnonzero(inside.mean(1) > SPECK)
    high = float(rows[-1] - rows[0] + 1) if len(rows) else float(len(inside))
    empty = inside.sum(0) < max(1.5, SPECK * high)
    at = [min(mask.shape[1] - 1, max(0, round(place * mask.shape[1]))) for place in places]
    return [_longest_run(empty[begin : end + 1]) / high for begin, end in pairwise(at)]


def gaps_of_text(strip: MatLike, text: str) -> list[int]:
    """Return the gaps of a line whose character places are unknown, as with an engine that only gives text.

    The characters are taken to be equally wide, so a gap may be placed one character off in proportional print.

    Args:
        strip: The line, gray or BGR, uint8.
        text: Its characters; blanks are gaps that were read.

    Returns:
        Indices of the characters before the gaps that no blank explains; blanks of the text do not count.
    """
    mask = ink_mask(strip)
    count = sum(character != ' ' for character in text)
    if mask is None or count <= LEAST_GAPS:
        return []
    edge = round(MARGIN * HEIGHT)
    inside = mask[edge:-edge]
    rows = np.flatnonzero(inside.mean(1) > SPECK)
    if not len(rows):
        return []
    high = float(rows[-1] - rows[0] + 1)
    inked = np.flatnonzero(inside.sum(0) >= max(1.5, SPECK * high))
    spaces = np.diff(inked) - 1
    narrow = spaces[(spaces > 0) & (spaces < WIDE * high)]
    usual = float(np.median(narrow)) / high if len(narrow) else 0.0
    wide = np.flatnonzero(spaces >= max(WIDE, usual + WIDER) * high)
    blanks = {sum(c != ' ' for c in text[:i]) for i, character in enumerate(text) if character == ' '}
    if len(wide) <= len(blanks):
        return []
    solid = float(inked[-1] - inked[0] + 1 - sum(spaces[at] - usual * high for at in wide))
    found, lost = [], 0.0
    for at in wide.tolist():
        before = round((float(inked[at] - inked[0] + 1) - lost) / solid * count)
        lost += float(spaces[at]) - usual * high
        if before not in blanks and 0 < before < count:
            found.append(before - 1)
    return found


def wide_gaps(text: str, gaps: Sequence[float]) -> list[int]:
    """Return the indices of the gaps in which a character may be missing.

    Args:
        text: The characters, without blanks.
        gaps: Of `ink_gaps`.
    """
    if len(gaps) < LEAST_GAPS or len(gaps) != len(text) - 1:
        return []
    usual = median(gaps)
    rooms = [OPEN_ROOM * ((left in OPEN_RIGHT) + (right in OPEN_LEFT)) for left, right in pairwise(text.upper())]
    return [i for i, (gap, room) in enumerate(zip(gaps, rooms, strict=True)) if gap - room >= max(WIDE, usual + WIDER)]


def _longest_run(empty: NDArray[np.bool_]) -> int:
    longest = run = 0
    for column in empty.tolist():
        run = run + 1 if column else 0
        longest = max(longest, run)
    return longest
