"""Report of a shift or of a pick job as one HTML page that prints, with an album of the kept pictures; and as CSV.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from cell_coordinator.figures import CountedReason, Report
from cell_weighing.reports import STYLE as BASE_STYLE
from cell_weighing.reports import BagTotals, histogram, histogram_figure

__all__ = ['PAGE_POLICY', 'AlbumPicture', 'ProductionReport', 'production_csv', 'production_html']

STYLE = f"""{BASE_STYLE}
.album{{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px}}
.album img{{width:100%;height:auto}}.album figure{{margin:0}}
"""
PAGE_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: its own style sheet, and pictures."""
Clock = Callable[[int], str]


@dataclass(frozen=True)
class AlbumPicture:
    """A kept picture: its source for HTML, and what is written below it."""

    source: str
    caption: str


@dataclass(frozen=True)
class ProductionReport:
    """What a page shows.

    Attributes:
        title: E.g. "Shift 06:00".
        since_ns: Begin, UTC nanoseconds.
        until_ns: End.
        figures: OEE, stops and rejects of the time.
        cycles: Seconds from booking to booking, without stops between.
        bags: Bags of the time by weigh job.
        album: Kept pictures.
    """

    title: str
    since_ns: int
    until_ns: int
    figures: Report
    cycles: Sequence[float]
    bags: Sequence[BagTotals]
    album: Sequence[AlbumPicture] = ()


def production_html(report: ProductionReport, clock: Clock) -> str:
    """Return the page.

    Args:
        report: What to show.
        clock: Returns local date and time of UTC nanoseconds.
    """
    parts = [
        f'<h1>{escape(report.title)}</h1><p>{clock(report.since_ns)} to {clock(report.until_ns)}</p>',
        _section('Result', _pairs(_totals(report))),
        _section('Rejects by reason', _reasons(report.figures.rejects, minutes=False)),
        _section('Stops by reason', _reasons(report.figures.stops, minutes=True)),
        _section('Cycle times', _cycles(report.cycles)),
        _section('Jobs', _jobs(report)),
        _section('Bags', _bags(report.bags)),
    ]
    if report.album:
        pictures = ''.join(
            f'<figure><img src="{escape(item.source)}" alt=""><figcaption>{escape(item.caption)}</figcaption></figure>'
            for item in report.album
        )
        parts.append(_section('Pictures of rejected and corrected pieces', f'<div class="album">{pictures}</div>'))
    head = f'<meta charset="utf-8"><title>{escape(report.title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def production_csv(report: ProductionReport) -> str:
    """Return the report as one table (RFC 4180): section, name, value, unit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(('section', 'name', 'value', 'unit'))
    total = report.figures.total
    shares = (
        ('OEE', total.oee),
        ('availability', total.availability),
        ('performance', total.performance),
        ('quality', total.quality),
        ('first_read_rate', total.first_read_rate),
    )
    writer.writerows([('result', 'placed', total.placed, 'pieces'), ('result', 'rejected', total.rejected, 'pieces')])
    writer.writerows(('result', name, '' if math.isnan(value) else round(value, 4), 'share') for name, value in shares)
    writer.writerows(('rejects', _plain(item.reason), item.count, 'pieces') for item in report.figures.rejects)
    writer.writerows(('stops', _plain(item.reason), round(item.seconds / 60, 2), 'min') for item in report.figures.stops)
    for bar in histogram(report.cycles):
        writer.writerow(('cycles', f'{bar.low:.2f} to {bar.high:.2f} s', bar.count, 'pieces'))
    for item in report.bags:
        for name, count in (('good', item.good), ('under', item.under), ('over', item.over)):
            writer.writerow(('bags', f'job {item.job_id} {name}', count, 'bags'))
        writer.writerow(('bags', f'job {item.job_id} given away', f'{item.given_away:.6g}', item.unit))
    return out.getvalue()


def _totals(report: ProductionReport) -> list[tuple[str, str]]:
    total = report.figures.total
    good, out = sum(item.good for item in report.bags), sum(item.under + item.over for item in report.bags)
    return [
        ('Pieces', f'{total.placed} placed, {total.rejected} rejected'),
        ('Read at the first try', _percent(total.first_read_rate)),
        ('OEE', f'{_percent(total.oee)} = {_factors(report)}'),
        ('Cycle time', f'{_seconds(total.median_cycle)}, nine of ten within {_seconds(total.slow_cycle)}'),
        ('Bags', f'{good} in tolerance, {out} out of tolerance'),
    ]


def _factors(report: ProductionReport) -> str:
    total = report.figures.total
    factors = (('availability', total.availability), ('performance', total.performance), ('quality', total.quality))
    return ' x '.join(f'{name} {_percent(value)}' for name, value in factors)


def _reasons(reasons: Sequence[CountedReason], *, minutes: bool) -> str:
    if not reasons:
        return '<p>None.</p>'
    columns = ('Reason', 'Count', 'Minutes') if minutes else ('Reason', 'Count')
    rows = [(item.reason, str(item.count), f'{item.seconds / 60:.1f}')[: len(columns)] for item in reasons]
    return _table(columns, rows)


def _cycles(cycles: Sequence[float]) -> str:
    return histogram_figure('Pieces by cycle time, s', histogram(cycles), []) if cycles else '<p>No cycles.</p>'


def _jobs(report: ProductionReport) -> str:
    rows = [
        (item.name, item.part_number, str(item.placed), str(item.rejected), _percent(item.first_read_rate), _percent(item.oee))
        for item in report.figures.jobs
    ]
    return _table(('Job', 'Part', 'Placed', 'Rejected', 'First read', 'OEE'), rows) if rows else '<p>None.</p>'


def _bags(bags: Sequence[BagTotals]) -> str:
    rows = [
        (
            str(item.job_id),
            item.station,
            f'{item.target} {item.unit}',
            str(item.good),
            str(item.under),
            str(item.over),
            f'{item.given_away:.6g} {item.unit}',
        )
        for item in bags
    ]
    return _table(('Weigh job', 'Station', 'Target', 'Good', 'Under', 'Over', 'Given away'), rows) if rows else '<p>None.</p>'


def _section(title: str, body: str) -> str:
    return f'<h2>{escape(title)}</h2>{body}'


def _pairs(lines: Iterable[tuple[str, str]]) -> str:
    rows = ''.join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in lines)
    return f'<table><tbody>{rows}</tbody></table>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = ''.join(f'<tr>{"".join(f"<td>{escape(cell)}</td>" for cell in row)}</tr>' for row in rows)
    return f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _percent(share: float) -> str:
    return '-' if math.isnan(share) else f'{share * 100:.1f} %'


def _seconds(value: float) -> str:
    return '-' if math.isnan(value) else f'{value:.1f} s'


def _plain(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{text}" if text[:1] in {'=', '+', '-', '@', '\t', '\r'} else text
