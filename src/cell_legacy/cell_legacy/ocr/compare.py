"""Compares the texts of a component with those of a benchmark.

Pure: no ROS, sockets, files or clock.

Kept for scripts. The cell itself decides with `cell_vision.matching`, which knows the catalogue and rejects look-alikes;
a similarity of 0.6 accepts many wrong part numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from difflib import SequenceMatcher

__all__ = ['TextComparator']

MOST_JOINED = 20
"""Texts of a list of which pairs are joined."""


class TextComparator:
    """Static functions that compare texts by their letters and digits."""

    @staticmethod
    def clean_text(s: object) -> str:
        """Return the letters and digits of a text in lower case: "G8NB-17SR" becomes "g8nb17sr". None becomes ""."""
        text = '' if s is None else str(s)
        # Not `isalnum`: it takes "²", "½" and "①", which are neither letters nor decimal digits.
        return ''.join(character for character in text.lower() if character.isalpha() or character.isdecimal())

    @staticmethod
    def similarity(a: object, b: object) -> float:
        """Return the SequenceMatcher ratio of two cleaned texts, 0..1.

        Two texts without any letter or digit have similarity 0. The replaced module returned 1 for them, so that an empty
        reading matched an empty benchmark.
        """
        first, second = TextComparator.clean_text(a), TextComparator.clean_text(b)
        if not first or not second:
            return 0.0
        return SequenceMatcher(None, first, second).ratio()

    @staticmethod
    def compare_texts(a: object, b: object) -> float:
        """Return the same as `similarity`; both names are in use."""
        return TextComparator.similarity(a, b)

    @staticmethod
    def best_match(
        benchmark_texts: Iterable[str] | None, component_texts: Iterable[str] | None, threshold: float = 0.6
    ) -> tuple[bool, tuple[str, str], float]:
        """Find the most similar pair of a benchmark text and a component text.

        Each list offers its single texts and every ordered pair of two of them, joined without a blank. A list of more than
        `MOST_JOINED` texts offers the pairs of its first ones only: the work grows with the fourth power.

        Args:
            benchmark_texts: Texts of the benchmark; None and empty lists never match. A string is one text.
            component_texts: Texts of the component.
            threshold: Lowest similarity that counts as a match, inclusive.

        Returns:
            (match, (benchmark text, component text), similarity). The pair is ("", "") and the similarity 0 when either
            list has no text with a letter or a digit. Of equal pairs the first counts, two single texts before any that is
            joined.
        """
        benchmarks, components = _Candidates(benchmark_texts), _Candidates(component_texts)
        best, best_score = ('', ''), 0.0
        for first, second in (
            (benchmarks.single, components.single),
            (benchmarks.single, components.joined),
            (benchmarks.joined, {**components.single, **components.joined}),
        ):
            # SequenceMatcher keeps what it finds out about its second text.
            matchers = [(text, SequenceMatcher(None, '', cleaned)) for cleaned, text in second.items()]
            for cleaned, benchmark in first.items():
                for component, matcher in matchers:
                    matcher.set_seq1(cleaned)
                    # Both are upper limits of the ratio, and cost much less.
                    if matcher.real_quick_ratio() <= best_score or matcher.quick_ratio() <= best_score:
                        continue
                    score = matcher.ratio()
                    if score > best_score:
                        best, best_score = (benchmark, component), score
                    if score == 1.0:
                        return best_score >= threshold, best, best_score
        return best_score > 0 and best_score >= threshold, best, best_score


class _Candidates:
    """The texts of one list by their cleaned form; of equal forms the first counts.

    Attributes:
        single: Cleaned text -> text.
        joined: The same of every ordered pair.
    """

    def __init__(self, texts: Iterable[str] | None) -> None:
        given = [texts] if isinstance(texts, str) else () if texts is None else texts
        cleaned = [(TextComparator.clean_text(text), str(text)) for text in given]
        # One without a letter or digit matches nothing, and adds nothing to another.
        rows = [row for row in cleaned if row[0]]
        self.single: dict[str, str] = {}
        for form, text in rows:
            self.single.setdefault(form, text)
        self.joined: dict[str, str] = {}
        # A number may be printed on two lines, in either order of detection.
        for (first, first_text), (second, second_text) in itertools.permutations(rows[:MOST_JOINED], 2):
            if first + second not in self.single:
                self.joined.setdefault(first + second, first_text + second_text)
