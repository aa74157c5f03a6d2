"""Fixture: likelihoods of lines as a recognizer gives them, a spike of one step for each character, nothing between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from cell_vision.likelihoods import ALPHABET, CLASSES, FLOOR, NOTHING, SEPARATOR, SPACE, Rendering

STEP = 3
"""Steps from one character to the next."""


def _rendering(text: str, doubts: Mapping[int, Mapping[str, float]] | None = None) -> Rendering:
    """Return likelihoods whose best reading is `text`; `doubts`: index of a character -> other characters and their values.

    The other character "" stands for nothing printed.
    """
    values = np.full((STEP * len(text) + 2, CLASSES), FLOOR, np.float32)
    values[:, NOTHING] = 0.0
    for i, character in enumerate(text):
        row = values[STEP * i + 1]
        row[NOTHING] = FLOOR
        row[{' ': SPACE, '-': SEPARATOR}.get(character) or ALPHABET.index(character)] = 0.0
        for other, value in (doubts or {}).get(i, {}).items():
            row[ALPHABET.index(other) if other else NOTHING] = value
    return values


@pytest.fixture
def rendering() -> Callable[..., Rendering]:
    """A function that returns the likelihoods of a line; see `_rendering`."""
    return _rendering
