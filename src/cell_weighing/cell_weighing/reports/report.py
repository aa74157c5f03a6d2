"""Report of a weigh job as one self-contained, printable HTML page, and its bags as CSV.

The clock of the report is an argument.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from html import escape
from statistics import fmean

from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import convert, kilograms
from cell_weighing.reports.drift import drifts
from cell_weighing.reports.spc import SUBGROUP, ControlChart, Rule, chart, giveaway, histogram, sample_std
from cell_weighing.reports.svg import chart_figure, histogram_figure

COLUMNS = (
    'bag_id',
    'number',
    'weighed_at',
    'scale',
    'stands_for',
    'station',
    'weight',
    'unit',
    'net_weight',
    'target',
    'target_unit',
    'outcome',
    'zone',
    'stability',
    'voided',
    'voided_by',
    'void_reason',
    'message',
    'reading_id',
)
NOTICE = 'For process control only, not legal for trade.'
STYLE = """
body{font:13px/1.4 sans-serif;color:#111;max-width:760px;margin:24px auto;padding:0 16px}
h1{font-size:20px;margin:0}h2{font-size:15px;margin:20px 0 4px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:2px 8px 2px 0;border-bottom:1px solid #ddd}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}thead{display:table-header-group}
tr{break-inside:avoid}tr.out td{font-weight:bold}tr.voided td{text-decoration:line-through}
figure{margin:8px 0;break-inside:avoid}svg{width:100%;height:auto}svg text{font-size:11px;fill:#333}
.line{fill:none;stroke:#111}.point{fill:#111}.mark{fill:none;stroke:#c00;stroke-width:2}.bar{fill:#999;stroke:#fff}
.limit{stroke:#555;stroke-dasharray:4 3}.axis{stroke:#111}
@page{margin:15mm}@media print{body{margin:0;max-width:none;padding:0}}
"""
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: only its own style sheet."""


@dataclass(frozen=True)
class Voided:
    """Operator and reason of a voided bag.

    Attributes:
        by: Operator id.
        reason: As the operator gave it.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class JobReport:
    """A weigh job with all its bags.

    Attributes:
        job: The job with its counts.
        bags: In order of their numbers, voided ones too.
        voided: By bag id.
        ended_by: Operator who ended it early; "" = complete or active.
        end_reason: Reason of an early end.
    """

    job: WeighingJob
    bags: Sequence[Bag]
    voided: Mapping[int, Voided]
    ended_by: str = ''
    end_reason: str = ''

    @property
    def counted(self) -> list[Bag]:
        """The bags that are not voided."""
        return [bag for bag in self.bags if not bag.voided]


def report_csv(report: JobReport) -> str:
    """Return the bags as CSV (RFC 4180) with a line of headings; times are ISO 8601, UTC.

    A text that a spreadsheet would read as a formula gets a leading apostrophe.

    Args:
        report: The job and its bags; voided bags are included and marked.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for bag in report.bags:
        void = report.voided.get(bag.bag_id, Voided('', ''))
        texts = (void.by, void.reason, bag.message)
        writer.writerow(
            [
                bag.bag_id,
                bag.number,
                _local_time(bag.weighed_ns, timezone.utc).isoformat(timespec='milliseconds'),
                _spreadsheet_text(bag.scale_id),
                _spreadsheet_text(bag.stands_for),
                _spreadsheet_text(bag.station),
                bag.weight,
                bag.unit,
                bag.net_weight,
                bag.target,
                bag.target_unit,
                bag.outcome.name,
                bag.zone.name,
                bag.stability.name,
                int(bag.voided),
                *(_spreadsheet_text(text) for text in texts),
                bag.reading_id,
            ]
        )
    return out.getvalue()


def report_html(report: JobReport, made_ns: int, zone: tzinfo | None = None) -> str:
    """Return the report as one HTML page.

    Args:
        report: The job and its bags.
        made_ns: Current time, UTC nanoseconds since 1970.
        zone: Time zone of the times shown; None = that of this machine.
    """
    job = report.job
    # Voided bags are listed, but count in no figure.
    weights = [net_in_job_unit(job, bag) for bag in report.counted]
    made = chart(weights)
    title = f'Weigh job {job.job_id}: {job.company}'
    body = [
        f'<h1>{escape(title)}</h1><p>{NOTICE}</p>',
        _pairs(_request_lines(report, zone)),
        '<h2>Result</h2>',
        _pairs(_result_lines(report, weights)),
        _figures(report, weights, made),
        '<h2>Signals</h2>',
        _list(spc_messages(report, made)),
        '<h2>Scales</h2>',
        _scales(report),
        '<h2>Bags</h2>',
        _bags(report, zone),
        f'<p>Made {_format_time(made_ns, zone)}.</p>',
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<style>{STYLE}</style></head><body>{"".join(body)}</body></html>'
    )


def net_in_job_unit(job: WeighingJob, bag: Bag) -> float:
    """Return a bag's net weight in the unit of its job, for statistics."""
    return float(convert(bag.product, bag.unit, job.band.unit))


def spc_messages(report: JobReport, made: ControlChart | None) -> list[str]:
    """Return a sentence for each broken rule, wide group and drift; one line when there is none.

    Args:
        report: The job and its bags.
        made: Chart of the bags; None = there were too few.
    """
    if made is None:
        return [f'Fewer than {2 * SUBGROUP} bags: no chart.']
    lines = [
        f'Group {signal.index + 1}: {_rule_text(signal.rule, made)} ({"above" if signal.above else "below"} the mean).'
        for signal in made.signals
    ]
    lines += [f'Group {index + 1}: its bags differ by more than the limit.' for index in made.wide]
    for scale_id, bags in by_scale(report).items():
        lines += [
            f'Scale {scale_id}: shifted by {found.shift:+.4g} {report.job.band.unit} from bag '
            f'{bags[found.since].number} on. Check it with a test weight, then the filler.'
            for found in drifts([net_in_job_unit(report.job, bag) for bag in bags])
        ]
    return lines or ['None: the filling was steady.']


def _rule_text(rule: Rule, made: ControlChart) -> str:
    run = made.rules[rule]
    if rule is Rule.BEYOND_3_SIGMA:
        return 'one mean beyond the limits'
    if rule is Rule.EIGHT_IN_A_ROW:
        return f'{run.wanted} means in a row on one side'
    share = run.distance / made.rules[Rule.BEYOND_3_SIGMA].distance
    return f'{run.wanted} of {run.window} means beyond {share:.0%} of the way to a limit'


def by_scale(report: JobReport) -> dict[str, list[Bag]]:
    """Return the bags of each scale that are not voided.

    Args:
        report: The job and its bags.

    Returns:
        Scale id -> bags in order of their numbers; drift belongs to a scale, not to a job.
    """
    scales: dict[str, list[Bag]] = {}
    for bag in report.counted:
        scales.setdefault(bag.scale_id, []).append(bag)
    return dict(sorted(scales.items()))


def _request_lines(report: JobReport, zone: tzinfo | None) -> list[tuple[str, str]]:
    job, band = report.job, report.job.band
    ended = 'active' if job.finished_ns is None else _format_time(job.finished_ns, zone)
    if report.end_reason:
        ended += f', early: {report.end_reason} ({report.ended_by})'
    return [
        ('Station', job.station),
        ('Target', f'{band.target} {band.unit} ± {_percent(band.tolerance)}'),
        *([('Tare', f'{_digits(job.tare)} {band.unit}, taken off gross weights')] if job.tare else []),
        ('In tolerance', f'{_digits(band.low)} to {_digits(band.high)} {band.unit}, limits included'),
        ('Started', f'{_format_time(job.started_ns, zone)} {job.started_by}'.rstrip()),
        ('Ended', ended),
    ]


def _result_lines(report: JobReport, weights: Sequence[float]) -> list[tuple[str, str]]:
    job, unit, counted = report.job, report.job.band.unit, report.counted
    number = {outcome: sum(bag.outcome is outcome for bag in counted) for outcome in ToleranceResult}
    lines = [
        ('Bags in tolerance', f'{number[ToleranceResult.IN_TOLERANCE]} of {job.quantity} wanted'),
        ('Under, over', f'{number[ToleranceResult.UNDER]} under, {number[ToleranceResult.OVER]} over'),
        ('Voided', str(len(report.bags) - len(counted))),
    ]
    if not weights:
        return lines
    # Rejected bags are emptied and filled again: nothing of them is given away.
    accepted = [bag for bag in counted if bag.outcome is ToleranceResult.IN_TOLERANCE]
    sums = giveaway([kilograms(bag.product, bag.unit) for bag in accepted], kilograms(job.band.target, unit))
    over, short, net = (_digits(convert(mass, 'kg', unit)) for mass in (sums.over, sums.short, sums.net))
    return [
        *lines,
        ('Mean, standard deviation', f'{fmean(weights):.6g} {unit}, {sample_std(weights):.3g} {unit}'),
        ('Lightest, heaviest', f'{min(weights):.6g} {unit}, {max(weights):.6g} {unit}'),
        ('Given away in accepted bags', f'{over} {unit} above target, {short} {unit} below; together {net} {unit}'),
    ]


def _figures(report: JobReport, weights: Sequence[float], made: ControlChart | None) -> str:
    if not weights:
        return ''
    job, unit = report.job, report.job.band.unit
    marks = [('from', float(job.band.low)), ('target', float(job.band.target)), ('to', float(job.band.high))]
    figures = [histogram_figure(f'Bags by weight, {unit}', histogram(weights), marks)]
    figures += _charts(made, '', unit)
    scales = by_scale(report)
    if len(scales) > 1:
        for scale_id, bags in scales.items():
            figures += _charts(chart([net_in_job_unit(job, bag) for bag in bags]), f'Scale {scale_id}: ', unit)
    return ''.join(figures)


def _charts(made: ControlChart | None, prefix: str, unit: str) -> list[str]:
    if made is None:
        return []
    return [
        chart_figure(
            f'{prefix}mean of each {made.size} bags, {unit}',
            made.means,
            made.mean_limits,
            [signal.index for signal in made.signals],
        ),
        chart_figure(f'{prefix}range of each {made.size} bags, {unit}', made.ranges, made.range_limits, made.wide),
    ]


def _scales(report: JobReport) -> str:
    rows = []
    for scale_id, bags in by_scale(report).items():
        weights = [net_in_job_unit(report.job, bag) for bag in bags]
        numbers = (str(len(bags)), f'{fmean(weights):.6g}', f'{sample_std(weights):.3g}')
        rows.append(f'<tr><td>{escape(scale_id)}</td>{_cells(numbers, "number")}</tr>')
    return _table(('Scale', 'Bags', f'Mean, {report.job.band.unit}', 'Standard deviation'), rows, numbers=3)


def _bags(report: JobReport, zone: tzinfo | None) -> str:
    rows = []
    for bag in report.bags:
        void = report.voided.get(bag.bag_id)
        remark = f'voided by {void.by}: {void.reason}' if void else bag.message
        kind = 'voided' if bag.voided else '' if bag.outcome is ToleranceResult.IN_TOLERANCE else 'out'
        cells = (_format_time(bag.weighed_ns, zone), bag.scale_id, bag.zone.name.lower().replace('_', ' '), remark)
        numbers = (str(bag.number), f'{bag.weight} {bag.unit}')
        rows.append(f'<tr class="{kind}">{_cells(cells, "text")}{_cells(numbers, "number")}</tr>')
    return _table(('Weighed', 'Scale', 'Zone', 'Remark', 'Number', 'Weight'), rows, numbers=2)


def _table(headings: Sequence[str], rows: Iterable[str], numbers: int) -> str:
    plain = len(headings) - numbers
    heads = ''.join(f'<th{"" if index < plain else " class=number"}>{escape(text)}</th>' for index, text in enumerate(headings))
    return f'<table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cells(texts: Iterable[str], kind: str) -> str:
    return ''.join(f'<td class="{kind}">{escape(text)}</td>' for text in texts)


def _pairs(lines: Iterable[tuple[str, str]]) -> str:
    return '<table>' + ''.join(f'<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in lines) + '</table>'


def _list(lines: Iterable[str]) -> str:
    return '<ul>' + ''.join(f'<li>{escape(line)}</li>' for line in lines) + '</ul>'


def _spreadsheet_text(text: str) -> str:
    return "'" + text if text[:1] in ('=', '+', '-', '@', '\t', '\r') else text


def _digits(number: Decimal) -> str:
    return f'{number.normalize():f}'


def _percent(share: Decimal) -> str:
    return f'{_digits(share * 100)} %'


def _local_time(nanoseconds: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).astimezone(zone)


def _format_time(nanoseconds: int, zone: tzinfo | None) -> str:
    return f'{_local_time(nanoseconds, zone):%Y-%m-%d %H:%M:%S %z}'
