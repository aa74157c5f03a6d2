"""Doubts about the only candidate of a frame: upside down, incomplete, text beside it that is missing.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cell_common.catalogue import Part

from cell_vision.matching.alignment import SEAM
from cell_vision.matching.candidates import Candidate, CandidateFinder
from cell_vision.matching.completeness import Incompleteness, NumberPlace, find_incompleteness, own_gaps
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.orientation import proves_direction, same_direction, turned_twins
from cell_vision.matching.patterns import Pattern, one_digit_neighbors
from cell_vision.matching.text_lines import TextLine

__all__ = ['Doubts', 'is_read']

MOST_NAMED = 5
"""Parts that a message names."""
ENOUGH_FRAMES = 2
"""A number that is cut off or has a gap needs so many frames, even if no other number fits."""


class Doubts:
    """Describes doubts about parts of one catalogue.

    Attributes:
        marks: Part -> patterns of text that no look-alike carries.
        required: Part -> patterns of text that must be read beside its number.
    """

    def __init__(self, parts: Iterable[Part], finder: CandidateFinder, weights: ConfusionWeights) -> None:
        """Compile the rules of the parts."""
        parts = list(parts)
        self._finder, self._weights = finder, weights
        self.marks = {part.part_number: tuple(map(re.compile, part.distinguishing_patterns)) for part in parts}
        self.required = {part.part_number: tuple(map(re.compile, part.required_patterns)) for part in parts}
        self._misreadings = one_digit_neighbors(finder.patterns)
        self._folded: dict[str, set[str]] = {part.part_number: set() for part in parts}
        for pattern in finder.patterns:
            self._folded[pattern.part_number].add(pattern.folded)
        self._own_gaps = {part.part_number: own_gaps(part.printed_text) for part in parts}
        self._turned = turned_twins({part.part_number: part.printed_text for part in parts}, weights.fold)

    def describe(self, best: Candidate, lines: Sequence[TextLine], frames: int) -> str:
        """Describe what speaks against the only candidate, or what evidence is still needed; "" = nothing.

        Args:
            best: The candidate.
            lines: Lines of the frame.
            frames: Number of frames from which they were put together.
        """
        if doubt := self._turned_doubt(best, lines) or self._incomplete(best, lines, frames):
            return doubt
        for pattern in self.required[best.part_number]:
            if not is_read(pattern, lines):
                return f', but the text "{pattern.pattern}" that must stand beside it was not read'
        doubt = '' if best.by_benchmark else self._sure_score_violation(best)
        return f', or {doubt}' if doubt else ''

    def _turned_doubt(self, best: Candidate, lines: Sequence[TextLine]) -> str:
        """Describe the doubt about a number that is another one upside down, unless another line proves its direction."""
        twins = self._turned.get(best.part_number, set())
        if not twins or any(is_read(mark, lines) for mark in self.marks[best.part_number]):
            return ''
        proofs = [line for line in lines if line is not best.line and proves_direction(line.text, line.score)]
        if proofs and all(same_direction(line.polygon, best.line.polygon) for line in proofs):
            return ''
        return f', or {" or ".join(sorted(twins))} upside down: nothing else on it shows which way up it lies'

    def _incomplete(self, best: Candidate, lines: Sequence[TextLine], frames: int) -> str:
        """Describe a character of the number that may be missing, "" = none."""
        own = [pattern for pattern in self._finder.patterns if pattern.part_number == best.part_number]
        aligned = [(line, self._finder.align(pattern, line.text)) for line in lines for pattern in own]
        found = [
            item
            for line, place in aligned
            if place.cost <= self._weights.accept
            for item in self._incompletenesses(best.part_number, line, place.begin, place.end)
        ]
        found += self._lost_in_frame(best, own)
        longer = sorted({part for item in found for part in item.longer})[:MOST_NAMED]
        if longer:
            return f', or {" or ".join(longer)} with a character lost at a gap or cut end'
        if found and frames < ENOUGH_FRAMES:
            where = 'where it is cut off' if any(item.cut for item in found) else 'in a gap of it'
            return f', if nothing is missing {where}: a second picture is needed'
        return ''

    def _lost_in_frame(self, best: Candidate, own: Sequence[Pattern]) -> list[Incompleteness]:
        """Return where the strips from which the number was read leave room for further characters."""
        scores = self._finder.likelihoods(best.line) if best.line.strips else {}
        read = max((pattern for pattern in own if pattern in scores), key=lambda pattern: scores[pattern], default=None)
        if read is None or best.by_benchmark:
            return []
        others = {part: texts for part, texts in self._folded.items() if part != best.part_number}
        return [
            item
            for place in self._finder.scorer.places(read, best.line.strips, best.line.ends)
            for item in find_incompleteness(place, self._folded[best.part_number], others, self._weights.fold)
        ]

    def _incompletenesses(self, part_number: str, line: TextLine, begin: int, end: int) -> list[Incompleteness]:
        others = {part: texts for part, texts in self._folded.items() if part != part_number}
        place = NumberPlace(line.text, begin, end, line.holes, self._own_gaps[part_number])
        return find_incompleteness(place, self._folded[part_number], others, self._weights.fold)

    def _sure_score_violation(self, best: Candidate) -> str:
        """Name the parts that one lost or misread character turns into this one, if the line is not certain; "" = none.

        Only for engines without likelihoods: with them the margin to these parts was measured.
        """
        if best.line.strips:
            return ''
        longer, beside = (near.get(best.part_number, set()) for near in (self._finder.deletions, self._misreadings))
        if longer and best.line.score < self._weights.certain_score:
            return f'{" or ".join(sorted(longer))} with a character not read'
        if beside and best.line.score < self._weights.sure_score:
            return f'{" or ".join(sorted(beside)[:MOST_NAMED])} with a character misread'
        return ''


def is_read(pattern: re.Pattern[str], lines: Sequence[TextLine]) -> bool:
    """Return whether a line holds a text.

    Args:
        pattern: Rule `also` or `tells_apart` of the catalogue.
        lines: Lines of the reading; a text may go over the seam between two boxes of a line.
    """
    return any(pattern.search(line.text.replace(SEAM, '')) for line in lines)
