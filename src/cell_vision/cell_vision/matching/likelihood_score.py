"""Scores numbers against the log likelihoods of a line: how far the picture speaks against "this number stands here".

The best path through a number is found by dynamic programming (Viterbi) with free ends: characters in order, any number of
steps without print between them, at least one between equal ones. Its score is the sum of its log likelihoods: 0 = the
recognizer's own best reading holds the number, -7 = one character against its conviction. A neighboring letter or digit that
no prefix or suffix rule allows costs EDGE_COST.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cell_vision.likelihoods import ALPHABET, NOTHING, Rendering

__all__ = ['EDGE_COST', 'NumberPath', 'NumberTable', 'best_path']

EDGE_COST = 7.0
"""Cost of a number that begins or ends where its rules do not allow it: about that of a misread character."""
# Not -inf: sums and differences of it stay numbers.
IMPOSSIBLE_SCORE = -1e9
PATH_BEGIN = 3
"""Stands for the begin of a path among the distances to the state before."""


@dataclass(frozen=True)
class NumberPath:
    """The best place of a number in a line."""

    score: float
    centers: tuple[float, ...]
    """Step of each of its characters."""
    begin: int
    """First step."""
    end: int
    """Just after its last step."""


class NumberTable:
    """Numbers of a catalogue, laid out so that all are scored at once."""

    def __init__(self, numbers: Sequence[str]) -> None:
        """Store numbers of letters and digits in capitals, each at least one character long."""
        longest = max(map(len, numbers), default=1)
        self._classes = np.full((len(numbers), longest), NOTHING, np.intp)
        for row, number in enumerate(numbers):
            self._classes[row, : len(number)] = [ALPHABET.index(character) for character in number]
        self._last = np.array([len(number) - 1 for number in numbers], np.intp)
        self._repeats = np.zeros(self._classes.shape, np.bool_)
        self._repeats[:, 1:] = self._classes[:, 1:] == self._classes[:, :-1]

    def upper_bounds(self, values: Rendering) -> NDArray[np.float32]:
        """Return a score that no number exceeds: each of its characters at the step where it is likeliest, in any order."""
        likeliest = values.max(0)
        likeliest[NOTHING] = 0.0
        return np.asarray(likeliest[self._classes].sum(1), np.float32)

    def scores(
        self, values: Rendering, numbers: NDArray[np.intp], begin: NDArray[np.float32], end: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the score of some numbers.

        Args:
            values: Log likelihoods, with the best of the classes without print in column NOTHING.
            numbers: Their indices.
            begin: Cost (0 or negative) of beginning at each step, shape (numbers, steps).
            end: Cost of ending at each step, the last one that belongs to the number; same shape.
        """
        classes, last, repeats = self._classes[numbers], self._last[numbers], self._repeats[numbers]
        classes = classes[:, : int(last.max()) + 1]
        repeats = np.where(repeats[:, 1 : classes.shape[1]], np.float32(IMPOSSIBLE_SCORE), np.float32(0.0))
        count, length = classes.shape
        on = np.full((count, length), IMPOSSIBLE_SCORE, np.float32)
        off = np.full((count, length), IMPOSSIBLE_SCORE, np.float32)
        best = np.full(count, IMPOSSIBLE_SCORE, np.float32)
        rows = np.arange(count)
        entered = np.empty((count, length), np.float32)
        emitted = values[:, classes]
        for step, nothing in enumerate(values[:, NOTHING].tolist()):
            entered[:, 0] = begin[:, step]
            np.maximum(off[:, :-1], on[:, :-1] + repeats, out=entered[:, 1:])
            np.maximum(off, on, out=off)
            off += nothing
            np.maximum(on, entered, out=on)
            on += emitted[step]
            np.maximum(best, on[rows, last] + end[:, step], out=best)
        return best


def best_path(number: str, values: Rendering, begin: NDArray[np.float32], end: NDArray[np.float32]) -> NumberPath:
    """Return the best path of one number through a rendering: the Viterbi path of CTC, with entry and exit at a cost.

    Args:
        number: Letters and digits of ALPHABET, without separators.
        values: Shape (steps, CLASSES), as in `NumberTable.scores`.
        begin: Cost (0 or negative) of beginning at each step, shape (steps,).
        end: Cost of ending at each step, the last one that belongs to the number; shape (steps,).
    """
    classes = [ALPHABET.index(character) for character in number]
    states, steps = 2 * len(classes) - 1, len(values)
    emission = np.array([classes[state // 2] if state % 2 == 0 else NOTHING for state in range(states)], np.intp)
    # A character may follow another one directly unless both are equal.
    skips = [state > 1 and state % 2 == 0 and classes[state // 2] != classes[state // 2 - 1] for state in range(states)]
    barred = np.where(skips, 0.0, IMPOSSIBLE_SCORE)
    score, came = np.full(states, IMPOSSIBLE_SCORE), np.zeros((steps, states), np.int8)
    ends, entered = np.full(steps, IMPOSSIBLE_SCORE), np.full((3, states), IMPOSSIBLE_SCORE)
    for step in range(steps):
        entered[0], entered[1, 1:], entered[2, 2:] = score, score[:-1], score[:-2]
        entered[2] += barred
        came[step] = entered.argmax(0)
        best = entered.max(0)
        if begin[step] >= best[0]:
            best[0], came[step, 0] = begin[step], PATH_BEGIN
        score = best + values[step, emission]
        ends[step] = score[-1] + end[step]
        entered[2] = IMPOSSIBLE_SCORE
    last = int(np.argmax(ends))
    state, step = states - 1, last
    places: list[list[int]] = [[] for _ in classes]
    while step >= 0:
        if state % 2 == 0:
            places[state // 2].append(step)
        source = int(came[step, state])
        step -= 1
        if source == PATH_BEGIN:
            break
        state -= source
    centers = tuple(_center(values[:, classes[i]], place) for i, place in enumerate(places))
    return NumberPath(float(ends[last]), centers, step + 1, last + 1)


def _center(values: NDArray[np.float32], steps: Sequence[int]) -> float:
    """Return the mean of the steps of a character, weighted by its probability."""
    weights = np.exp(values[list(steps)])
    return float((np.array(steps) * weights).sum() / weights.sum())
