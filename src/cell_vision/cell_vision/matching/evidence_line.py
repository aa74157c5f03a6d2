"""A line of print as evidence: its log likelihoods, the recognizer's own best text, and where a number may begin and end.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cell_vision.likelihoods import ALPHABET, CLASSES, FLOOR, NOTHING, SPACE, Rendering
from cell_vision.matching.likelihood_score import EDGE_COST

__all__ = ['APART', 'GLUED', 'EvidenceLine', 'edge_costs', 'evidence_line', 'join_boxes']

GLUED, APART = NOTHING, SPACE
"""Between two boxes of a line: no visible gap, or a blank."""
_CHARACTERS = (*ALPHABET, '', '-', ' ')


@dataclass(frozen=True)
class EvidenceLine:
    """One rendering of a line."""

    values: Rendering
    """Log likelihoods, with the best of the classes without print in column NOTHING."""
    text: str
    """Best reading: letters, digits, "-" for any separator, blanks."""
    firsts: tuple[int, ...]
    """First step of each character of `text`."""
    ends: tuple[int, ...]
    """Just after its last step."""


def evidence_line(rendering: Rendering) -> EvidenceLine:
    """Return a rendering with its best reading."""
    best = rendering.argmax(1)
    starts = np.flatnonzero(np.diff(best, prepend=-1) != 0)
    stops = [*starts[1:].tolist(), len(best)][: len(starts)]
    runs = [(int(best[start]), int(start), stop) for start, stop in zip(starts, stops, strict=True) if best[start] != NOTHING]
    values = rendering.copy()
    values[:, NOTHING] = rendering[:, NOTHING:].max(1)
    return EvidenceLine(
        values,
        ''.join(_CHARACTERS[kind] for kind, _, _ in runs),
        tuple(start for _, start, _ in runs),
        tuple(stop for _, _, stop in runs),
    )


def join_boxes(pieces: Sequence[Rendering], between: Sequence[int]) -> Rendering:
    """Return the renderings of boxes of one line as one, with a step of certainty between them.

    Args:
        pieces: At least one, shape (steps, CLASSES) each, from left to right.
        between: GLUED or APART for each pair of neighbors.

    Returns:
        Shape (sum of steps + len(between), CLASSES).
    """
    rows = [pieces[0]]
    for kind, piece in zip(between, pieces[1:], strict=True):
        seam = np.full((1, CLASSES), FLOOR, np.float32)
        seam[0, kind] = 0.0
        rows += [seam, piece]
    return np.concatenate(rows)


def edge_costs(
    line: EvidenceLine, may_begin: Callable[[int], bool], may_end: Callable[[int], bool]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cost of beginning and of ending a number at each step, 0 or -EDGE_COST.

    Args:
        line: The line.
        may_begin: Whether a number may begin before character j of its text.
        may_end: Whether it may end there.
    """
    count = len(line.text)
    begins, ends = (
        np.array([0.0 if rule(j) else -EDGE_COST for j in range(count + 1)], np.float32) for rule in (may_begin, may_end)
    )
    steps = np.arange(len(line.values))
    before = np.searchsorted(np.array(line.ends, np.intp), steps, side='right')
    until = np.searchsorted(np.array(line.firsts, np.intp), steps, side='right')
    return begins[before], ends[until]
