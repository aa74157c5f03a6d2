"""Matches a reading against the catalogue: is it the ordered part, and no other?

A part matches if one of its printed texts is found in a line at a cost of at most `accept`, every
other part of the catalogue costs at least `margin` more, and no doubt is left. Whole errors cost 1
and are never accepted.

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

from cell_vision.matching.alignment import normalize
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.candidates import Candidate, CandidateFinder, rank, shared_probability
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.doubts import Doubts, is_read
from cell_vision.matching.patterns import line_splits, patterns_of
from cell_vision.matching.text_lines import TextLine, are_adjacent, group_lines, same_place
from cell_vision.types import UNREAD, Point, Reading

MOST_CANDIDATES = 5
LEAST_LETTERS = 3
"""Lines with fewer letters and digits are ignored."""
UNREAD_PART = 'a second part in view could not be read'
RIVAL_SIMILARITY = 70
"""Least similarity, %, of a line that may be the number of another part."""
ONE_ERROR = 1.2
"""Cost of a number with one misread character."""
LEAST_EMBEDDED = 5
"""Letters and digits of a number that is no accident in a longer text."""
RESEMBLANCE_SCORE = 0.5
"""Upper limit of the score of a part that only resembles the text."""


class MatchOutcome(enum.Enum):
    """Outcomes of a match, with the names of cell_interfaces/MatchResult."""

    MATCH = 'MATCH'
    MISMATCH = 'MISMATCH'
    AMBIGUOUS = 'AMBIGUOUS'
    UNREADABLE = 'UNREADABLE'
    UNKNOWN = 'UNKNOWN'


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
    """Matches readings against one catalogue and the benchmarks.

    Patterns are prepared once; `match` has no memory, so equal readings have equal verdicts.
    """

    catalogue: Catalogue
    weights: ConfusionWeights
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.catalogue.parts.values()
        self._patterns = [pattern for part in parts for pattern in patterns_of(part, self.weights)]
        self._finder = CandidateFinder(self._patterns, self.weights)
        self._doubts = Doubts(parts, self._finder, self.weights)
        self._splits = line_splits(self._patterns, self.weights.fold)
        self._ignored = [re.compile(rule) for part in parts for rule in part.ignore]
        self.benchmarks = dict(self.benchmarks)

    def identifying_texts(self, texts: Iterable[str], part_number: str) -> list[str]:
        """Return the texts that contain the number of a part, with any text before or after it.

        Args:
            texts: Lines as they were read.
            part_number: A part of the catalogue; an unknown one identifies nothing.
        """
        own = [pattern.folded for pattern in self._patterns if pattern.part_number == part_number]
        return [text for text in texts if any(number in self.weights.fold(normalize(text)) for number in own)]

    def match(self, expected: str, readings: Sequence[Reading], frames: int = 1) -> Decision:
        """Match the reading of a part against the ordered one.

        Args:
            expected: Part number of the catalogue.
            readings: All text of the frame.
            frames: Number of frames from which they were put together.

        Raises:
            KeyError: `expected` is not in the catalogue.
        """
        if expected not in self.catalogue.parts:
            raise KeyError(expected)
        readings = in_canonical_order(readings)
        lines = self.lines(readings)
        usable = [line for line in lines if line.strips or line.score >= self.weights.least_score]
        if not usable:
            return self._unreadable(lines, readings)
        found = self._finder.find(usable, self.benchmarks)
        if not found:
            sure = [line for line in usable if line.score >= self.weights.least_score]
            return self._no_match(sure) if sure else self._unreadable(lines, readings)
        decision = self._decide(expected, shared_probability(self._disambiguate(found, usable)), usable, frames)
        if decision.verdict is not MatchOutcome.MATCH:
            return decision
        unread = any(reading.text == UNREAD for reading in readings)
        second = UNREAD_PART if unread else self._second_part(found[0], lines) or self._second_number(found[0], usable)
        if second:
            return replace(decision, verdict=MatchOutcome.AMBIGUOUS, part_number='', reason=f'{decision.reason}; but {second}')
        return decision

    def _unreadable(self, lines: list[TextLine], readings: Sequence[Reading]) -> Decision:
        reason = 'the text is too short or too uncertain' if readings else 'no text was read'
        return Decision(MatchOutcome.UNREADABLE, f'{reason}: {_quote(lines)}' if lines else reason)

    def lines(self, readings: Sequence[Reading]) -> list[TextLine]:
        """Return the lines of a frame, also two that are one number of the catalogue over a line break."""
        lines = group_lines(in_canonical_order(readings), self._joins)
        return [line for line in lines if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]

    def _joins(self, above: str, below: str) -> bool:
        upper, lower = self.weights.fold(above), self.weights.fold(below)
        return any(
            upper.endswith(first) and lower.startswith(second) and (not separator or below.startswith(separator))
            for first, separator, second in self._splits
        )

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
            if line is best.line or line.score < self.weights.second_score or same_place(line, best.line):
                continue
            near = process.extract(
                self.weights.fold(line.text),
                [pattern.folded for pattern in others],
                scorer=fuzz.partial_ratio,
                score_cutoff=RIVAL_SIMILARITY,
                limit=MOST_CANDIDATES,
            )
            costs = [(self._finder.align(others[at], line.text).cost, others[at].part_number) for _, _, at in near]
            cost, name = min(costs, default=(math.inf, ''))
            if cost <= ONE_ERROR and all(cost < self._finder.align(pattern, line.text).cost for pattern in own):
                return f'"{line.display_text}" is nearly {name}'
        return ''

    def most_likely(self, readings: Sequence[Reading]) -> Candidate | None:
        """Return the part that explains a line best, at any cost; None when no line could contain a number."""
        lines = self.lines(readings)
        found = [
            self._finder.candidate(pattern.part_number, self._finder.align(pattern, line.text), line)
            for line in lines
            for pattern in self._patterns
        ]
        best = min(found, key=rank, default=None)
        return best if best is not None and best.cost < math.inf else None

    def _disambiguate(self, found: list[Candidate], lines: list[TextLine]) -> list[Candidate]:
        """Remove look-alikes of a part that carries its distinguishing text (`tells_apart` of the catalogue)."""
        best = found[0]
        lookalikes = [
            c for c in found if c.cost < best.cost + self.weights.margin and self._confusable(c.part_number, best.part_number)
        ]
        marked = [part for part in lookalikes if any(is_read(mark, lines) for mark in self._doubts.marks[part.part_number])]
        if not marked and all(self._doubts.required[part.part_number] for part in lookalikes):
            marked = [
                part for part in lookalikes if all(is_read(text, lines) for text in self._doubts.required[part.part_number])
            ]
        if len(marked) != 1:
            return found
        return [*marked, *(candidate for candidate in found if candidate not in lookalikes)]

    def _confusable(self, one: str, other: str) -> bool:
        """Return whether the printed texts of two parts cannot be distinguished."""
        texts = [{pattern.folded for pattern in self._patterns if pattern.part_number == part} for part in (one, other)]
        return bool(texts[0] & texts[1])

    def _decide(self, expected: str, found: list[Candidate], lines: list[TextLine], frames: int) -> Decision:
        """Return the decision when at least one part explains a line.

        Rivals come first, then doubts: both give AMBIGUOUS, and only what is left is compared with the expected part.

        Args:
            expected: Part that the job ordered.
            found: At least one, the cheapest first.
            lines: All lines of the reading.
            frames: Number of frames that the reading is fused from.
        """
        best, others = found[0], found[1:]
        rivals = [other for other in others if self._finder.is_rival(other, best)]
        named = tuple((item.part_number, item.score) for item in found[:MOST_CANDIDATES])
        common = {'score': best.score, 'candidates': named, 'text': best.line.display_text, 'polygon': best.line.polygon}
        if rivals:
            names = ' and '.join([best.part_number, *(rival.part_number for rival in rivals)])
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" may be {names}', **common)  # type: ignore[arg-type]
        doubt = self._doubts.describe(best, lines, frames)
        if doubt:
            return Decision(MatchOutcome.AMBIGUOUS, f'"{best.line.display_text}" is {best.part_number}{doubt}', **common)  # type: ignore[arg-type]
        how = 'as its benchmark' if best.by_benchmark else 'as in the catalogue'
        verdict, reason = MatchOutcome.MATCH, f'"{best.line.display_text}" is {best.part_number}, {how}'
        if best.part_number != expected:
            verdict, reason = MatchOutcome.MISMATCH, f'"{best.line.display_text}" is {best.part_number}, not {expected}'
        return Decision(verdict, reason, best.part_number, by_benchmark=best.by_benchmark, **common)  # type: ignore[arg-type]

    def _no_match(self, lines: list[TextLine]) -> Decision:
        """Return UNREADABLE if nothing was read that could be a number, else UNKNOWN with the nearest parts.

        The nearest parts are found by plain edit distance, for the operator only: their scores are scaled by
        RESEMBLANCE_SCORE, so that no page shows a high score beside UNKNOWN.
        """
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
                near[part] = max(near.get(part, 0.0), RESEMBLANCE_SCORE * similarity / 100)
        candidates = tuple(sorted(near.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES])
        return Decision(
            MatchOutcome.UNKNOWN,
            self._embedded(lines) or f'no part of the catalogue has the text {_quote(lines)}',
            candidates=candidates,
            score=candidates[0][1] if candidates else 0.0,
            text=lines[0].display_text,
        )

    def _embedded(self, lines: list[TextLine]) -> str:
        """Describe a number of the catalogue that a line holds between characters that no rule allows beside it, "" = none."""
        for line in lines:
            folded = self.weights.fold(line.text)
            held = [p for p in self._patterns if len(p.folded) >= LEAST_EMBEDDED and p.folded in folded]
            if held:
                part = max(held, key=lambda pattern: (len(pattern.folded), pattern.part_number)).part_number
                return (
                    f'"{line.display_text}" holds {part}, but what is printed directly beside it is neither prefix nor suffix '
                    'of it: another part, or a rule is missing in the catalogue (prefixes, suffixes)'
                )
        return ''

    def _is_uninformative(self, line: TextLine) -> bool:
        return any(rule.fullmatch(line.text) for rule in self._ignored)


def in_canonical_order(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings without repetitions in an order of their own: a verdict is a function of the set of readings."""
    return sorted(set(readings), key=lambda reading: (reading.polygon, reading.text, -reading.score))


def _quote(lines: Sequence[TextLine]) -> str:
    return ', '.join(f'"{line.display_text}"' for line in lines[:4])
