"""Captures one reading per bag from an indicator that streams its weight several times a second.

A bag is captured when the weight has stayed within a small spread for a number of samples and a time. The next bag is captured
only after the scale was empty. The time of each sample is an argument.

After an interruption (restart of the bridge, lost connection) it is unknown whether the scale was emptied. A weight that
differs from the captured one is then another bag. An equal weight is taken for the same bag, so that no bag counts twice.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability
from cell_weighing.domain.units import EXACT, kilograms

GAP_NS = 5_000_000_000
"""Time without data after which the scale may have been emptied unseen, nanoseconds."""


@dataclass(frozen=True)
class StabilitySettings:
    """Conditions under which a streamed weight counts as stable.

    Attributes:
        count: Samples that must agree.
        spread: Largest difference between them, kilograms.
        window_ns: Shortest time that they span, nanoseconds.
        empty: At or below this weight the scale is empty, kilograms.
    """

    count: int = 5
    spread: Decimal = Decimal('0.005')
    window_ns: int = 500_000_000
    empty: Decimal = Decimal('0.020')


@dataclass(frozen=True, slots=True)
class StreamCaptureState:
    """State of one scale's capture, stored over a restart.

    Attributes:
        armed: The scale was empty since the last bag: the next stable weight is a bag.
        captured: Weight of the last bag in kilograms, decimal digits; "" = none.
    """

    armed: bool = True
    captured: str = ''


class StreamCapture:
    """Captures bags from the samples of one scale.

    Attributes:
        state: State to store with the readings; replaced, never changed in place.
    """

    def __init__(self, settings: StabilitySettings, state: StreamCaptureState | None = None) -> None:
        """Start, or continue with a stored state.

        Args:
            settings: When a weight is stable.
            state: The stored state; None = a new scale.
        """
        self._settings = settings
        self.state = state or StreamCaptureState()
        self._run: deque[tuple[int, Decimal]] = deque()
        self._unit = ''
        self._last_ns: int | None = None
        self._gap = state is not None
        self._faulty = False

    def feed(self, sample: ParsedLine, now_ns: int) -> ParsedLine | None:
        """Feed a sample and return the line to record: a captured bag, a malformed line, or the first of a row of faults.

        Args:
            sample: The sample; its stability is set when it is captured.
            now_ns: Monotonic clock, nanoseconds.
        """
        if self._last_ns is None or now_ns - self._last_ns > GAP_NS:
            self._gap = self._gap or self._last_ns is not None
            self._run.clear()
        self._last_ns = now_ns
        if sample.status is not ReadingStatus.VALID:
            self._run.clear()
            first, self._faulty = not self._faulty, True
            # A stream shows dashes many times a second: the first of a row is recorded, malformed
            # lines always.
            return sample if first or sample.status is ReadingStatus.MALFORMED else None
        self._faulty = False
        weight = kilograms(Decimal(sample.weight), sample.unit)
        if weight <= self._settings.empty:
            self._run.clear()
            self._gap = False
            self.state = StreamCaptureState(True, self.state.captured)
            return None
        if not self._is_stable(sample, weight, now_ns):
            return None
        return self._capture(sample, weight)

    def _is_stable(self, sample: ParsedLine, weight: Decimal, now_ns: int) -> bool:
        """Add a sample to the run of agreeing samples, and return whether the run is long enough."""
        if sample.stability is Stability.IN_MOTION or sample.unit != self._unit:
            self._run.clear()
            self._unit = sample.unit
        if sample.stability is Stability.IN_MOTION:
            return False
        run = self._run
        run.append((now_ns, weight))
        while max(w for _, w in run) - min(w for _, w in run) > self._settings.spread:
            run.popleft()
        # The run keeps its oldest sample until the second oldest alone spans the window: it must
        # not shrink below the required time.
        while len(run) > self._settings.count and now_ns - run[1][0] >= self._settings.window_ns:
            run.popleft()
        return len(run) >= self._settings.count and now_ns - run[0][0] >= self._settings.window_ns

    def _capture(self, sample: ParsedLine, weight: Decimal) -> ParsedLine | None:
        """Return the sample as a bag, or None if the bag on the scale has been captured already."""
        another = self._gap and not self.state.armed and not self._equals_captured(weight)
        self._gap = False
        if not self.state.armed and not another:
            return None
        self.state = StreamCaptureState(False, f'{weight:f}')
        sample.stability = Stability.STABLE
        if another:
            sample.message = 'the scale was not seen empty before: the connection was interrupted'
        return sample

    def _equals_captured(self, weight: Decimal) -> bool:
        captured = self.state.captured
        return bool(captured) and abs(EXACT.subtract(weight, Decimal(captured))) <= self._settings.spread
