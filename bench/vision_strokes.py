"""Lettering after DIN 1451, drawn from center lines of constant width: no package of Debian or PyPI has that typeface."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from cv2.typing import MatLike

Corner = tuple[float, float, float]
"""x to the right 0..4, y down 0..6, and the radius of the corner."""
WIDE, HIGH, STROKE, SPACE = 4.0, 6.0, 0.95, 1.9
NARROW = {'I': 1.2, '1': 3.0, '.': 0.8, ':': 0.8, ' ': 2.0}
"""Widths of characters that are not WIDE; their lines are centered at x = 2."""
ROUND: dict[str, list[list[Corner]]] = {
    'O': [[(0, 0, 2), (4, 0, 2), (4, 6, 2), (0, 6, 2), (0, 0, 2)]],
    'Q': [[(0, 0, 2), (4, 0, 2), (4, 6, 2), (0, 6, 2), (0, 0, 2)], [(2.4, 4.2, 0), (4.2, 6.3, 0)]],
    'C': [[(4, 1.6, 0), (4, 0, 1.9), (0, 0, 2), (0, 6, 2), (4, 6, 1.9), (4, 4.4, 0)]],
    'G': [[(4, 1.5, 0), (4, 0, 1.9), (0, 0, 2), (0, 6, 2), (4, 6, 1.9), (4, 3.3, 0), (2.2, 3.3, 0)]],
    'D': [[(0, 0, 0), (4, 0, 2), (4, 6, 2), (0, 6, 0), (0, 0, 0)]],
    'U': [[(0, 0, 0), (0, 6, 2), (4, 6, 2), (4, 0, 0)]],
    'J': [[(3, 0, 0), (3, 6, 1.5), (0, 6, 1.5), (0, 4.6, 0)]],
    'S': [[(4, 1.3, 0), (4, 0, 1.6), (0, 0, 1.6), (0, 2.7, 1.3), (4, 3.2, 1.3), (4, 6, 1.6), (0, 6, 1.6), (0, 4.7, 0)]],
    'B': [
        [(0, 2.9, 0), (3.7, 2.9, 1.4), (3.7, 0, 1.4), (0, 0, 0), (0, 6, 0), (4, 6, 1.5), (4, 2.9, 1.5), (0, 2.9, 0)],
    ],
    'P': [[(0, 6, 0), (0, 0, 0), (4, 0, 1.6), (4, 3.3, 1.6), (0, 3.3, 0)]],
    'R': [[(0, 6, 0), (0, 0, 0), (4, 0, 1.6), (4, 3.2, 1.6), (0, 3.2, 0)], [(2.3, 3.2, 0), (4.1, 6, 0)]],
    '0': [[(0.2, 0, 1.8), (3.8, 0, 1.8), (3.8, 6, 1.8), (0.2, 6, 1.8), (0.2, 0, 1.8)]],
    '2': [[(0, 1.7, 0), (0, 0, 1.9), (4, 0, 1.9), (4, 2.6, 1.2), (0, 6, 0), (4, 6, 0)]],
    '3': [
        [(0, 1.1, 0), (0, 0, 1.5), (3.8, 0, 1.4), (3.8, 2.8, 1.3), (1.6, 2.8, 0)],
        [(1.6, 2.8, 0), (4, 2.8, 1.5), (4, 6, 1.5), (0, 6, 1.6), (0, 4.8, 0)],
    ],
    '5': [[(3.7, 0, 0), (0.4, 0, 0), (0.4, 2.8, 0), (4, 2.3, 1.6), (4, 6, 1.8), (0, 6, 1.6), (0, 4.9, 0)]],
    '6': [[(3.0, 0, 0), (0, 3.2, 1.4), (0, 6, 1.8), (4, 6, 1.8), (4, 2.6, 1.7), (0, 2.6, 1.7), (0, 4.2, 0)]],
    '8': [
        [(0.3, 0, 1.4), (3.7, 0, 1.4), (3.7, 2.8, 1.4), (0.3, 2.8, 1.4), (0.3, 0, 1.4)],
        [(0, 2.8, 1.6), (4, 2.8, 1.6), (4, 6, 1.6), (0, 6, 1.6), (0, 2.8, 1.6)],
    ],
}
STRAIGHT = {
    'A': '0,6 2,0 4,6|0.8,4 3.2,4', 'E': '4,0 0,0 0,6 4,6|0,2.9 3.3,2.9', 'F': '4,0 0,0 0,6|0,2.9 3.3,2.9',
    'H': '0,0 0,6|4,0 4,6|0,2.9 4,2.9', 'I': '2,0 2,6', 'K': '0,0 0,6|4,0 0,4|1.6,2.6 4,6', 'L': '0,0 0,6 4,6',
    'M': '0,6 0,0 2,3.6 4,0 4,6', 'N': '0,6 0,0 4,6 4,0', 'T': '0,0 4,0|2,0 2,6', 'V': '0,0 2,6 4,0',
    'W': '0,0 1,6 2,1 3,6 4,0', 'X': '0,0 4,6|4,0 0,6', 'Y': '0,0 2,3.2 4,0|2,3.2 2,6', 'Z': '0,0 4,0 0,6 4,6',
    '1': '1,1.7 2.7,0 2.7,6', '4': '2.6,0 0,4.4 4,4.4|3,2.8 3,6', '7': '0,0 4,0 1.4,6', '-': '0.6,3.2 3.4,3.2',
    '/': '0.4,6.4 3.6,-0.4', '.': '2,5.9 2,6', '+': '0.4,3.2 3.6,3.2|2,1.6 2,4.8', ':': '2,2 2,2.1|2,5.9 2,6',
}  # fmt: skip


def stroke_lettering(text: str, height: int) -> MatLike:
    """Return a line as coverage, float32 0..1; capitals are `height` pixels high."""
    scale = 4 * height / (HIGH + STROKE)
    thick = max(1, round(STROKE * scale))
    widths = [NARROW.get(character, WIDE) for character in text]
    image = np.zeros((4 * height + 2 * thick, round((sum(widths) + SPACE * len(text)) * scale) + 2 * thick), np.uint8)
    for i, character in enumerate(text):
        left = thick + (sum(widths[:i]) + i * SPACE + (widths[i] - WIDE) / 2) * scale
        for line in _lines(character):
            points = np.array([(left + x * scale, thick + y * scale) for x, y in line])
            cv2.polylines(image, [np.round(points * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    size = (max(1, image.shape[1] // 4), max(1, image.shape[0] // 4))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _lines(character: str) -> list[list[tuple[float, float]]]:
    """Return the center lines of a character: x to the right 0..WIDE, y down 0..HIGH; none for an unknown character."""
    if character == '9':  # a six, turned
        return [[(WIDE - x, HIGH - y) for x, y in line] for line in _lines('6')]
    if character in ROUND:
        return [_rounded(corners) for corners in ROUND[character]]
    strokes = STRAIGHT.get(character, '')
    return [[(float(x), float(y)) for x, y in (p.split(',') for p in line.split())] for line in strokes.split('|') if line]


def _rounded(corners: list[Corner]) -> list[tuple[float, float]]:
    """Return a path whose corners are replaced by curves.

    Args:
        corners: Each with its radius; 0 leaves the corner sharp. A path that ends where it begins is closed.

    Returns:
        Points (x, y); a curve is a quadratic Bezier curve of nine points.
    """
    closed = corners[0][:2] == corners[-1][:2]
    path: list[tuple[float, float]] = []
    count = len(corners)
    for i, (x, y, radius) in enumerate(corners):
        ends = i in {0, count - 1}
        if not radius or (ends and not closed):
            path.append((x, y))
            continue
        before = corners[i - 1] if i else corners[-2]
        after = corners[i + 1] if i < count - 1 else corners[1]
        a, b = (_toward((x, y), other, radius) for other in (before, after))
        curve = [
            ((1 - t) ** 2 * a[0] + 2 * t * (1 - t) * x + t * t * b[0], (1 - t) ** 2 * a[1] + 2 * t * (1 - t) * y + t * t * b[1])
            for t in np.linspace(0, 1, 9).tolist()
        ]
        path += curve[4:] if ends and i == 0 else curve[:5] if ends else curve
    return path


def _toward(start: tuple[float, float], end: Corner, far: float) -> tuple[float, float]:
    """Return the point `far` from the start toward the end, at most halfway if the end is rounded, too."""
    long = math.dist(start, end[:2]) or 1.0
    share = min(far / long, 0.5 if end[2] else 1.0)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
