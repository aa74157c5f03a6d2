"""Matches a reading against the catalogue: is it the ordered part, and no other?

A part matches if one of its printed texts is found in a line at a cost of at most `accept`, and
every other part of the catalogue costs at least `margin` more. Whole errors cost 1 and are never
accepted.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cell_common.catalogue import Catalogue
from rapidfuzz import fuzz, process

from cell_vision.matching.alignment import NOT_FOUND, SEAM, Alignment, align, normalize
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.completeness import Incompleteness, NumberPlace, find_incompleteness
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.orientation import proves_direction, same_direction, turned_twins
from cell_vision.matching.patterns import Pattern, one_deletion_neighbors, one_digit_neighbors, patterns_of
from cell_vision.matching.text_lines import TextLine, are_adjacent, group_lines
from cell_vision.types import UNREAD, Point, Reading

MOST_CANDIDATES = 5
LEAST_LETTERS = 3
"""Lines with fewer letters and digits are ignored."""
UNREAD_PART = 'a second part in view could not be read'
NEARLY = 70
"""Least similarity, %, of a line that may be the number of another part."""
ONE_ERROR = 1.2
"""Cost of a number with one misread character."""
ENOUGH_PICTURES = 2
"""A number that is cut off or has a gap needs so many pictures, even if no other number fits."""
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


@dataclass(frozen=True)
class Decision:
    """The decision on one reading.

    Attributes:
        verdict: The outcome.
        reason: Message for the operator.
        part_number: The recognized part; "" unless MATCH or MISMATCH.
        score: Calibrated probability, 0..1.
        candidates: Part number and score, best first.
        by_benchmark: A benchmark decided.
        text: Line that decided, as read.
        polygon: Corners of that line in the frame, pixels.
    """

    verdict: MatchOutcome
    reason: str
    part_number: str = ''
    score: float = 0.0
    candidates: tuple[tuple[str, float], ...] = ()
    by_benchmark: bool = False
    text: str = ''
    polygon: tuple[Point, ...] = ()


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
        self._deletions = one_deletion_neighbors(self._patterns)
        self._misreadings = one_digit_neighbors(self._patterns)
        self._required = {part.part_number: tuple(map(re.compile, part.required_patterns)) for part in parts}
        self._folded = {
            part.part_number: {p.folded for p in self._patterns if p.part_number == part.part_number} for part in parts
        }
        self._turned = turned_twins({part.part_number: part.printed_text for part in parts}, self.weights.fold)
        self._ignored = [re.compile(rule) for part in parts for rule in part.ignore]
        self.benchmarks = dict(self.benchmarks)

    def identifying_texts(self, texts: Iterable[str], part_number: str) -> list[str]:
        """Return the texts that contain the number of a part, with any text before or after it."""
        own = [pattern.folded for pattern in self._patterns if pattern.part_number == part_number]
        return [text for text in texts if any(number in self.weights.fold(normalize(text)) for number in own)]

    def match(self, expected: str, readings: Sequence[Reading], pictures: int = 1) -> Decision:
        """Match the reading of a part against the ordered one.

        Args:
            expected: Part number of the catalogue.
            readings: All text of the frame.
            pictures: Number of pictures from which they were put together.

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
        decision = self._decide(expected, self._disambiguate(found, usable), usable, pictures)
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
            costs = [(self._align(others[at], line.text).cost, others[at].part_number) for _, _, at in near]
            cost, name = min(costs, default=(math.inf, ''))
            if cost <= ONE_ERROR and all(cost < self._align(pattern, line.text).cost for pattern in own):
                return f'"{line.display_text}" is nearly {name}'
        return ''

    def most_likely(self, readings: Sequence[Reading]) -> Candidate | None:
        """Return the part that explains a line best, at any cost; None when no line could contain a number."""
        readings = in_canonical_order(readings)
        lines = [line for line in group_lines(readings) if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]
        found = [
            self._candidate(pattern.part_number, self._align(pattern, line.text), line)
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
        marked = [part for part in lookalikes if any(_is_read(mark, lines) for mark in self._marks[part.part_number])]
        if not marked and all(self._required[part.part_number] for part in lookalikes):
            marked = [part for part in lookalikes if all(_is_read(text, lines) for text in self._required[part.part_number])]
        if len(marked) != 1:
            return found
        return [*marked, *(candidate for candidate in found if candidate not in lookalikes)]

    def _confusable(self, one: str, other: str) -> bool:
        """Return whether the printed texts of two parts cannot be distinguished."""
        texts = [{pattern.folded for pattern in self._patterns if pattern.part_number == part} for part in (one, other)]
        return bool(texts[0] & texts[1])

    def _decide(self, expected: str, found: list[Candidate], lines: list[TextLine], pictures: int) -> Decision:
        best, others = found[0], found[1:]
        rivals = [other for other in others if other.cost < best.cost + self.weights.margin]
        named = tuple((item.part_number, item.score) for item in found[:MOST_CANDIDATES])
        common = {'score': best.score, 'candidates': named, 'text': best.line.display_text, 'polygon': best.line.polygon}
        if rivals:
            names = ' and '.join([best.part_number, *(rival.part_number for rival in rivals)])
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" may be {names}', **common)  # type: ignore[arg-type]
        doubt = self._doubt(best, lines, pictures)
        if doubt:
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" is {best.part_number}{doubt}', **common)  # type: ignore[arg-type]
        how = 'as its benchmark' if best.by_benchmark else 'as in the catalogue'
        verdict, reason = MatchOutcome.MATCH, f'"{best.line.display_text}" is {best.part_number}, {how}'
        if best.part_number != expected:
            verdict, reason = MatchOutcome.MISMATCH, f'"{best.line.display_text}" is {best.part_number}, not {expected}'
        return Decision(verdict, reason, best.part_number, by_benchmark=best.by_benchmark, **common)  # type: ignore[arg-type]

    def _doubt(self, best: Candidate, lines: list[TextLine], pictures: int) -> str:
        """Describe what speaks against the only candidate, or what evidence is still needed; "" = nothing."""
        if doubt := self._turned_doubt(best, lines) or self._incomplete(best, lines, pictures):
            return doubt
        for pattern in self._required[best.part_number]:
            if not _is_read(pattern, lines):
                return f', but the text "{pattern.pattern}" that must stand beside it was not read'
        doubt = '' if best.by_benchmark else self._sure_score_violation(best)
        return f', or {doubt}' if doubt else ''

    def _turned_doubt(self, best: Candidate, lines: list[TextLine]) -> str:
        """Describe the doubt about a number that is another one upside down, unless another line proves its direction."""
        twins = self._turned.get(best.part_number, set())
        if not twins or any(_is_read(mark, lines) for mark in self._marks[best.part_number]):
            return ''
        proofs = [line for line in lines if line is not best.line and proves_direction(line.text, line.score)]
        if proofs and all(same_direction(line.polygon, best.line.polygon) for line in proofs):
            return ''
        return f', or {" or ".join(sorted(twins))} upside down: nothing else on it shows which way up it lies'

    def _incomplete(self, best: Candidate, lines: list[TextLine], pictures: int) -> str:
        """Describe a character of the number that may be missing, "" = none."""
        for found in self._incompletenesses(best.part_number, best.line, best.begin, best.end):
            if not found.longer and pictures < ENOUGH_PICTURES:
                place = 'where it is cut off' if found.cut else 'in a gap of it'
                return f', if nothing is missing {place}: a second picture is needed'
        own = [pattern for pattern in self._patterns if pattern.part_number == best.part_number]
        places = [(line, self._align(pattern, line.text)) for line in lines for pattern in own]
        longer = {
            part
            for line, place in places
            if place.cost <= self.weights.accept
            for found in self._incompletenesses(best.part_number, line, place.begin, place.end)
            for part in found.longer
        }
        names = sorted(longer)[:MOST_CANDIDATES]
        return f', or {" or ".join(names)} with a character lost at a gap or cut end' if names else ''

    def _incompletenesses(self, part_number: str, line: TextLine, begin: int, end: int) -> list[Incompleteness]:
        others = {part: texts for part, texts in self._folded.items() if part != part_number}
        place = NumberPlace(line.text, begin, end, line.holes)
        return find_incompleteness(place, self._folded[part_number], others, self.weights.fold)

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
                # A cheap filter: texts within `accept` of each other fold to the same characters,
                # so no match is lost.
                if pattern.folded in folded:
                    self._keep_best(best, self._candidate(pattern.part_number, self._align(pattern, line.text), line))
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
                self._keep_best(best, self._candidate(pattern.part_number, self._align(pattern, line.text), line))
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

    def _matches_whole_line(self, text: str, line: str) -> Alignment:
        """Return how a line is this text, with nothing before or after it; the cost is infinite if it is not."""
        if self.weights.fold(text) != self.weights.fold(line):
            return NOT_FOUND
        return align(text, line, self.weights)

    def _keep_best(self, best: dict[str, Candidate], candidate: Candidate) -> None:
        known = best.get(candidate.part_number)
        if known is None or _rank(candidate) < _rank(known):
            best[candidate.part_number] = candidate

    def _align(self, pattern: Pattern, line: str) -> Alignment:
        return align(pattern.text, line, self.weights, pattern.affixes)

    def _candidate(self, part_number: str, found: Alignment, line: TextLine, *, by_benchmark: bool = False) -> Candidate:
        score = self.weights.confidence(line.score, found.cost)
        return Candidate(part_number, found.cost, line, score, by_benchmark, found.begin, found.end)

    def _is_uninformative(self, line: TextLine) -> bool:
        return any(rule.fullmatch(line.text) for rule in self._ignored)


def in_canonical_order(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings without repetitions in an order of their own: a verdict is a function of the set of readings."""
    return sorted(set(readings), key=lambda reading: (reading.polygon, reading.text, -reading.score))


def _rank(candidate: Candidate) -> tuple[float, float, str, str, tuple[Point, ...]]:
    """Return the sort key of candidates: the cheapest first, then the most certain; no two differing ones are equal."""
    line = candidate.line
    return candidate.cost, -line.score, candidate.part_number, line.text, line.polygon


def _is_read(pattern: re.Pattern[str], lines: Sequence[TextLine]) -> bool:
    return any(pattern.search(line.text.replace(SEAM, '')) for line in lines)


def _quote(lines: Sequence[TextLine]) -> str:
    return ', '.join(f'"{line.display_text}"' for line in lines[:4])
