"""One bag, one record: capture from an indicator that streams its weight several times a second.

A bag is captured when the weight has stayed within a small spread for a number of samples and a time, and the next one only
after the scale was seen empty. The time of each sample is an argument.

After an interruption (restart of the bridge, lost connection) nobody knows whether the scale was emptied. A weight then that
differs from the captured one is another bag; the same weight is taken for the same bag, so that none is counted twice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability
from cell_weighing.domain.units import EXACT, kilograms

GAP_NS = 5_000_000_000
"""Silence after which the scale may have been emptied unseen."""


@dataclass(frozen=True)
class StabilitySettings:
    """When a streamed weight counts as at rest."""

    count: int = 5
    """Samples that must agree."""
    spread: Decimal = Decimal('0.005')
    """Largest difference between them, kilograms."""
    window_ns: int = 500_000_000
    """How long they must span at least, nanoseconds."""
    empty: Decimal = Decimal('0.020')
    """At or below this the scale is empty, kilograms."""


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What the samples of one scale have led to, as it is kept over a restart."""

    armed: bool = True
    """The scale was seen empty since the last bag: the next stable weight is a bag."""
    captured: str = ''
    """The last bag's weight in kilograms, decimal digits; "" = none."""


class StreamCapture:
    """The samples of one scale."""

    def __init__(self, settings: StabilitySettings, taken: CaptureState | None = None) -> None:
        """Begin, or go on with what was kept."""
        self._settings = settings
        self.taken = taken or CaptureState()
        self._run: deque[tuple[int, Decimal]] = deque()
        self._unit = ''
        self._last_ns: int | None = None
        self._gap = taken is not None
        self._faulty = False

    def feed(self, sample: ParsedLine, now_ns: int) -> ParsedLine | None:
        """Take a sample and return what is to be recorded: a captured bag, or the first of a row of faults."""
        if self._last_ns is None or now_ns - self._last_ns > GAP_NS:
            self._gap = self._gap or self._last_ns is not None
            self._run.clear()
        self._last_ns = now_ns
        if sample.status is not ReadingStatus.VALID:
            self._run.clear()
            first, self._faulty = not self._faulty, True
            return sample if first or sample.status is ReadingStatus.MALFORMED else None
        self._faulty = False
        weight = kilograms(Decimal(sample.weight), sample.unit)
        if weight <= self._settings.empty:
            self._run.clear()
            self._gap = False
            self.taken = CaptureState(True, self.taken.captured)
            return None
        if not self._is_stable(sample, weight, now_ns):
            return None
        return self._capture(sample, weight)

    def _is_stable(self, sample: ParsedLine, weight: Decimal, now_ns: int) -> bool:
        if sample.stability is Stability.IN_MOTION or sample.unit != self._unit:
            self._run.clear()
            self._unit = sample.unit
        if sample.stability is Stability.IN_MOTION:
            return False
        run = self._run
        run.append((now_ns, weight))
        while max(w for _, w in run) - min(w for _, w in run) > self._settings.spread:
            run.popleft()
        while len(run) > self._settings.count and now_ns - run[1][0] >= self._settings.window_ns:
            run.popleft()
        return len(run) >= self._settings.count and now_ns - run[0][0] >= self._settings.window_ns

    def _capture(self, sample: ParsedLine, weight: Decimal) -> ParsedLine | None:
        another = self._gap and not self.taken.armed and not self._same(weight)
        self._gap = False
        if not self.taken.armed and not another:
            return None
        self.taken = CaptureState(False, f'{weight:f}')
        sample.stability = Stability.STABLE
        if another:
            sample.message = 'the scale was not seen empty before: the connection was interrupted'
        return sample

    def _same(self, weight: Decimal) -> bool:
        return bool(self.taken.captured) and abs(EXACT.subtract(weight, Decimal(self.taken.captured))) <= self._settings.spread
