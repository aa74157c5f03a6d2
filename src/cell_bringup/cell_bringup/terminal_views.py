"""Views of the cell's messages for a terminal, made with rich. Nothing here asks the cell."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cell_interfaces.msg import BagRecord, CellStatus, JobState, Subsystem, WeighJob

STATES = {
    JobState.NONE: 'none',
    JobState.READY: 'ready',
    JobState.RUNNING: 'running',
    JobState.PAUSED: 'paused',
    JobState.WAITING_RELOAD: 'waiting for a reload',
    JobState.DONE: 'done',
    JobState.CANCELLED: 'canceled',
    JobState.FAILED: 'failed',
}
STEPS = {
    JobState.STEP_IDLE: '',
    JobState.STEP_PICK: 'picking',
    JobState.STEP_READ: 'reading',
    JobState.STEP_MATCH: 'comparing',
    JobState.STEP_PLACE: 'placing',
    JobState.STEP_REJECT: 'rejecting',
    JobState.STEP_BOOK: 'booking',
}
OUTCOMES = {
    BagRecord.IN_TOLERANCE: 'in tolerance',
    BagRecord.UNDER: 'under',
    BagRecord.OVER: 'over',
    BagRecord.NO_ACTIVE_JOB: 'no active job',
}
LEVELS = {
    Subsystem.OK: ('ok', 'green'),
    Subsystem.WARN: ('warn', 'yellow'),
    Subsystem.ERROR: ('error', 'red'),
    Subsystem.STALE: ('silent', 'red'),
}


@dataclass(frozen=True)
class StockCounts:
    """Pieces of a part by the ledger, before and after a job."""

    before: int
    after: int


def status_table(status: CellStatus) -> Table:
    """Return the cell's subsystems with their state and what to do.

    Args:
        status: Latest message of topic `status`.
    """
    table = Table(title=f'cell {"ready" if status.ready else "not ready"}', title_style='bold', box=None)
    for heading in ('subsystem', 'state', 'what to do'):
        table.add_column(heading)
    for subsystem in status.subsystems:
        word, color = LEVELS[subsystem.level]
        table.add_row(escape(subsystem.name), Text(word, style=color), escape(subsystem.message))
    return table


def job_line(job: JobState) -> str:
    """Return a pick job in one line: counts, state, step and reason."""
    step = STEPS[job.step] if job.state == JobState.RUNNING else ''
    parts = [f'{job.placed}/{job.quantity} placed', f'{job.rejected} rejected', STATES[job.state]]
    if step:
        parts.append(f'{step} piece {job.piece} from tray {job.tray}')
    if job.reason:
        parts.append(job.reason)
    return ' · '.join(parts)


def weigh_line(job: WeighJob) -> str:
    """Return a weigh job in one line: bags, target, tolerance in percent.

    Args:
        job: A weigh job; weights are decimal texts in its unit, the tolerance is a share of the target.
    """
    return (
        f'{job.bags_completed}/{job.quantity} bags of {job.target_weight} {job.unit} ± {100 * float(job.tolerance):g}%'
        f' · {job.bags_out} out of tolerance'
    )


def summary_table(job: JobState, stock: StockCounts, bags: Sequence[BagRecord]) -> Table:
    """Return the results of a demo.

    Args:
        job: The pick job in its final state.
        stock: Counts of its part before and after it.
        bags: Bags of the weigh job.
    """
    table = Table(title='summary', title_style='bold', box=None, show_header=False)
    table.add_row('pick job', f'{job.quantity} × {escape(job.part_number)}: {STATES[job.state]}')
    table.add_row('picked and placed', str(job.placed))
    table.add_row('rejected', str(job.rejected))
    table.add_row('ledger', f'{stock.before} before, {stock.after} after ({stock.before - stock.after} out)')
    table.add_row('median read time', f'{job.median_read_time * 1000:.0f} ms')
    good = sum(bag.outcome == BagRecord.IN_TOLERANCE for bag in bags)
    table.add_row('bags', f'{good} in tolerance, {len(bags) - good} out' if bags else 'none weighed')
    if bags:
        table.add_row('bag weights', ', '.join(f'{bag.weight} {bag.unit} {OUTCOMES[bag.outcome]}' for bag in bags))
        table.add_row('median bag', f'{statistics.median(float(bag.weight) for bag in bags):.3f} {bags[0].unit}')
    return table
