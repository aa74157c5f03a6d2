"""Weights of the matcher: look-alike characters, their costs, and the thresholds of the decision.

The unit of cost is one whole reading error = 1. Digits never have a price against each other:
similar parts differ in a digit, and a price would make one of them pass for the other.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import cast

DIGITS = '0123456789'
ONE_WAY = '>'
"""Between two characters: the first may be read as the second, but not vice versa."""
CALIBRATION = frozenset({'bias', 'certainty', 'price'})
MOST_CERTAIN = 0.999
MOST_COST = 5.0
"""Upper limit of the cost in the calibration."""


@dataclass(frozen=True)
class ConfusionWeights:
    """Costs of reading errors and thresholds of the decision; documented in data/confusions.yaml.

    Attributes:
        pairs: (printed, read) -> cost, above 0 and at most 1.
        separator_swapped: Cost of one separator read for another.
        separator_missing: Cost of a separator that was not read.
        separator_added: Cost of a separator that is not printed.
        separator_between_digits: Cost of a separator that was not read between two digits.
        space_added: Cost of a blank that is not printed.
        space_between_digits: The same between two digits.
        accept: Largest cost of a match.
        margin: Least difference of the next part's cost.
        least_score: Least confidence of a line that is used, 0..1.
        certain_score: Least confidence of a number that another one becomes when it loses a
            character.
        sure_score: Least confidence of a number that another one becomes when one digit is misread.
        second_score: Least confidence of a line that counts as a second number in view.
        calibration: `bias`, `certainty` and `price` of `confidence`, fitted by
            bench/learn_confusions.py.
        classes: Character -> representative of its equivalence class.
    """

    pairs: Mapping[tuple[str, str], float]
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
    classes: Mapping[str, str] = field(default_factory=dict)

    def substitution(self, printed: str, read: str) -> float:
        """Return the cost of reading one letter or digit for another, 0..1.

        Args:
            printed: Character of the pattern.
            read: Character of the line. The order matters: some confusions have one direction.
        """
        if printed == read:
            return 0.0
        return self.pairs.get((printed, read), 1.0)

    def confidence(self, score: float, cost: float) -> float:
        """Return the calibrated probability of a match, 0..1.

        Logistic regression on the log odds of the line's score and on the cost.

        Args:
            score: Confidence of the line, 0..1; limited to MOST_CERTAIN, so that its log odds are
                finite.
            cost: Cost of the alignment.
        """
        certain = min(MOST_CERTAIN, max(1 - MOST_CERTAIN, score))
        about = self.calibration
        logit = math.log(certain / (1 - certain))
        exponent = about['bias'] + about['certainty'] * logit - about['price'] * min(cost, MOST_COST)
        return 1 / (1 + math.exp(-exponent))

    def digit_like(self, character: str) -> bool:
        """Return whether a character is a digit or may be read as one."""
        return character in DIGITS or any(
            (one, other) in self.pairs for digit in DIGITS for one, other in ((digit, character), (character, digit))
        )

    def fold(self, text: str) -> str:
        """Return the representatives of letters and digits; texts within `accept` of each other have the same result.

        Folding turns a search for similar texts into one for equal texts, which needs no alignment.

        Args:
            text: Normalized text; separators and blanks are dropped.
        """
        return ''.join(self.classes.get(c, c) for c in text if c.isalnum())


def parse_weights(data: Mapping[str, object]) -> ConfusionWeights:
    """Return weights from parsed YAML.

    Args:
        data: Mapping with exactly the fields of ConfusionWeights, except `classes`, which is
            derived.

    Raises:
        ValueError: A pair or a weight is invalid.
    """
    values = dict(data)
    pairs = parse_pairs(cast('Mapping[str, float]', values.pop('pairs')))
    calibration = {key: float(value) for key, value in cast('Mapping[str, float]', values.pop('calibration', {})).items()}
    if set(calibration) != CALIBRATION:
        raise ValueError(f'confusions: calibration must contain {sorted(CALIBRATION)}, found {sorted(calibration)}')
    wanted = {item.name for item in fields(ConfusionWeights)} - {'pairs', 'classes', 'calibration'}
    if set(values) != wanted:
        raise ValueError(f'confusions: expected {sorted(wanted)}, found {sorted(values)}')
    return ConfusionWeights(
        pairs=pairs,
        classes=equivalence_classes(pairs),
        calibration=calibration,
        **{key: float(cast('float', value)) for key, value in values.items()},
    )


def parse_pairs(data: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Return (printed, read) -> cost of a mapping such as {'0O': 0.1, 'V>U': 0.4}: both directions, or one.

    Raises:
        ValueError: A pair is invalid.
    """
    pairs: dict[tuple[str, str], float] = {}
    for pair, weight in data.items():
        printed, read = pair[:1], pair[-1:]
        if pair not in {printed + read, printed + ONE_WAY + read} or printed == read or not 0 < weight <= 1:
            raise ValueError(f'confusions: "{pair}": {weight!r} is not a pair of two characters with a weight of 0..1')
        # See the module docstring: a price for two digits would make one part pass for another.
        if {printed, read} <= set(DIGITS):
            raise ValueError(f'confusions: "{pair}": digits must not be confusable')
        pairs[printed, read] = float(weight)
        if ONE_WAY not in pair:
            pairs[read, printed] = float(weight)
    return pairs


def equivalence_classes(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join pairs to equivalence classes; return character -> first character of its class.

    Args:
        pairs: Confusable characters. Classes are transitive: 0/O and O/Q put 0, O and Q into one.
    """
    groups: list[set[str]] = []
    for pair in pairs:
        joined = set(pair)
        for group in [group for group in groups if group & joined]:
            joined |= group
            groups.remove(group)
        groups.append(joined)
    return {character: min(group) for group in groups for character in group}
