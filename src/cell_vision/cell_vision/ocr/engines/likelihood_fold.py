"""Folds the recognizer's thousands of classes to those of `cell_vision.likelihoods`.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cell_vision.likelihoods import ALPHABET, CLASSES, FLOOR, NOTHING, SEPARATOR, SPACE, Rendering

__all__ = ['LikelihoodFold']

STROKES = {'l': 'IL', '|': 'I', '!': 'I', 'Ø': '0', '&': '8', '$': 'S'}
"""What labels print where the recognizer sees one of these (& is the 8 of OCR-A); others count as their capital."""
SEPARATORS = '-/.–—_~'
OTHERS = ',:;()[]<>*#%=+\'"?@°'
"""Marks that are no part of a number: as if nothing were printed."""
# Below the float noise of a softmax; log(0) would give -inf.
LEAST = 1e-7


class LikelihoodFold:
    """Sums the probabilities of the characters of each class."""

    def __init__(self, characters: Sequence[str]) -> None:
        """Select columns for an alphabet of the recognizer; its class 0 is "no character", the last one is a blank."""
        sources: list[list[int]] = [[] for _ in range(CLASSES)]
        sources[NOTHING].append(0)
        sources[SPACE].append(len(characters) + 1)
        for column, character in enumerate(characters, 1):
            for target in STROKES.get(character, character.upper()):
                if target in ALPHABET:
                    sources[ALPHABET.index(target)].append(column)
                elif target in SEPARATORS:
                    sources[SEPARATOR].append(column)
                elif target in OTHERS:
                    sources[NOTHING].append(column)
        columns = [(column, at) for at, source in enumerate(sources) for column in source]
        self._columns = np.array([column for column, _ in columns], np.intp)
        self._sum = np.zeros((len(columns), CLASSES), np.float32)
        for row, (_, at) in enumerate(columns):
            self._sum[row, at] = 1.0

    def fold(self, probabilities: NDArray[np.float32]) -> Rendering:
        """Return the log likelihoods of probabilities of shape (steps, classes of the recognizer)."""
        summed = probabilities[:, self._columns] @ self._sum
        logs = np.log(np.maximum(summed, LEAST))
        return np.asarray(np.maximum(logs - logs.max(1, keepdims=True), FLOOR), np.float32)
