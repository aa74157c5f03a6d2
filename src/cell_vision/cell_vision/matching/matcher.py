"""The verdict: is what was read the ordered part, and nothing else of the catalogue?

A part is recognised when one of its printed texts is found in a line at a price of at most `accept`, and no other part of the
catalogue costs less than `margin` more. Whole errors cost 1 and are never forgiven.
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

from cell_vision.matching.alignment import AS_USUAL, Affixes, align, normalise
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.confusions import Weights
from cell_vision.matching.text_lines import Line, join_lines, stand_together
from cell_vision.types import UNREAD, Point, Reading

MOST_CANDIDATES = 5
LEAST_LETTERS = 3
"""Less print than this says nothing."""
ALIKE = (frozenset('035689'), frozenset('17'))
"""Digits of much the same outline. They have no price, as digits tell neighbours apart; but a reader may be fairly sure of one
where the other is printed."""
UNREAD_PART = 'a further part in view could not be read'
NEARLY = 70
"""Likeness, %, below which a line is not looked at as another part's number."""
ONE_ERROR = 1.2
"""Price of a number with one character misread."""
FAINT = 0.5
"""Score of a part that merely resembles the text is below this."""


class Verdict(enum.Enum):
    """As in cell_interfaces MatchResult."""

    MATCH = 'MATCH'
    MISMATCH = 'MISMATCH'
    AMBIGUOUS = 'AMBIGUOUS'
    UNREADABLE = 'UNREADABLE'
    UNKNOWN = 'UNKNOWN'


@dataclass(frozen=True)
class Candidate:
    """A part and how well it explains the text."""

    part_number: str
    cost: float
    line: Line
    score: float
    """How likely it is this part, 0..1, calibrated."""
    by_benchmark: bool = False


@dataclass(frozen=True)
class Decision:
    """The verdict on one reading."""

    verdict: Verdict
    reason: str
    """For people."""
    part_number: str = ''
    """The part recognised; "" unless MATCH or MISMATCH."""
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
    affixes: Affixes = AS_USUAL


@dataclass
class Matcher:
    """Judges readings against one catalogue and the benchmarks."""

    catalogue: Catalogue
    weights: Weights
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.catalogue.parts.values()
        self._patterns = [pattern for part in parts for pattern in patterns_of(part, self.weights)]
        self._marks = {part.part_number: tuple(map(re.compile, part.distinguishing_patterns)) for part in parts}
        self._shorter = _losing_one(self._patterns)
        self._next_to = _reading_one_wrong(self._patterns)
        self._ignored = [re.compile(rule) for part in parts for rule in part.ignore]
        self.benchmarks = dict(self.benchmarks)

    def identifying(self, texts: Iterable[str], part_number: str) -> list[str]:
        """Return those of some texts that hold the part's number, whatever stands before or after it."""
        own = [pattern.folded for pattern in self._patterns if pattern.part_number == part_number]
        return [text for text in texts if any(number in self.weights.fold(normalise(text)) for number in own)]

    def decide(self, expected: str, readings: Sequence[Reading]) -> Decision:
        """Judge one frame's reading against the ordered part.

        Args:
            expected: Part number of the catalogue.
            readings: All text of the frame.

        Raises:
            KeyError: `expected` is not in the catalogue.
        """
        if expected not in self.catalogue.parts:
            raise KeyError(expected)
        lines = [line for line in join_lines(readings) if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]
        usable = [line for line in lines if line.score >= self.weights.least_score]
        if not usable:
            why = 'no text was read' if not readings else 'what was read is too short or too uncertain'
            return Decision(Verdict.UNREADABLE, f'{why}: {_shown(lines)}' if lines else why)
        found = self._found(usable)
        if not found:
            return self._nothing(usable)
        decision = self._judge(expected, self._told_apart(found, usable))
        if decision.verdict is not Verdict.MATCH:
            return decision
        unread = any(reading.text == UNREAD for reading in readings)
        second = UNREAD_PART if unread else self._second_part(found[0], lines) or self._second_number(found[0], usable)
        if second:
            return replace(decision, verdict=Verdict.AMBIGUOUS, part_number='', reason=f'{decision.reason}; but {second}')
        return decision

    def _second_part(self, best: Candidate, lines: list[Line]) -> str:
        """Say which print stands so far from the number that it is not the same part's, "" = none."""
        near, rest = [best.line], [line for line in lines if line is not best.line]
        while joined := [line for line in rest if any(stand_together(line, other) for other in near)]:
            near += joined
            rest = [line for line in rest if line not in joined]
        further = [line for line in rest if not self.identifying([line.text], best.part_number)]
        return f'"{further[0].shown}" stands apart, as a further part would' if further else ''

    def _second_number(self, best: Candidate, lines: list[Line]) -> str:
        """Say which other line is nearly another part's number, "" = none: a second part in view whose print is misread."""
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
                return f'"{line.shown}" is nearly {name}'
        return ''

    def likeliest(self, readings: Sequence[Reading]) -> Candidate | None:
        """Return the part that explains a line best, at whatever price; None when no line could hold a number."""
        lines = [line for line in join_lines(readings) if sum(map(str.isalnum, line.text)) >= LEAST_LETTERS]
        found = [
            self._candidate(pattern.part_number, self._cost(pattern, line.text), line)
            for line in lines
            for pattern in self._patterns
        ]
        best = min(found, key=lambda candidate: (candidate.cost, -candidate.line.score), default=None)
        return best if best is not None and best.cost < math.inf else None

    def _told_apart(self, found: list[Candidate], lines: list[Line]) -> list[Candidate]:
        """Leave out the twins of a part whose own mark is on it, as the catalogue's `tells_apart` says."""
        best = found[0]
        twins = [c for c in found if c.cost < best.cost + self.weights.margin and self._alike(c.part_number, best.part_number)]
        marked = [
            twin for twin in twins if any(mark.search(line.text) for mark in self._marks[twin.part_number] for line in lines)
        ]
        if len(marked) != 1:
            return found
        return [*marked, *(candidate for candidate in found if candidate not in twins)]

    def _alike(self, one: str, other: str) -> bool:
        """Say whether two parts print alike, so that their numbers cannot tell them apart."""
        texts = [{pattern.folded for pattern in self._patterns if pattern.part_number == part} for part in (one, other)]
        return bool(texts[0] & texts[1])

    def _judge(self, expected: str, found: list[Candidate]) -> Decision:
        best, others = found[0], found[1:]
        rivals = [other for other in others if other.cost < best.cost + self.weights.margin]
        named = tuple((item.part_number, item.score) for item in found[:MOST_CANDIDATES])
        common = {'score': best.score, 'candidates': named, 'text': best.line.shown, 'polygon': best.line.polygon}
        if rivals:
            names = ' and '.join([best.part_number, *(rival.part_number for rival in rivals)])
            return Decision(Verdict.AMBIGUOUS, f'"{best.line.shown}" may be {names}', **common)  # type: ignore[arg-type]
        doubt = '' if best.by_benchmark else self._doubt(best)
        if doubt:
            return Decision(Verdict.AMBIGUOUS, f'"{best.line.shown}" is {best.part_number}, or {doubt}', **common)  # type: ignore[arg-type]
        how = 'as its benchmark' if best.by_benchmark else 'as in the catalogue'
        verdict, reason = Verdict.MATCH, f'"{best.line.shown}" is {best.part_number}, {how}'
        if best.part_number != expected:
            verdict, reason = Verdict.MISMATCH, f'"{best.line.shown}" is {best.part_number}, not {expected}'
        return Decision(verdict, reason, best.part_number, by_benchmark=best.by_benchmark, **common)  # type: ignore[arg-type]

    def _doubt(self, best: Candidate) -> str:
        """Say which part one lost or misread character of a line that is not quite certain would have made this one."""
        longer, beside = (near.get(best.part_number, set()) for near in (self._shorter, self._next_to))
        if longer and best.line.score < self.weights.certain_score:
            return f'{" or ".join(sorted(longer))} with a character not read'
        if beside and best.line.score < self.weights.sure_score:
            return f'{" or ".join(sorted(beside)[:MOST_CANDIDATES])} with a character misread'
        return ''

    def _nothing(self, lines: list[Line]) -> Decision:
        telling = [line for line in lines if not self._says_nothing(line)]
        if not telling:
            return Decision(Verdict.UNREADABLE, f'no number was read, only {_shown(lines)}')
        lines = telling
        shortest = min(len(pattern.folded) for pattern in self._patterns)
        if all(len(self.weights.fold(line.text)) < shortest for line in lines):
            return Decision(Verdict.UNREADABLE, f'only a piece of a number was read: {_shown(lines)}')
        near: dict[str, float] = {}
        for line in lines:
            for _, likeness, at in process.extract(
                self.weights.fold(line.text), [p.folded for p in self._patterns], scorer=fuzz.ratio, limit=MOST_CANDIDATES
            ):
                part = self._patterns[at].part_number
                near[part] = max(near.get(part, 0.0), FAINT * likeness / 100)
        candidates = tuple(sorted(near.items(), key=lambda item: -item[1])[:MOST_CANDIDATES])
        return Decision(
            Verdict.UNKNOWN,
            f'no part of the catalogue prints {_shown(lines)}',
            candidates=candidates,
            score=candidates[0][1] if candidates else 0.0,
            text=lines[0].shown,
        )

    def _found(self, lines: list[Line]) -> list[Candidate]:
        """Return the parts that explain a line, cheapest first; empty when none does within `accept`."""
        best: dict[str, Candidate] = {}
        for line in lines:
            folded = self.weights.fold(line.text)
            for pattern in self._patterns:
                if pattern.folded in folded:
                    self._keep(best, self._candidate(pattern.part_number, self._cost(pattern, line.text), line))
        for part_number, benchmark in self.benchmarks.items():
            for candidate in self._by_benchmark(part_number, benchmark, lines):
                self._keep(best, candidate)
        accepted = sorted((c for c in best.values() if c.cost <= self.weights.accept), key=lambda c: (c.cost, -c.line.score))
        if not accepted:
            return []
        if accepted[0].cost > 1.0 - self.weights.margin:
            return self._with_rivals(accepted, lines)
        return self._near(accepted, best)

    def _with_rivals(self, accepted: list[Candidate], lines: list[Line]) -> list[Candidate]:
        """Add the parts that are one whole error away, when the best reading is itself so poor that they come near."""
        best = {candidate.part_number: candidate for candidate in accepted}
        for line in lines:
            for pattern in self._patterns:
                self._keep(best, self._candidate(pattern.part_number, self._cost(pattern, line.text), line))
        return self._near(accepted, best)

    def _near(self, accepted: list[Candidate], found: Mapping[str, Candidate]) -> list[Candidate]:
        """Return what is accepted, and what costs too much for that but comes as near to the best as a rival."""
        near = [c for c in found.values() if c.cost < accepted[0].cost + self.weights.margin or c in accepted]
        return sorted(near, key=lambda c: (c.cost, -c.line.score))

    def _by_benchmark(self, part_number: str, benchmark: Benchmark, lines: list[Line]) -> list[Candidate]:
        """Every identifying text of a benchmark stands for the part, as a whole line."""
        return [
            self._candidate(part_number, self._whole(text, line.text), line, by_benchmark=True)
            for text in map(normalise, benchmark.identifying)
            for line in lines
        ]

    def _whole(self, text: str, line: str) -> float:
        """Return the price of a line being this text, nothing before or after it."""
        if self.weights.fold(text) != self.weights.fold(line):
            return math.inf
        return align(text, line, self.weights).cost

    def _keep(self, best: dict[str, Candidate], candidate: Candidate) -> None:
        known = best.get(candidate.part_number)
        if known is None or candidate.cost < known.cost:
            best[candidate.part_number] = candidate

    def _cost(self, pattern: Pattern, line: str) -> float:
        return align(pattern.text, line, self.weights, pattern.affixes).cost

    def _candidate(self, part_number: str, cost: float, line: Line, *, by_benchmark: bool = False) -> Candidate:
        return Candidate(part_number, cost, line, self.weights.trust(line.score, cost), by_benchmark)

    def _says_nothing(self, line: Line) -> bool:
        return any(rule.fullmatch(line.text) for rule in self._ignored)


def patterns_of(part: Part, weights: Weights) -> list[Pattern]:
    """Return the texts that identify a part, with what its maker may put around them."""
    rules = [None if given is None else tuple(map(re.compile, given)) for given in (part.prefixes, part.suffixes)]
    shown = [normalise(text) for text in part.printed_text]
    return [Pattern(part.part_number, text, weights.fold(text), Affixes(*rules)) for text in shown]


def _losing_one(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts that read as it when one of their characters is lost."""
    by_text: dict[str, set[str]] = {}
    for pattern in patterns:
        by_text.setdefault(pattern.folded, set()).add(pattern.part_number)
    result: dict[str, set[str]] = {}
    for pattern in patterns:
        for i in range(len(pattern.folded)):
            for shorter in by_text.get(pattern.folded[:i] + pattern.folded[i + 1 :], set()) - {pattern.part_number}:
                result.setdefault(shorter, set()).add(pattern.part_number)
    return result


def _reading_one_wrong(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts whose number differs from its own in one digit that a blurred print may show for the other."""
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


def _shown(lines: Sequence[Line]) -> str:
    return ', '.join(f'"{line.shown}"' for line in lines[:4])
