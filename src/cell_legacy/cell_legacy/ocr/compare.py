"""Compares the texts of a component with those of a benchmark.

Pure: no ROS, sockets, files or clock.

Kept for scripts. The cell itself decides with `cell_vision.matching`, which knows the catalogue and rejects look-alikes;
a similarity of 0.6 accepts many wrong part numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

__all__ = ['TextComparator']


class TextComparator:
    """Static functions that compare texts by their letters and digits."""

    @staticmethod
    def clean_text(s: str | None) -> str:
        """Return the letters and digits of a text in lower case: "G8NB-17SR" becomes "g8nb17sr"."""
        return ''.join(character for character in str(s or '').lower() if character.isalnum())

    @staticmethod
    def similarity(a: str | None, b: str | None) -> float:
        """Return the SequenceMatcher ratio of two cleaned texts, 0..1.

        Two texts without any letter or digit have similarity 0. The replaced module returned 1 for them, so that an empty
        reading matched an empty benchmark.
        """
        first, second = TextComparator.clean_text(a), TextComparator.clean_text(b)
        if not first or not second:
            return 0.0
        return SequenceMatcher(None, first, second).ratio()

    @staticmethod
    def compare_texts(a: str | None, b: str | None) -> float:
        """Return the same as `similarity`; both names are in use."""
        return TextComparator.similarity(a, b)

    @staticmethod
    def best_match(
        benchmark_texts: Sequence[str] | None, component_texts: Sequence[str] | None, threshold: float = 0.6
    ) -> tuple[bool, tuple[str, str], float]:
        """Find the most similar pair of a benchmark text and a component text.

        Each list offers its single texts and every ordered pair of two of them, joined without a blank.

        Args:
            benchmark_texts: Texts of the benchmark; None and empty lists never match.
            component_texts: Texts of the component.
            threshold: Lowest similarity that counts as a match, inclusive.

        Returns:
            (match, (benchmark text, component text), similarity). The pair is ("", "") and the similarity 0 when either
            list has no text with a letter or a digit. Of equal pairs the first counts, single texts before joined ones.
        """
        best, best_score = ('', ''), 0.0
        components = list(_candidates(component_texts))
        for benchmark in _candidates(benchmark_texts):
            for component in components:
                score = TextComparator.similarity(benchmark, component)
                if score > best_score:
                    best, best_score = (benchmark, component), score
        return best_score > 0 and best_score >= threshold, best, best_score


def _candidates(texts: Sequence[str] | None) -> Iterator[str]:
    single = [str(text) for text in texts or () if text is not None]
    yield from single
    # A number may be printed on two lines, in either order of detection.
    for first, second in itertools.permutations(single, 2):
        yield first + second
