"""The matcher's weights: which characters look alike, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any

import yaml

DIGITS = '0123456789'
ONE_WAY = '>'
"""Between two characters: the first is read as the second, never the second as the first."""
CALIBRATION = frozenset({'bias', 'certainty', 'price'})
MOST_CERTAIN = 0.999
MOST_COST = 5.0
"""Dearer is not less likely still."""


@dataclass(frozen=True)
class Weights:
    """Prices of reading errors and the thresholds of the decision; meanings in data/confusions.yaml."""

    pairs: Mapping[tuple[str, str], float]
    """(printed, read) -> price."""
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
        return self.pairs.get((printed, read), 1.0)

    def trust(self, score: float, cost: float) -> float:
        """Return how likely a naming at a price is right, 0..1, for a line of some confidence; fitted (see the file)."""
        certain = min(MOST_CERTAIN, max(1 - MOST_CERTAIN, score))
        about = self.calibration
        logit = math.log(certain / (1 - certain))
        exponent = about['bias'] + about['certainty'] * logit - about['price'] * min(cost, MOST_COST)
        return 1 / (1 + math.exp(-exponent))

    def may_be_digit(self, character: str) -> bool:
        """Say whether a character is a digit or may be taken for one."""
        return character in DIGITS or any(
            (one, other) in self.pairs for digit in DIGITS for one, other in ((digit, character), (character, digit))
        )

    def fold(self, text: str) -> str:
        """Return letters and digits alone, each as its representative: texts within `accept` of each other fold alike."""
        return ''.join(self.classes.get(c, c) for c in text if c.isalnum())


def parse_weights(data: Mapping[str, Any]) -> Weights:
    """Make weights of parsed YAML.

    Raises:
        ValueError: A pair or a weight is not what it should be.
    """
    values = dict(data)
    pairs = parse_pairs(values.pop('pairs'))
    calibration = {key: float(value) for key, value in values.pop('calibration', {}).items()}
    if set(calibration) != CALIBRATION:
        raise ValueError(f'confusions: calibration must hold {sorted(CALIBRATION)}, found {sorted(calibration)}')
    wanted = {item.name for item in fields(Weights)} - {'pairs', 'classes', 'calibration'}
    if set(values) != wanted:
        raise ValueError(f'confusions: expected {sorted(wanted)}, found {sorted(values)}')
    return Weights(
        pairs=pairs, classes=classes_of(pairs), calibration=calibration, **{key: float(value) for key, value in values.items()}
    )


def parse_pairs(data: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Return (printed, read) -> price of a mapping such as {'0O': 0.1, 'V>U': 0.4}: both directions, or one.

    Raises:
        ValueError: A pair is not what it should be.
    """
    pairs: dict[tuple[str, str], float] = {}
    for pair, weight in data.items():
        printed, read = pair[:1], pair[-1:]
        if pair not in {printed + read, printed + ONE_WAY + read} or printed == read or not 0 < weight <= 1:
            raise ValueError(f'confusions: "{pair}": {weight!r} is not a pair of two characters with a weight of 0..1')
        if {printed, read} <= set(DIGITS):
            raise ValueError(f'confusions: "{pair}": two digits are never taken for each other')
        pairs[printed, read] = float(weight)
        if ONE_WAY not in pair:
            pairs[read, printed] = float(weight)
    return pairs


def load_weights() -> Weights:
    """Read the weights that come with the package."""
    text = resources.files('cell_vision').joinpath('data/confusions.yaml').read_text(encoding='utf-8')
    return parse_weights(yaml.safe_load(text))


def classes_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the pairs into classes; the representative is the first character of the class."""
    groups: list[set[str]] = []
    for pair in pairs:
        joined = set(pair)
        for group in [group for group in groups if group & joined]:
            joined |= group
            groups.remove(group)
        groups.append(joined)
    return {character: min(group) for group in groups for character in group}
