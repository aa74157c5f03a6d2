"""Finds the parts of a catalogue that may stand in a line, and what each costs.

With likelihoods of the recognizer the cost is what the frame says against the number; a line
without them, as of other engines, is aligned as text. A whole error costs 1 either way.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cell_vision.matching.alignment import NOT_FOUND, Alignment, align, normalize
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.likelihood_scorer import LikelihoodScorer
from cell_vision.matching.patterns import Pattern, one_deletion_neighbors
from cell_vision.matching.text_lines import TextLine
from cell_vision.types import Point

__all__ = ['Candidate', 'CandidateFinder', 'rank', 'shared_probability']

NATS_PER_ERROR = 8.0
"""Log likelihood of a whole error: what a misread character costs against the recognizer's confidence."""
LONGER_MARGIN = 0.6
"""Cost by which a number with one character more must be worse.

At least 0.62 in right readings of photographs, 0.36 and 0.51 over a scratched character.
"""
MOST_KEPT = 64
"""Lines whose scores are kept."""


@dataclass(frozen=True)
class Candidate:
    """A part and the cost at which it explains a line.

    Attributes:
        part_number: The part.
        cost: Cost of the alignment.
        line: The line.
        score: Calibrated probability that it is this part, 0..1.
        by_benchmark: The line equals a text of its benchmark.
        begin: Index into the line of the first character that was explained.
        end: Just after the last one.
    """

    part_number: str
    cost: float
    line: TextLine
    score: float
    by_benchmark: bool = False
    begin: int = 0
    end: int = 0


class CandidateFinder:
    """Finds candidates among the patterns of one catalogue.

    Attributes:
        patterns: Texts that identify the parts.
        deletions: Part -> the parts that become it when one of their characters is lost.
        scorer: Scores the patterns on likelihoods.
    """

    def __init__(self, patterns: Sequence[Pattern], weights: ConfusionWeights) -> None:
        """Prepare the search for these patterns."""
        self.patterns = list(patterns)
        self.deletions = one_deletion_neighbors(self.patterns)
        self.scorer = LikelihoodScorer(self.patterns, weights)
        self._weights = weights
        self._scored: dict[tuple[bytes, ...], Mapping[Pattern, float]] = {}

    def find(self, lines: Sequence[TextLine], benchmarks: Mapping[str, Benchmark]) -> list[Candidate]:
        """Return the parts that explain a line, cheapest first; empty when none costs at most `accept`.

        Args:
            lines: Lines of one frame.
            benchmarks: Part number -> its benchmark.
        """
        best: dict[str, Candidate] = {}
        for line in lines:
            if line.strips:
                for candidate in self._by_likelihood(line):
                    self._keep_best(best, candidate)
                continue
            folded = self._weights.fold(line.text)
            for pattern in self.patterns:
                # A cheap filter: texts within `accept` of each other fold to the same characters,
                # so no match is lost.
                if pattern.folded in folded:
                    self._keep_best(best, self.candidate(pattern.part_number, self.align(pattern, line.text), line))
        for part_number, benchmark in benchmarks.items():
            for candidate in self._by_benchmark(part_number, benchmark, lines):
                self._keep_best(best, candidate)
        accepted = sorted((c for c in best.values() if c.cost <= self._weights.accept), key=rank)
        if not accepted:
            return []
        if accepted[0].cost > 1.0 - self._weights.margin:
            return self._add_rivals(accepted, lines)
        return self._close_candidates(accepted, best)

    def _by_likelihood(self, line: TextLine) -> Iterator[Candidate]:
        """Yield the numbers that the likelihoods of a line do not rule out."""
        for pattern, score in self.likelihoods(line).items():
            cost = -score / NATS_PER_ERROR
            place = self.align(pattern, line.text) if cost <= self._weights.accept else NOT_FOUND
            if place.cost == math.inf:
                place = Alignment(cost, len(line.text))
            yield self.candidate(pattern.part_number, replace(place, cost=cost), line)

    def likelihoods(self, line: TextLine) -> Mapping[Pattern, float]:
        """Return the scores of a line, kept for the next look at the same one."""
        known = self._scored.get(line.key)
        if known is None:
            if len(self._scored) >= MOST_KEPT:
                self._scored.clear()
            known = self._scored[line.key] = self.scorer.scores(line.strips, line.frames)
        return known

    def _add_rivals(self, accepted: list[Candidate], lines: Sequence[TextLine]) -> list[Candidate]:
        """Add parts at the cost of one whole error, if the best candidate is so expensive that they are close."""
        best = {candidate.part_number: candidate for candidate in accepted}
        for line in (line for line in lines if not line.strips):
            for pattern in self.patterns:
                self._keep_best(best, self.candidate(pattern.part_number, self.align(pattern, line.text), line))
        return self._close_candidates(accepted, best)

    def _close_candidates(self, accepted: list[Candidate], found: Mapping[str, Candidate]) -> list[Candidate]:
        """Return the accepted candidates, and those that cost more than `accept` but are within `margin` of the best."""
        near = [c for c in found.values() if c in accepted or self.is_rival(c, accepted[0])]
        return sorted(near, key=rank)

    def is_rival(self, other: Candidate, best: Candidate) -> bool:
        """Return whether a part is so close to the best one that the frame does not decide between them.

        A number with one character more needs more evidence that nothing stood there: the recognizer passes over a worn
        character with confidence.

        Args:
            other: Another part.
            best: Part with the lowest cost.
        """
        longer = best.line.strips and other.part_number in self.deletions.get(best.part_number, set())
        return other.cost < best.cost + (LONGER_MARGIN if longer else self._weights.margin)

    def _by_benchmark(self, part_number: str, benchmark: Benchmark, lines: Sequence[TextLine]) -> list[Candidate]:
        """Match each identifying text of a benchmark as a whole line."""
        return [
            self.candidate(part_number, self._matches_whole_line(text, line.text), line, by_benchmark=True)
            for text in map(normalize, benchmark.identifying)
            for line in lines
        ]

    def _matches_whole_line(self, text: str, line: str) -> Alignment:
        """Return how a line is this text, with nothing before or after it; the cost is infinite if it is not."""
        if self._weights.fold(text) != self._weights.fold(line):
            return NOT_FOUND
        return align(text, line, self._weights)

    def _keep_best(self, best: dict[str, Candidate], candidate: Candidate) -> None:
        known = best.get(candidate.part_number)
        if known is None or rank(candidate) < rank(known):
            best[candidate.part_number] = candidate

    def align(self, pattern: Pattern, line: str) -> Alignment:
        """Return the cheapest place of a pattern in a line.

        Args:
            pattern: A number with its affixes.
            line: Text as `normalize` returns it: upper case, one kind of separator.
        """
        return align(pattern.text, line, self._weights, pattern.affixes)

    def candidate(self, part_number: str, found: Alignment, line: TextLine, *, by_benchmark: bool = False) -> Candidate:
        """Return a part that explains a line by an alignment.

        Args:
            part_number: The part.
            found: Place and cost of its number in the line.
            line: The line; its score and the cost give the candidate's confidence, 0..1.
            by_benchmark: The text is that of the stored benchmark, not of the catalogue.
        """
        score = self._weights.confidence(line.score, found.cost)
        return Candidate(part_number, found.cost, line, score, by_benchmark, found.begin, found.end)


def shared_probability(found: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates whose scores are shares of the probability that it is one of them at all."""
    weights = [math.exp(-NATS_PER_ERROR * (candidate.cost - found[0].cost)) for candidate in found]
    total = sum(weights)
    return [
        replace(candidate, score=candidate.score * weight / total) for candidate, weight in zip(found, weights, strict=True)
    ]


def rank(candidate: Candidate) -> tuple[float, float, str, str, tuple[Point, ...]]:
    """Return the sort key of candidates: the cheapest first, then the most certain; no two differing ones are equal."""
    line = candidate.line
    return candidate.cost, -line.score, candidate.part_number, line.text, line.polygon
