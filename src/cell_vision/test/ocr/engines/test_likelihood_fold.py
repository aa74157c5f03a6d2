"""Folding the recognizer's classes: cases summed, look-alike strokes shared, marks as nothing."""

from __future__ import annotations

import numpy as np
from cell_vision.likelihoods import ALPHABET, FLOOR, NOTHING, SEPARATOR, SPACE
from cell_vision.ocr.engines.likelihood_fold import LikelihoodFold

CHARACTERS = ['0', 'o', 'O', 'l', '-', ':', '中', 'S', 's', '&', '8']


def folded(**shares: float) -> np.ndarray:
    names = ['nothing', *CHARACTERS, 'space']
    row = np.full((1, len(names)), 1e-9, np.float32)
    for name, share in shares.items():
        row[0, names.index(name)] = share
    return LikelihoodFold(CHARACTERS).fold(row)[0]


def test_capitals_and_small_letters_are_one_class():
    values = folded(o=0.3, O=0.3, nothing=0.4)
    assert values[ALPHABET.index('O')] == 0 and np.isclose(values[NOTHING], np.log(0.4 / 0.6), atol=1e-3)


def test_a_small_l_may_be_an_i_or_an_l():
    values = folded(l=0.9)
    assert values[ALPHABET.index('I')] == values[ALPHABET.index('L')] == 0 and values[ALPHABET.index('1')] == FLOOR


def test_separators_blanks_and_marks_have_classes_of_their_own():
    assert folded(**{'-': 0.9}).argmax() == SEPARATOR
    assert folded(space=0.9).argmax() == SPACE
    assert folded(**{':': 0.9}).argmax() == NOTHING


def test_a_character_that_no_label_carries_says_nothing_about_the_others():
    values = folded(**{'中': 0.99, 'S': 0.005, '0': 0.001})
    assert values.argmax() == ALPHABET.index('S') and np.isclose(values[0], np.log(0.2), atol=1e-2)


def test_the_eight_of_ocr_a_looks_like_an_ampersand():
    values = folded(**{'&': 0.6, '8': 0.3})
    assert values[ALPHABET.index('8')] == 0 and values[NOTHING] == FLOOR
