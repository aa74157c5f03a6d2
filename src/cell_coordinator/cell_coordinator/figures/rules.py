"""OEE, first-read rate, cycle times, stops and rejects of pick jobs.

Pure: no ROS, sockets, files or clock.

Overall equipment effectiveness is availability x performance x quality (ISO 22400-2). Planned time is the time from the start
of a job to its end. A clock that was set back between two stamps gives a duration of 0, never a negative one.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cell_common.time import NS_PER_S

RUNNING = 'RUNNING'
WAITING_RELOAD = 'WAITING_RELOAD'
STOPPED = ('PAUSED', WAITING_RELOAD)
FASTEST = 10
"""Percentile of the measured cycle times that is taken as ideal where none is given."""


@dataclass(frozen=True)
class StateChange:
    """A job has this state from here on; times are ROS time in nanoseconds."""

    since_ns: int
    state: str
    """Name of a JobState."""
    reason: str = ''


@dataclass(frozen=True)
class PieceFact:
    """A piece that was booked."""

    booked_ns: int
    placed: bool
    reason: str = ''
    """Why it was rejected."""


@dataclass(frozen=True)
class FirstReading:
    """The first reading of a piece."""

    matched_ns: int
    match: bool


@dataclass(frozen=True)
class JobFacts:
    """What the database holds about one job."""

    job_id: str
    part_number: str
    started_ns: int
    """0 = never started."""
    finished_ns: int
    """0 = not yet."""
    states: Sequence[StateChange] = ()
    pieces: Sequence[PieceFact] = ()
    readings: Sequence[FirstReading] = ()


@dataclass(frozen=True)
class Window:
    """A time, ROS time in nanoseconds; the end is not in it."""

    since_ns: int
    until_ns: int

    def holds(self, stamp_ns: int) -> bool:
        """Return whether a stamp lies in the window."""
        return self.since_ns <= stamp_ns < self.until_ns

    def part_of(self, begin_ns: int, end_ns: int) -> float:
        """Return the seconds of an interval that lie in the window."""
        return max(0, min(end_ns, self.until_ns) - max(begin_ns, self.since_ns)) / NS_PER_S


@dataclass(frozen=True)
class Figures:
    """Figures of a job, a shift or a time; NaN = not defined, e.g. quality without a piece."""

    name: str
    part_number: str
    since_ns: int
    until_ns: int
    placed: int = 0
    rejected: int = 0
    planned_time: float = 0.0
    """Seconds."""
    run_time: float = 0.0
    """Seconds."""
    availability: float = math.nan
    performance: float = math.nan
    quality: float = math.nan
    oee: float = math.nan
    first_read_rate: float = math.nan
    median_cycle: float = math.nan
    """Seconds from booking to booking, without stops between."""
    slow_cycle: float = math.nan
    """Their 90th percentile, seconds."""


@dataclass(frozen=True)
class CountedReason:
    """A reason with its pieces or stops."""

    reason: str
    count: int
    seconds: float = 0.0
    """Of the stops."""


def figures_of(jobs: Sequence[JobFacts], window: Window, name: str, ideal_cycles: Mapping[str, float]) -> Figures:
    """Return the figures of jobs within a window.

    Args:
        jobs: One job, or all.
        window: Only what lies in it counts.
        name: Name of the figures.
        ideal_cycles: Part number -> seconds a piece takes at best; parts that are missing make the performance NaN.
    """
    pieces = [(job.part_number, piece) for job in jobs for piece in job.pieces if window.holds(piece.booked_ns)]
    placed = sum(piece.placed for _, piece in pieces)
    planned = sum(seconds for job in jobs for _, seconds in _phases(job, window))
    run = sum(seconds for job in jobs for change, seconds in _phases(job, window) if change.state == RUNNING)
    ideal = sum(ideal_cycles.get(part, math.nan) for part, _ in pieces)
    read = [reading.match for job in jobs for reading in job.readings if window.holds(reading.matched_ns)]
    cycles = sorted(cycle for job in jobs for cycle in cycle_times(job, window))
    availability, quality = _ratio(run, planned), _ratio(placed, len(pieces))
    performance = min(1.0, _ratio(ideal, run)) if pieces else math.nan
    return Figures(
        name,
        jobs[0].part_number if len(jobs) == 1 else '',
        window.since_ns,
        window.until_ns,
        placed,
        len(pieces) - placed,
        planned,
        run,
        availability,
        performance,
        quality,
        availability * performance * quality,
        _ratio(sum(read), len(read)),
        statistics.median(cycles) if cycles else math.nan,
        _percentile(cycles, 90),
    )


def measured_ideals(jobs: Iterable[JobFacts], window: Window, given: float = 0.0) -> dict[str, float]:
    """Return the ideal cycle time of each part in seconds: the given one, or the fastest tenth of the measured ones.

    Args:
        jobs: The jobs.
        window: Cycles in it count.
        given: Seconds; 0 = measured.
    """
    cycles: dict[str, list[float]] = {}
    for job in jobs:
        cycles.setdefault(job.part_number, []).extend(cycle_times(job, window))
    return {part: given or _percentile(sorted(times), FASTEST) for part, times in cycles.items() if given or times}


def cycle_times(job: JobFacts, window: Window) -> Iterator[float]:
    """Yield the seconds from booking to booking of a job, where no stop lies between."""
    stops = sorted(change.since_ns for change in job.states)
    booked = [piece.booked_ns for piece in job.pieces]
    for begin, end in itertools.pairwise(booked):
        if begin < end and window.holds(begin) and window.holds(end) and not any(begin < stop <= end for stop in stops):
            yield (end - begin) / NS_PER_S


def stops_of(jobs: Iterable[JobFacts], window: Window) -> list[CountedReason]:
    """Return the reasons of the stops within a window, the longest first."""
    seconds: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for job in jobs:
        for change, duration in _phases(job, window):
            if change.state in STOPPED and duration:
                reason = 'waits for a reload' if change.state == WAITING_RELOAD else _short(change.reason)
                seconds[reason] = seconds.get(reason, 0.0) + duration
                counts[reason] += 1
    longest = sorted(seconds, key=seconds.__getitem__, reverse=True)
    return [CountedReason(reason, counts[reason], seconds[reason]) for reason in longest]


def rejects_of(jobs: Iterable[JobFacts], window: Window) -> list[CountedReason]:
    """Return the reasons of the rejects within a window, the most frequent first."""
    rejected = (piece for job in jobs for piece in job.pieces if not piece.placed and window.holds(piece.booked_ns))
    counts = Counter(_short(piece.reason) for piece in rejected)
    return [CountedReason(reason, count) for reason, count in counts.most_common()]


def _phases(job: JobFacts, window: Window) -> Iterator[tuple[StateChange, float]]:
    """Yield each state of a started job that had not ended, with its seconds in the window."""
    if not job.started_ns:
        return
    end_ns = job.finished_ns or window.until_ns
    changes = [change for change in job.states if change.state in (RUNNING, *STOPPED)]
    if not changes:  # a job of an earlier release, whose states were not kept
        changes = [StateChange(job.started_ns, RUNNING)]
    for change, following in zip(changes, [*(change.since_ns for change in changes[1:]), end_ns], strict=True):
        yield change, window.part_of(change.since_ns, following)


def _short(reason: str) -> str:
    """Return the kind of a reason without its details, which differ each time."""
    return reason.split(': ', maxsplit=1)[0].split('. ', maxsplit=1)[0].strip() or 'no reason given'


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """Return a percentile by the nearest rank; NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
