"""Figures of a time, its shifts and its jobs, as JSON and CSV.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import time as day_time
from datetime import tzinfo

from cell_common.time import NS_PER_S

from cell_coordinator.figures.rules import (
    CountedReason,
    Figures,
    JobFacts,
    Window,
    figures_of,
    measured_ideals,
    rejects_of,
    stops_of,
)
from cell_coordinator.figures.shifts import shift_windows

ALL = 'all'
_COLUMNS = ('kind', *(field.name.removesuffix('_ns') for field in fields(Figures)), 'reason', 'count', 'seconds')


@dataclass(frozen=True)
class Report:
    """All figures of a time."""

    total: Figures
    shifts: tuple[Figures, ...]
    jobs: tuple[Figures, ...]
    stops: tuple[CountedReason, ...]
    rejects: tuple[CountedReason, ...]


def make_report(
    jobs: Sequence[JobFacts],
    window: Window,
    starts: Sequence[day_time] = (),
    ideal_cycle_s: float = 0.0,
    zone: tzinfo | None = None,
) -> Report:
    """Return the figures of the jobs within a window.

    Args:
        jobs: Of `read_jobs`.
        window: The time.
        starts: Begins of the shifts.
        ideal_cycle_s: Seconds a piece takes at best; 0 = the fastest tenth of the measured ones, for each part.
        zone: Time zone of the shifts; None = that of this computer.
    """
    ideals = measured_ideals(jobs, window, ideal_cycle_s)
    shifts = [figures_of(jobs, part, name, ideals) for name, part in shift_windows(window, starts, zone)]
    return Report(
        figures_of(jobs, window, ALL, ideals),
        tuple(shift for shift in shifts if shift.planned_time),
        tuple(figures_of([job], _own(job, window), job.job_id, ideals) for job in jobs),
        tuple(stops_of(jobs, window)),
        tuple(rejects_of(jobs, window)),
    )


def report_json(report: Report) -> dict[str, object]:
    """Return a report for JSON: NaN, which JSON does not have, becomes null."""

    def clean(item: Figures | CountedReason) -> dict[str, object]:
        return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(item).items()}

    lists = {name: [clean(item) for item in getattr(report, name)] for name in ('shifts', 'jobs', 'stops', 'rejects')}
    return {'total': clean(report.total), **lists}


def report_csv(report: Report) -> str:
    """Return a report as one table; column `kind` tells its rows apart. Times of day are seconds since 1970, UTC."""
    out = io.StringIO()
    table = csv.DictWriter(out, _COLUMNS, restval='', lineterminator='\r\n')
    table.writeheader()
    table.writerow(_row('total', report.total))
    table.writerows(_row('shift', item) for item in report.shifts)
    table.writerows(_row('job', item) for item in report.jobs)
    table.writerows({'kind': 'stop', **_guarded(item)} for item in report.stops)
    table.writerows({'kind': 'reject', **_guarded(item)} for item in report.rejects)
    return out.getvalue()


def _own(job: JobFacts, window: Window) -> Window:
    end_ns = min(job.finished_ns, window.until_ns) if job.finished_ns else window.until_ns
    # A nanosecond more: the last piece is booked at the very end.
    return Window(max(job.started_ns, window.since_ns), end_ns + 1)


def _row(kind: str, item: Figures) -> dict[str, object]:
    values = {
        name: '' if math.isnan(value) else round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(item).items()
        if not isinstance(value, str) and not name.endswith('_ns')
    }
    texts = {'name': _plain(item.name), 'part_number': _plain(item.part_number)}
    return {'kind': kind, **values, **texts, 'since': item.since_ns / NS_PER_S, 'until': item.until_ns / NS_PER_S}


def _guarded(item: CountedReason) -> dict[str, object]:
    return {'reason': _plain(item.reason), 'count': item.count, 'seconds': round(item.seconds, 3)}


def _plain(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{text}" if text[:1] in {'=', '+', '-', '@', '\t', '\r'} else text
