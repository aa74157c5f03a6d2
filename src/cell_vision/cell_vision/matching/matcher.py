"""Matches a reading against the catalogue: is it the ordered part, and no other?

A part matches if one of its printed texts is found in a line at a cost of at most `accept`, and every other part of the
catalogue costs at least `margin` more. Whole errors cost 1 and are never accepted.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from cell_common.catalogue import Catalogue, Part
from rapidfuzz import fuzz, process

from cell_vision.matching.alignment import DEFAULT_AFFIXES, Affixes, align, normalize
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.text_lines import TextLine, are_adjacent, group_lines
from cell_vision.types import UNREAD, Point, Reading

MOST_CANDIDATES = 5
LEAST_LETTERS = 3
"""Lines with fewer letters and digits are ignored."""
ALIKE = (frozenset('035689'), frozenset('17'))
"""Digits of similar outline. They have no price, because digits distinguish similar parts, but the OCR engine may be fairly
sure of one where the other is printed."""
UNREAD_PART = 'a second part in view could not be read'
NEARLY = 70
"""Least similarity, %, of a line that may be the number of another part."""
ONE_ERROR = 1.2
"""Cost of a number with one misread character."""
FAINT = 0.5
"""Upper limit of the score of a part that only resembles the text."""


class MatchOutcome(enum.Enum):
    """Outcomes of a match, with the names of cell_interfaces/MatchResult."""

    MATCH = 'MATCH'
    MISMATCH = 'MISMATCH'
    AMBIGUOUS = 'AMBIGUOUS'
    UNREADABLE = 'UNREADABLE'
    UNKNOWN = 'UNKNOWN'


@dataclass(frozen=True)
class Candidate:
    """A part and the cost at which it explains a line."""

    part_number: str
    cost: float
    line: TextLine
    score: float
    """Calibrated probability that it is this part, 0..1."""
    by_benchmark: bool = False


@dataclass(frozen=True)
class Decision:
    """The decision on one reading."""

    verdict: MatchOutcome
    reason: str
    """Message for the operator."""
    part_number: str = ''
    """The recognized part; "" unless MATCH or MISMATCH."""
    score: float = 0.0
    candidates: tuple[tuple[str, float], ...] = ()
    """Part number and score, best first."""
    by_benchmark: bool = False
    text: str = ''
    polygon: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """A text that identifies a part."""

    part_number: str
    text: str
    folded: str
    affixes: Affixes = DEFAULT_AFFIXES


@dataclass
class Matcher:
    """Matches readings against one catalogue and the benchmarks."""

    catalogue: Catalogue
    weights: ConfusionWeights
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.catalogue.parts.values()
        self._patterns = [pattern for part in parts for pattern in patterns_of(part, self.weights)]
        self._marks = {part.part_number: tuple(map(re.compile, part.distinguishing_patterns)) for part in parts}
        self._deletions = _one_deletion_neighbors(self._patterns)
        self._misreadings = _one_digit_neighbors(self._patterns)
        self._ignored = [re.compile(rule) for part in parts for rule in part.ignore]
        self.benchmarks = dict(self.benchmarks)

    def identifying_texts(self, texts: Iterable[str], part_number: str) -> list[str]:
        """Return the texts that contain the number of a part, with any text before or after it."""
        own = [pattern.folded for pattern in self._patterns if pattern.part_number == part_number]
        return [text for text in texts if any(number in self.weights.fold(normalize(text)) for number in own)]

    def match(self, expected: str, readings: Sequence[Reading]) -> Decision:
        """Match the reading of one frame against the ordered part.

        Args:
            expected: Part number of the catalogue.
            readings: All text of the frame.

        Raises:
            KeyError: `expected` is not in the catalogue.
        """
        if expected not in self.catalogue.parts:
            raise KeyError(expected)
        readings = in_canonical_order(readings)
        lines = [line for line in group_lines(readings) if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]
        usable = [line for line in lines if line.score >= self.weights.least_score]
        if not usable:
            reason = 'the text is too short or too uncertain' if readings else 'no text was read'
            return Decision(MatchOutcome.UNREADABLE, f'{reason}: {_quote(lines)}' if lines else reason)
        found = self._candidates(usable)
        if not found:
            return self._no_match(usable)
        decision = self._decide(expected, self._disambiguate(found, usable))
        if decision.verdict is not MatchOutcome.MATCH:
            return decision
        unread = any(reading.text == UNREAD for reading in readings)
        second = UNREAD_PART if unread else self._second_part(found[0], lines) or self._second_number(found[0], usable)
        if second:
            return replace(decision, verdict=MatchOutcome.AMBIGUOUS, part_number='', reason=f'{decision.reason}; but {second}')
        return decision

    def _second_part(self, best: Candidate, lines: list[TextLine]) -> str:
        """Describe print so far from the number that it belongs to another part, "" = none."""
        near, rest = [best.line], [line for line in lines if line is not best.line]
        while joined := [line for line in rest if any(are_adjacent(line, other) for other in near)]:
            near += joined
            rest = [line for line in rest if line not in joined]
        further = [line for line in rest if not self.identifying_texts([line.text], best.part_number)]
        return f'"{further[0].display_text}" is apart from it, as on a second part' if further else ''

    def _second_number(self, best: Candidate, lines: list[TextLine]) -> str:
        """Describe a line that is nearly the number of another part, "" = none: a second part in view may be misread."""
        own = [pattern for pattern in self._patterns if pattern.part_number == best.part_number]
        others = [pattern for pattern in self._patterns if pattern.part_number != best.part_number]
        for line in lines:
            if line is best.line or line.score < self.weights.second_score:
                continue
            near = process.extract(
                self.weights.fold(line.text),
                [pattern.folded for pattern in others],
                scorer=fuzz.partial_ratio,
                score_cutoff=NEARLY,
                limit=MOST_CANDIDATES,
            )
            costs = [(self._cost(others[at], line.text), others[at].part_number) for _, _, at in near]
            cost, name = min(costs, default=(math.inf, ''))
            if cost <= ONE_ERROR and all(cost < self._cost(pattern, line.text) for pattern in own):
                return f'"{line.display_text}" is nearly {name}'
        return ''

    def most_likely(self, readings: Sequence[Reading]) -> Candidate | None:
        """Return the part that explains a line best, at any cost; None when no line could contain a number."""
        readings = in_canonical_order(readings)
        lines = [line for line in group_lines(readings) if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]
        found = [
            self._candidate(pattern.part_number, self._cost(pattern, line.text), line)
            for line in lines
            for pattern in self._patterns
        ]
        best = min(found, key=_rank, default=None)
        return best if best is not None and best.cost < math.inf else None

    def _disambiguate(self, found: list[Candidate], lines: list[TextLine]) -> list[Candidate]:
        """Remove look-alikes of a part that carries its distinguishing text (`tells_apart` of the catalogue)."""
        best = found[0]
        lookalikes = [
            c for c in found if c.cost < best.cost + self.weights.margin and self._confusable(c.part_number, best.part_number)
        ]
        marked = [
            part
            for part in lookalikes
            if any(mark.search(line.text) for mark in self._marks[part.part_number] for line in lines)
        ]
        if len(marked) != 1:
            return found
        return [*marked, *(candidate for candidate in found if candidate not in lookalikes)]

    def _confusable(self, one: str, other: str) -> bool:
        """Return whether the printed texts of two parts cannot be distinguished."""
        texts = [{pattern.folded for pattern in self._patterns if pattern.part_number == part} for part in (one, other)]
        return bool(texts[0] & texts[1])

    def _decide(self, expected: str, found: list[Candidate]) -> Decision:
        best, others = found[0], found[1:]
        rivals = [other for other in others if other.cost < best.cost + self.weights.margin]
        named = tuple((item.part_number, item.score) for item in found[:MOST_CANDIDATES])
        common = {'score': best.score, 'candidates': named, 'text': best.line.display_text, 'polygon': best.line.polygon}
        if rivals:
            names = ' and '.join([best.part_number, *(rival.part_number for rival in rivals)])
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" may be {names}', **common)  # type: ignore[arg-type]
        doubt = '' if best.by_benchmark else self._sure_score_violation(best)
        if doubt:
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" is {best.part_number}, or {doubt}', **common)  # type: ignore[arg-type]
        how = 'as its benchmark' if best.by_benchmark else 'as in the catalogue'
        verdict, reason = MatchOutcome.MATCH, f'"{best.line.display_text}" is {best.part_number}, {how}'
        if best.part_number != expected:
            verdict, reason = MatchOutcome.MISMATCH, f'"{best.line.display_text}" is {best.part_number}, not {expected}'
        return Decision(verdict, reason, best.part_number, by_benchmark=best.by_benchmark, **common)  # type: ignore[arg-type]

    def _sure_score_violation(self, best: Candidate) -> str:
        """Name the parts that one lost or misread character turns into this one, if the line is not certain; "" = none."""
        longer, beside = (near.get(best.part_number, set()) for near in (self._deletions, self._misreadings))
        if longer and best.line.score < self.weights.certain_score:
            return f'{" or ".join(sorted(longer))} with a character not read'
        if beside and best.line.score < self.weights.sure_score:
            return f'{" or ".join(sorted(beside)[:MOST_CANDIDATES])} with a character misread'
        return ''

    def _no_match(self, lines: list[TextLine]) -> Decision:
        informative = [line for line in lines if not self._is_uninformative(line)]
        if not informative:
            return Decision(MatchOutcome.UNREADABLE, f'no number was read, only {_quote(lines)}')
        lines = informative
        shortest = min(len(pattern.folded) for pattern in self._patterns)
        if all(len(self.weights.fold(line.text)) < shortest for line in lines):
            return Decision(MatchOutcome.UNREADABLE, f'only part of a number was read: {_quote(lines)}')
        near: dict[str, float] = {}
        for line in lines:
            for _, similarity, at in process.extract(
                self.weights.fold(line.text), [p.folded for p in self._patterns], scorer=fuzz.ratio, limit=MOST_CANDIDATES
            ):
                part = self._patterns[at].part_number
                near[part] = max(near.get(part, 0.0), FAINT * similarity / 100)
        candidates = tuple(sorted(near.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES])
        return Decision(
            MatchOutcome.UNKNOWN,
            f'no part of the catalogue has the text {_quote(lines)}',
            candidates=candidates,
            score=candidates[0][1] if candidates else 0.0,
            text=lines[0].display_text,
        )

    def _candidates(self, lines: list[TextLine]) -> list[Candidate]:
        """Return the parts that explain a line, cheapest first; empty when none costs at most `accept`."""
        best: dict[str, Candidate] = {}
        for line in lines:
            folded = self.weights.fold(line.text)
            for pattern in self._patterns:
                if pattern.folded in folded:
                    self._keep_best(best, self._candidate(pattern.part_number, self._cost(pattern, line.text), line))
        for part_number, benchmark in self.benchmarks.items():
            for candidate in self._by_benchmark(part_number, benchmark, lines):
                self._keep_best(best, candidate)
        accepted = sorted((c for c in best.values() if c.cost <= self.weights.accept), key=_rank)
        if not accepted:
            return []
        if accepted[0].cost > 1.0 - self.weights.margin:
            return self._add_rivals(accepted, lines)
        return self._close_candidates(accepted, best)

    def _add_rivals(self, accepted: list[Candidate], lines: list[TextLine]) -> list[Candidate]:
        """Add parts at the cost of one whole error, if the best candidate is so expensive that they are close."""
        best = {candidate.part_number: candidate for candidate in accepted}
        for line in lines:
            for pattern in self._patterns:
                self._keep_best(best, self._candidate(pattern.part_number, self._cost(pattern, line.text), line))
        return self._close_candidates(accepted, best)

    def _close_candidates(self, accepted: list[Candidate], found: Mapping[str, Candidate]) -> list[Candidate]:
        """Return the accepted candidates, and those that cost more than `accept` but are within `margin` of the best."""
        near = [c for c in found.values() if c.cost < accepted[0].cost + self.weights.margin or c in accepted]
        return sorted(near, key=_rank)

    def _by_benchmark(self, part_number: str, benchmark: Benchmark, lines: list[TextLine]) -> list[Candidate]:
        """Match each identifying text of a benchmark as a whole line."""
        return [
            self._candidate(part_number, self._matches_whole_line(text, line.text), line, by_benchmark=True)
            for text in map(normalize, benchmark.identifying)
            for line in lines
        ]

    def _matches_whole_line(self, text: str, line: str) -> float:
        """Return the cost of a line being this text, with nothing before or after it."""
        if self.weights.fold(text) != self.weights.fold(line):
            return math.inf
        return align(text, line, self.weights).cost

    def _keep_best(self, best: dict[str, Candidate], candidate: Candidate) -> None:
        known = best.get(candidate.part_number)
        if known is None or _rank(candidate) < _rank(known):
            best[candidate.part_number] = candidate

    def _cost(self, pattern: Pattern, line: str) -> float:
        return align(pattern.text, line, self.weights, pattern.affixes).cost

    def _candidate(self, part_number: str, cost: float, line: TextLine, *, by_benchmark: bool = False) -> Candidate:
        return Candidate(part_number, cost, line, self.weights.confidence(line.score, cost), by_benchmark)

    def _is_uninformative(self, line: TextLine) -> bool:
        return any(rule.fullmatch(line.text) for rule in self._ignored)


def in_canonical_order(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings without repetitions in an order of their own: a verdict is a function of the set of readings."""
    return sorted(set(readings), key=lambda reading: (reading.polygon, reading.text, -reading.score))


def _rank(candidate: Candidate) -> tuple[float, float, str, str, tuple[Point, ...]]:
    """Return the sort key of candidates: the cheapest first, then the most certain; no two differing ones are equal."""
    line = candidate.line
    return candidate.cost, -line.score, candidate.part_number, line.text, line.polygon


def patterns_of(part: Part, weights: ConfusionWeights) -> list[Pattern]:
    """Return the texts that identify a part, with the affixes that its maker may add."""
    rules = [None if given is None else tuple(map(re.compile, given)) for given in (part.prefixes, part.suffixes)]
    printed = [normalize(text) for text in part.printed_text]
    return [Pattern(part.part_number, text, weights.fold(text), Affixes(*rules)) for text in printed]


def _one_deletion_neighbors(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts that become it when one of their characters is lost."""
    by_text: dict[str, set[str]] = {}
    for pattern in patterns:
        by_text.setdefault(pattern.folded, set()).add(pattern.part_number)
    result: dict[str, set[str]] = {}
    for pattern in patterns:
        for i in range(len(pattern.folded)):
            for shorter in by_text.get(pattern.folded[:i] + pattern.folded[i + 1 :], set()) - {pattern.part_number}:
                result.setdefault(shorter, set()).add(pattern.part_number)
    return result


def _one_digit_neighbors(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts whose number differs in one digit of similar outline."""
    masked: dict[tuple[int, str], set[Pattern]] = {}
    for pattern in patterns:
        for i in range(len(pattern.folded)):
            masked.setdefault((i, pattern.folded[:i] + ' ' + pattern.folded[i + 1 :]), set()).add(pattern)
    result: dict[str, set[str]] = {}
    for alike in masked.values():
        for one, other in permutations(alike, 2):
            if one.part_number != other.part_number and _alike_in(one.folded, other.folded):
                result.setdefault(one.part_number, set()).add(other.part_number)
    return result


def _alike_in(one: str, other: str) -> bool:
    differing = [{a, b} for a, b in zip(one, other, strict=True) if a != b]
    return any(pair <= shapes for pair in differing for shapes in ALIKE)


def _quote(lines: Sequence[TextLine]) -> str:
    return ', '.join(f'"{line.display_text}"' for line in lines[:4])
