"""Tables of bench/vision.py, and the check of its requirements."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cell_vision.matching.matcher import MatchOutcome
from vision_run import Row

TWINS = frozenset({'EM1-2U1', 'EM1-2UI'})
"""Print alike in most typefaces: AMBIGUOUS is right for them."""
LEAST_PAIRS = 100_000
LIMITS = {'easy': (99.5, 0.5), 'medium': (95.0, 3.0), 'hard': (60.0, None)}
"""Level -> least exact reads, most false rejects, %."""


@dataclass(frozen=True)
class Held:
    """One requirement."""

    what: str
    measured: str
    holds: bool | None
    """None = not measured in this run."""


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile; NaN without values."""
    ordered = sorted(values) or [float('nan')]
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def share(flags: Sequence[bool]) -> float:
    """Return the share of true values, %; NaN without values."""
    return 100 * sum(flags) / len(flags) if flags else float('nan')


def exact_share(rows: Sequence[Row]) -> float:
    """Return the share of frames with a number that were read exactly, %."""
    return share([row.exact for row in rows if row.text])


def reject_share(rows: Sequence[Row]) -> float:
    """Return the share of frames of a catalogue part, twins excluded, that did not match it, %."""
    return share([row.verdict != MatchOutcome.MATCH.value for row in rows if row.part_number and row.part_number not in TWINS])


def by_level(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Group rows by level, in the order of LIMITS; levels without rows are left out."""
    return {level: [row for row in rows if row.level == level] for level in LIMITS if any(r.level == level for r in rows)}


def table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown.

    Args:
        head: Headings.
        lines: Cells; floats are shown with one decimal.
    """
    cells = [head, ['---'] * len(head), *lines]
    for line in cells:
        print('| ' + ' | '.join(_shown(cell) for cell in line) + ' |')
    print()


def reads_table(readers: dict[str, list[Row]]) -> None:
    """Print readings and verdicts of each reader, level by level."""
    lines = []
    for name, rows in readers.items():
        for level, some in by_level(rows).items():
            median, p95 = spread([row.milliseconds for row in some])
            lines.append(
                [
                    name,
                    level,
                    len(some),
                    exact_share(some),
                    reject_share(some),
                    sum(row.pairs for row in some),
                    sum(len(row.false_accepts) for row in some),
                    median,
                    p95,
                ]
            )
    table(
        ['reader', 'level', 'frames', 'exact reads %', 'false rejects %', 'pairs', 'false accepts', 'median ms', 'p95 ms'],
        lines,
    )


def looks_table(rows: Sequence[Row]) -> None:
    """Print our readings by kind of print, and the verdicts by content of the frame."""
    lines = [
        [level, look, len(group), exact_share(group), reject_share(group)]
        for level, some in by_level(rows).items()
        for look in ('font', 'laser', 'dots')
        if (group := [row for row in some if row.look == look])
    ]
    table(['level', 'print', 'frames', 'exact reads %', 'false rejects %'], lines)
    kinds: dict[str, Counter[str]] = {}
    for row in rows:
        kind = 'twin' if row.part_number in TWINS else row.kind
        kinds.setdefault(kind, Counter())[row.verdict or ('accepted' if row.accepted else 'not accepted')] += 1
    table(
        ['in view', 'verdicts'],
        [
            [kind, ', '.join(f'{name} {count}' for name, count in sorted(counts.items()))]
            for kind, counts in sorted(kinds.items())
        ],
    )


def reliability(rows: Sequence[Row], bins: int = 10) -> float:
    """Print the accuracy of the recognized parts by their score; return the expected calibration error.

    Args:
        rows: Judged frames.
        bins: Number of bins of equal width.

    Returns:
        Mean of |share right - mean score| over the bins, weighted by their frames.
    """
    named = [(row.best[1], row.best[0] == row.part_number) for row in rows if row.best[0] and row.part_number not in TWINS]
    edges = list(itertools.pairwise(i / bins for i in range(bins + 1)))
    lines, error = [], 0.0
    for low, high in edges:
        some = [(score, right) for score, right in named if low <= score < high or (high == 1.0 and score == 1.0)]
        if some:
            score, right = sum(s for s, _ in some) / len(some), sum(r for _, r in some) / len(some)
            error += len(some) / len(named) * abs(score - right)
            lines.append([f'{low:.1f}..{high:.1f}', len(some), f'{score:.3f}', f'{right:.3f}'])
    table(['score', 'frames', 'mean score', 'share right'], lines)
    print(f'expected calibration error {error:.4f}\n')
    return error


def must_hold(
    ours: Sequence[Row], voted: Sequence[Row], alone: Sequence[Row], peers: dict[str, list[Row]], pace: dict[str, list[Row]]
) -> list[Held]:
    """Judge a run on drawn frames.

    Args:
        ours: All frames of the split.
        voted: Frames read five times and voted.
        alone: The first frames of these.
        peers: Reader -> its rows.
        pace: Reader -> our rows on the same frames, read in turns with it.
    """
    pairs, wrong = sum(row.pairs for row in ours), sum(len(row.false_accepts) for row in ours)
    held = [
        Held(f'at least {LEAST_PAIRS} pairs', f'{pairs}', pairs >= LEAST_PAIRS),
        Held('false accepts 0', f'{wrong}', not wrong),
    ]
    for level, rows in by_level(ours).items():
        least, most = LIMITS[level]
        held.append(Held(f'exact reads {level} >= {least} %', f'{exact_share(rows):.2f} %', exact_share(rows) >= least))
        if most is not None:
            held.append(Held(f'false rejects {level} <= {most} %', f'{reject_share(rows):.2f} %', reject_share(rows) <= most))
    one, five = exact_share(alone), exact_share(voted)
    held.append(
        Held('exact reads (hard) higher with 5 frames voted', f'{one:.1f} % -> {five:.1f} %', five > one)
        if voted
        else Held('exact reads higher with 5 frames voted', 'not measured', None)
    )
    median, p95 = spread([row.milliseconds for row in ours])
    held.append(Held('p95 under 2.5 x median', f'{p95:.0f} / {median:.0f} ms = {p95 / median:.2f}', p95 < 2.5 * median))
    for name, factor in (('PaddleOCR 3.7', 8.0), ('rapidocr default', 4.0)):
        held.append(faster(name, factor, peers.get(name, []), pace.get(name, [])))
    return held


def faster(name: str, factor: float, theirs: Sequence[Row], ours: Sequence[Row]) -> Held:
    """Compare medians and exact reads on the same frames.

    Args:
        name: The other reader.
        factor: How many times faster ours must be, at equal or better reads.
        theirs: Its rows; empty = not measured.
        ours: Our rows on the same frames, read in turns.
    """
    if not theirs:
        return Held(f'{factor:g} x faster than {name}', 'not measured (--peers)', None)
    slow, quick = spread([row.milliseconds for row in theirs])[0], spread([row.milliseconds for row in ours])[0]
    better = exact_share(ours) >= exact_share(theirs) if any(row.text for row in ours) else True
    reads = f'; exact {exact_share(ours):.1f} % against {exact_share(theirs):.1f} %' if any(row.text for row in ours) else ''
    return Held(
        f'{factor:g} x faster than {name} at equal or better reads',
        f'{slow:.0f} / {quick:.0f} ms = {slow / quick:.1f} x on {len(theirs)} frames{reads}',
        slow >= factor * quick and better,
    )


def print_held(held: Sequence[Held]) -> bool:
    """Print each requirement as ok, NOT ok or not measured; return whether none failed."""
    for line in held:
        print(f'{ {True: "ok", False: "NOT ok", None: "-"}[line.holds]:7}{line.what}: {line.measured}')
    return all(line.holds is not False for line in held)


def _shown(cell: object) -> str:
    return f'{cell:.1f}' if isinstance(cell, float) else str(cell)
