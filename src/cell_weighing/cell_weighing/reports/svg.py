"""Figures of the report as inline SVG: lines and bars that print in black and white.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from cell_weighing.reports.spc import ControlLimits, HistogramBin

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 96, 12, 24
"""Margins in px: numbers at the left, names of lines at the right."""


class _Scale:
    """Maps numbers to pixels along one axis; equal numbers map to its middle."""

    def __init__(self, values: Iterable[float], start: float, end: float) -> None:
        numbers = list(values)
        self._low, high = min(numbers), max(numbers)
        self._span = high - self._low or 1.0
        self._start, self._length = start, end - start
        self.level = high == self._low

    def __call__(self, value: float) -> float:
        return self._start + self._length * (0.5 if self.level else (value - self._low) / self._span)


def chart_figure(title: str, points: Sequence[float], limits: ControlLimits, marked: Iterable[int] = ()) -> str:
    """Draw a control chart: the points, the center line and the limits.

    Args:
        title: Caption, also read out by screen readers.
        points: At least one.
        limits: In the same unit.
        marked: Points, counted from 0, that break a rule or a limit; they get a ring.
    """
    across = _Scale([0, len(points) - 1], LEFT + 8, WIDTH - RIGHT - 8)
    up = _Scale([*points, limits.low, limits.high], HEIGHT - BOTTOM, TOP)
    parts = [
        _rule(up(value), name, value)
        for name, value in (('upper limit', limits.high), ('mean', limits.center), ('lower limit', limits.low))
    ]
    places = [(f'{across(index):.1f}', f'{up(value):.1f}') for index, value in enumerate(points)]
    path = ' '.join(f'{x},{y}' for x, y in places)
    parts.append(f'<polyline class="line" points="{path}"/>')
    parts += [f'<circle class="point" cx="{x}" cy="{y}" r="2"/>' for x, y in places]
    parts += [f'<circle class="mark" cx="{places[index][0]}" cy="{places[index][1]}" r="6"/>' for index in sorted(set(marked))]
    return _figure(title, parts)


def histogram_figure(title: str, bars: Sequence[HistogramBin], marks: Sequence[tuple[str, float]]) -> str:
    """Draw a histogram with named vertical lines, such as the limits of the job.

    Args:
        title: Caption, also read out by screen readers.
        bars: At least one.
        marks: Name and weight of each line.
    """
    edges = [bar.low for bar in bars] + [bar.high for bar in bars] + [weight for _, weight in marks]
    across, base = _Scale(edges, LEFT, WIDTH - RIGHT), HEIGHT - BOTTOM
    most = max(bar.count for bar in bars)
    up = _Scale([0, most], base, TOP + 12)
    parts = []
    for bar in bars:
        left, right = (LEFT, WIDTH - RIGHT) if across.level else (across(bar.low), max(across(bar.high), across(bar.low) + 2))
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{up(bar.count):.1f}" width="{right - left:.1f}" '
            f'height="{base - up(bar.count):.1f}"/>'
        )
    parts.append(f'<text x="{LEFT - 6}" y="{up(most) + 4:.1f}" text-anchor="end">{most}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    for name, weight in marks:
        x = across(weight)
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{base}"/>')
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{escape(name)} {weight:.6g}</text>')
    return _figure(title, parts)


def _rule(y: float, name: str, value: float) -> str:
    return (
        f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.5g}</text>'
        f'<text x="{WIDTH - RIGHT + 6}" y="{y + 4:.1f}">{escape(name)}</text>'
    )


def _figure(title: str, parts: Iterable[str]) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg></figure>'
    )
