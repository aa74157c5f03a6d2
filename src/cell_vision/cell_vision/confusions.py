"""The matcher's weights: which characters look alike, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any

import yaml

DIGITS = '0123456789'
CALIBRATION = frozenset({'bias', 'certainty', 'price'})
MOST_CERTAIN = 0.999
MOST_COST = 5.0
"""Dearer is not less likely still."""


@dataclass(frozen=True)
class Weights:
    """Prices of reading errors and the thresholds of the decision; meanings in data/confusions.yaml."""

    pairs: Mapping[frozenset[str], float]
    separator_swapped: float
    separator_missing: float
    separator_added: float
    separator_between_digits: float
    space_added: float
    space_between_digits: float
    accept: float
    margin: float
    least_score: float
    certain_score: float
    sure_score: float
    second_score: float
    calibration: Mapping[str, float]
    """`bias`, `certainty` and `price` of `trust`."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """Character -> representative of all that it may be taken for, over any number of steps."""

    def substitution(self, printed: str, read: str) -> float:
        """Return the price of reading one letter or digit for another, 0..1."""
        if printed == read:
            return 0.0
        return self.pairs.get(frozenset((printed, read)), 1.0)

    def trust(self, score: float, cost: float) -> float:
        """Return how likely a naming at a price is right, 0..1, for a line of some confidence; fitted (see the file)."""
        certain = min(MOST_CERTAIN, max(1 - MOST_CERTAIN, score))
        about = self.calibration
        logit = math.log(certain / (1 - certain))
        exponent = about['bias'] + about['certainty'] * logit - about['price'] * min(cost, MOST_COST)
        return 1 / (1 + math.exp(-exponent))

    def may_be_digit(self, character: str) -> bool:
        """Say whether a character is a digit or may be taken for one."""
        return character in DIGITS or any(frozenset((character, digit)) in self.pairs for digit in DIGITS)

    def fold(self, text: str) -> str:
        """Return letters and digits alone, each as its representative: texts within `accept` of each other fold alike."""
        return ''.join(self.classes.get(c, c) for c in text if c.isalnum())


def parse_weights(data: Mapping[str, Any]) -> Weights:
    """Make weights of parsed YAML.

    Raises:
        ValueError: A pair or a weight is not what it should be.
    """
    values = dict(data)
    pairs: dict[frozenset[str], float] = {}
    for pair, weight in values.pop('pairs').items():
        if len(pair) != 2 or len(set(pair)) != 2 or not 0 < weight <= 1:
            raise ValueError(f'confusions: "{pair}": {weight!r} is not a pair of two characters with a weight of 0..1')
        if set(pair) <= set(DIGITS):
            raise ValueError(f'confusions: "{pair}": two digits are never taken for each other')
        pairs[frozenset(pair)] = float(weight)
    calibration = {key: float(value) for key, value in values.pop('calibration', {}).items()}
    if set(calibration) != CALIBRATION:
        raise ValueError(f'confusions: calibration must hold {sorted(CALIBRATION)}, found {sorted(calibration)}')
    wanted = {item.name for item in fields(Weights)} - {'pairs', 'classes', 'calibration'}
    if set(values) != wanted:
        raise ValueError(f'confusions: expected {sorted(wanted)}, found {sorted(values)}')
    return Weights(pairs=pairs, classes=classes_of(pairs), calibration=calibration,
                   **{key: float(value) for key, value in values.items()})


def load_weights() -> Weights:
    """Read the weights that come with the package."""
    text = resources.files('cell_vision').joinpath('data/confusions.yaml').read_text(encoding='utf-8')
    return parse_weights(yaml.safe_load(text))


def classes_of(pairs: Mapping[frozenset[str], float]) -> dict[str, str]:
    """Join the pairs into classes; the representative is the first character of the class."""
    groups: list[set[str]] = []
    for pair in pairs:
        joined = set(pair)
        for group in [group for group in groups if group & pair]:
            joined |= group
            groups.remove(group)
        groups.append(joined)
    return {character: min(group) for group in groups for character in group}
