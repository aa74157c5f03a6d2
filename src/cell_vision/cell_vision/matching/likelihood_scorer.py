"""Scores the parts of a catalogue on the likelihoods of one line: the mean over its renderings, the best of its strips.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cell_vision.likelihoods import ALPHABET, SPACE, Rendering, StripEnds
from cell_vision.matching.alignment import Affixes, edge_predicates
from cell_vision.matching.completeness import NumberPlace
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.evidence_line import EvidenceLine, edge_costs, evidence_line
from cell_vision.matching.frame_evidence import add_frames
from cell_vision.matching.likelihood_score import EDGE_COST, NumberTable, best_path
from cell_vision.matching.patterns import Pattern

__all__ = ['FAR_SCORE', 'LikelihoodScorer']

FAR_SCORE = -12.0
"""Numbers below this score are not distinguished: none of them is near the print."""
SUPPORTING_DIFFERENCE = 2.0
"""Strips whose score is lower than the best one by no more than this speak for the number, too."""
LEAST_SCORE = FAR_SCORE - EDGE_COST
"""Limit of the score of one rendering, so that one bad rendering of four does not decide alone."""
PRINTED_ALIKE = {'O': '0', 'I': '1'}
"""Many typefaces print both alike, so no confidence of the recognizer tells them apart."""
_PLACES = [(ALPHABET.index(one), ALPHABET.index(other)) for one, other in PRINTED_ALIKE.items()]


class LikelihoodScorer:
    """Holds the numbers of a catalogue, grouped by the rules of what may stand beside them."""

    def __init__(self, patterns: Sequence[Pattern], weights: ConfusionWeights) -> None:
        """Lay out the patterns; those without letters and digits of ALPHABET have no score."""
        self._weights = weights
        known = [(pattern, text) for pattern in patterns if (text := _letters(pattern.text))]
        self._patterns = [pattern for pattern, _ in known]
        self._table = NumberTable([text for _, text in known])
        groups: dict[tuple[bool, bool, Affixes], list[int]] = {}
        for row, pattern in enumerate(self._patterns):
            ends = pattern.text[0].isdigit(), pattern.text[-1].isdigit()
            groups.setdefault((*ends, pattern.affixes), []).append(row)
        self._groups = [(self._patterns[rows[0]], np.array(rows, np.intp)) for rows in groups.values()]

    def scores(self, strips: Sequence[Sequence[Rendering]], frames: Sequence[int] = ()) -> Mapping[Pattern, float]:
        """Return the numbers that score better than FAR. The best strip of a frame counts, the evidence of frames adds up.

        Args:
            strips: The renderings of each strip of one line.
            frames: Number of the frame of each; empty = all are of one.
        """
        of_frames: dict[int, NDArray[np.float64]] = {}
        for renderings, frame in zip(strips, frames or [0] * len(strips), strict=True):
            if renderings:
                best = of_frames.setdefault(frame, np.full(len(self._patterns), FAR_SCORE, np.float64))
                np.maximum(best, np.mean([self._rendering_scores(rendering) for rendering in renderings], axis=0), out=best)
        if not of_frames:
            return {}
        total = add_frames(np.array(list(of_frames.values())))
        return {self._patterns[row]: float(total[row]) for row in np.flatnonzero(total > FAR_SCORE)}

    def places(self, pattern: Pattern, strips: Sequence[Sequence[Rendering]], ends: Sequence[StripEnds]) -> list[NumberPlace]:
        """Return where a number stands in each strip that speaks for it, with the blanks and holes that the frame shows.

        Args:
            pattern: One of the patterns.
            strips: The renderings of each strip of one line.
            ends: What the frame shows at the ends of each strip.
        """
        row = self._patterns.index(pattern)
        if len(strips) == 1 and strips[0]:
            return [self._place(row, strips[0][0], ends[0])]
        scored = [
            (float(np.mean([self._number_scores(values, np.array([row])) for values in strip])), strip[0], end)
            for strip, end in zip(strips, ends, strict=True)
            if strip
        ]
        best = max((score for score, *_ in scored), default=0.0)
        return [self._place(row, rendering, end) for score, rendering, end in scored if score >= best - SUPPORTING_DIFFERENCE]

    def _place(self, row: int, rendering: Rendering, ends: StripEnds) -> NumberPlace:
        """Return where a number stands in one rendering, with the recognizer's own text around it.

        Args:
            row: Index of the pattern.
            rendering: Shape (steps, CLASSES).
            ends: What the frame shows at the ends; print that was not read becomes a hole there.
        """
        line = evidence_line(rendering)
        begins, stops = self._edges(line, np.array([row], np.intp))
        letters = _letters(self._patterns[row].text)
        path = best_path(letters, _alike(line.values), begins[0], stops[0])
        number = ''
        for i, character in enumerate(letters):
            steps = slice(round(path.centers[i - 1]) + 1, round(path.centers[i])) if i else slice(0, 0)
            number += (' ' if (rendering[steps].argmax(1) == SPACE).any() else '') + character
        before = ''.join(c for c, stop in zip(line.text, line.ends, strict=True) if stop <= path.begin)
        after = ''.join(c for c, first in zip(line.text, line.firsts, strict=True) if first >= path.end)
        before, after = ' ' * ends.more_before + before, after + ' ' * ends.more_after
        text, begin = before + number + after, len(before)
        holes = [0] * (ends.cut_start or ends.more_before) + [len(text)] * (ends.cut_end or ends.more_after)
        return NumberPlace(text, begin, begin + len(number), tuple(holes))

    def _rendering_scores(self, rendering: Rendering) -> NDArray[np.float64]:
        return self._number_scores(rendering, np.arange(len(self._patterns)))

    def _number_scores(self, rendering: Rendering, wanted: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the scores of some patterns in one rendering; those that cannot reach LEAST_SCORE are not computed."""
        scores = np.full(len(wanted), LEAST_SCORE, np.float64)
        if not len(rendering) or not len(wanted):
            return scores
        line = evidence_line(rendering)
        values = _alike(line.values)
        near = np.flatnonzero(self._table.upper_bounds(values)[wanted] > LEAST_SCORE)
        if len(near):
            rows = wanted[near]
            begin, end = self._edges(line, rows)
            scores[near] = np.maximum(self._table.scores(values, rows, begin, end), LEAST_SCORE)
        return scores

    def _edges(self, line: EvidenceLine, rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        begin, end = (np.zeros((len(self._patterns), len(line.values)), np.float32) for _ in range(2))
        wanted = set(rows.tolist())
        for pattern, members in self._groups:
            if wanted.isdisjoint(members.tolist()):
                continue
            rules = edge_predicates(pattern.text, line.text, self._weights, pattern.affixes)
            begin[members], end[members] = edge_costs(line, *rules)
        return begin[rows], end[rows]


def _alike(values: Rendering) -> Rendering:
    """Return likelihoods in which characters that are PRINTED_ALIKE have the higher one of both."""
    result = values.copy()
    for one, other in _PLACES:
        result[:, other] = np.maximum(values[:, one], values[:, other])
    return result


def _letters(text: str) -> str:
    return ''.join(PRINTED_ALIKE.get(c, c) for c in text.upper() if c in ALPHABET)
