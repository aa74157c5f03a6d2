"""Suggests what to correct in a catalogue, from images that its parts did not match.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from cell_common.catalogue import Catalogue, Part
from rapidfuzz import fuzz

from cell_vision.matching.alignment import normalize
from cell_vision.types import MISSING

__all__ = ['TriedImage', 'suggestions']

SIMILAR = 75
"""Least similarity, %, of a text and a number that may be a typing error of it."""
LEAST_LENGTH = 4
"""Least letters and digits of such a text."""


class TriedImage(Protocol):
    """What is used of an image of a trial."""

    @property
    def verdict(self) -> str:
        """Name of the verdict."""

    @property
    def texts(self) -> Sequence[str]:
        """All texts that were read."""


def suggestions(catalogue: Catalogue, images: Sequence[TriedImage], never_seen: Sequence[str]) -> list[str]:
    """Return a sentence for each probable error, with its remedy.

    Args:
        catalogue: The parts.
        images: All images of the trial.
        never_seen: Parts that no image showed for sure.
    """
    found: Counter[str] = Counter()
    for image in images:
        if image.verdict == 'UNKNOWN':
            texts = [normalize(text.replace(MISSING, '')) for text in image.texts]
            beside = {sentence for text in texts for sentence in _beside(catalogue, text)}
            found.update(beside or {sentence for text in texts for sentence in _mistyped(text, never_seen)})
    return [f'{sentence} Seen in {count} picture{"s" * (count != 1)}.' for sentence, count in found.items()]


def _beside(catalogue: Catalogue, text: str) -> list[str]:
    """Name the rule of a part that does not allow what is printed beside its number."""
    held = [
        (printed, part)
        for part in catalogue.parts.values()
        for printed in map(normalize, part.printed_text)
        if len(printed) >= LEAST_LENGTH and printed in text
    ]
    if not held:
        return []
    printed, part = max(held, key=lambda item: len(item[0]))
    before, _, after = text.partition(printed)
    before, after = before.rpartition(' ')[2], after.partition(' ')[0]
    return list(_rules(part, before, after))


def _rules(part: Part, before: str, after: str) -> Iterator[str]:
    for key, rules, beside, place in (
        ('prefixes', part.prefixes, before, 'before'),
        ('suffixes', part.suffixes, after, 'after'),
    ):
        if beside.isalnum() and (rules is not None or len(beside) > 1 or beside.isdigit()):
            given = [*(rules or ()), beside]
            now = f'its {key} are {list(rules)}' if rules is not None else f'it names no {key}'
            yield (
                f'{part.part_number}: "{beside}" is printed {place} the number, but {now}. '
                f'If this is the same part, write {key}: {given}.'
            )


def _mistyped(text: str, never_seen: Sequence[str]) -> list[str]:
    letters = ''.join(filter(str.isalnum, text))
    numbers = {part: ''.join(filter(str.isalnum, normalize(part))) for part in never_seen}
    ranked = sorted(((fuzz.partial_ratio(number, letters), part) for part, number in numbers.items()), reverse=True)
    if len(letters) < LEAST_LENGTH or not ranked or ranked[0][0] < SIMILAR:
        return []
    part = ranked[0][1]
    return [f'"{text}" was read, but no part has this number. {part} is similar and was never recognized: is it mistyped?']
