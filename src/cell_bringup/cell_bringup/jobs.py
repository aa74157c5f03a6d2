"""Run jobs from a terminal with live progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cell_bringup.client import CellClient, CellError
from cell_bringup.terminal_views import STATES, job_line, weigh_line
from cell_interfaces.msg import BagRecord, JobState, WeighJob

__all__ = ['ensure_stock', 'exit_code_of', 'follow_weigh_job', 'run_pick_job', 'run_weigh_job', 'wait_until_ready']

READY_S = 60.0
REFRESH_S = 0.1


def wait_until_ready(client: CellClient, seconds: float = READY_S) -> None:
    """Wait until the cell reports that it is ready for a job.

    Args:
        client: Client of the cell.
        seconds: Timeout; a cell that has just been started needs some.

    Raises:
        CellError: It was not in time; the text names the subsystems that are not ready.
    """
    try:
        client.wait_for(lambda: client.status is not None and client.status.ready, seconds, 'get ready')
    except CellError as error:
        if client.status is None:
            raise CellError(f'{error} No status received: is the cell running in this ROS domain and namespace?') from error
        failing = [f'{s.name}: {s.message}' for s in client.status.subsystems if s.level > 1]
        raise CellError(f'{error} ' + '; '.join(failing)) from error


def run_pick_job(client: CellClient, console: Console, part_number: str, quantity: int) -> JobState:
    """Set and run a pick job to its end, and show its progress.

    A pause does not end it: an operator resumes it at the cell.

    Args:
        client: Client of the cell.
        console: Output.
        part_number: A part of the catalogue.
        quantity: Pieces to place.

    Returns:
        The job in its final state.

    Raises:
        CellError: The cell refused the job.
    """
    job_id = client.set_job(part_number, quantity)
    client.wait_for(lambda: client.job is not None and client.job.job_id == job_id, 5, 'publish the job')
    result = client.run_job(job_id)
    shown_reason, rejected = '', 0
    with _progress(console) as progress:
        task = progress.add_task(f'pick {quantity} × {escape(part_number)}', total=quantity, detail='')
        while not result.done():
            job = client.job
            if job is not None and job.job_id == job_id:
                progress.update(task, completed=job.placed, detail=escape(job_line(job)))
                if job.rejected > rejected:
                    rejected = job.rejected
                    console.print(f'   [yellow]rejected[/]: {escape(job.last_match.reason)}')
                if job.reason and job.reason != shown_reason:
                    shown_reason = job.reason
                    console.print(f'   [yellow]{STATES[job.state]}[/]: {escape(job.reason)}')
            time.sleep(REFRESH_S)
        outcome = result.result().result
        progress.update(task, completed=outcome.job.placed, detail=escape(job_line(outcome.job)))
    # The goal was aborted before a job began.
    if not outcome.job.job_id:
        raise CellError(outcome.message)
    return outcome.job


def run_weigh_job(
    client: CellClient, console: Console, station: str, target_weight: str, quantity: int, seconds: float
) -> Sequence[BagRecord]:
    """Run a weigh job at a station until all its bags are weighed and return their records.

    Args:
        client: Client of the cell; its list of bags is cleared.
        console: Output.
        station: Name of the station.
        target_weight: Kilograms, as decimal text.
        quantity: Bags.
        seconds: Timeout.

    Raises:
        CellError: The cell refused the job, or the bags did not come in time.
    """
    client.bags.clear()
    job_id = client.start_weigh_job('Demo company', station, target_weight, quantity)
    return follow_weigh_job(client, console, job_id, f'weigh {quantity} bags at station {station}', seconds)


def follow_weigh_job(client: CellClient, console: Console, job_id: int, text: str, seconds: float) -> Sequence[BagRecord]:
    """Show the progress of a weigh job until it is complete, and return its bags.

    Args:
        client: Client of the cell.
        console: Output.
        job_id: Number of the weigh job.
        text: Heading of the progress.
        seconds: Timeout.

    Raises:
        CellError: The bags did not come in time.
    """

    def job() -> WeighJob | None:
        jobs = client.weigh_jobs.jobs if client.weigh_jobs else ()
        return next((item for item in jobs if item.weigh_job_id == job_id), None)

    shown: list[int] = []

    def finished() -> bool:
        now = job()
        for bag in client.bags[len(shown) :]:
            shown.append(bag.bag_id)
            console.print(
                f'   bag {bag.bag_number}: {bag.weight} {bag.unit}'
                + (f' [yellow]{escape(bag.message)}[/]' if bag.message else '')
            )
        if now is not None:
            progress.update(task, total=now.quantity, completed=now.bags_completed, detail=escape(weigh_line(now)))
        return now is not None and now.state == WeighJob.COMPLETED

    with _progress(console) as progress:
        task = progress.add_task(text, total=None, detail='')
        client.wait_for(finished, seconds, text)
    return [bag for bag in client.bags if bag.weigh_job_id == job_id]


def ensure_stock(client: CellClient, console: Console, part_number: str, quantity: int) -> int:
    """Return the stock of a part; when it is too small, book a refill first, as an operator would.

    Args:
        client: Client of the cell.
        console: Output.
        part_number: A part of the catalogue.
        quantity: Pieces that must be in the trays.

    Raises:
        CellError: The part is not known.
    """
    client.wait_for(lambda: client.inventory is not None, 5, 'publish its inventory')
    stock = client.stock_of(part_number)
    if stock is None:
        raise CellError(f'{part_number} is not in the part catalogue.')
    if stock < quantity:
        console.print(f'   only {stock} × {escape(part_number)} in the trays: refilled')
        client.reload(part_number)
        stock = client.wait_for(lambda: _refill_amount(client.stock_of(part_number), quantity), 5, 'publish the refilled trays')
    return stock


def _refill_amount(stock: int | None, wanted: int) -> int:
    return stock if stock is not None and stock >= wanted else 0


def _progress(console: Console) -> Progress:
    """Return a progress line with the elapsed time and a detail text."""
    return Progress(
        SpinnerColumn(),
        TextColumn('{task.description}'),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn('{task.fields[detail]}'),
        console=console,
    )


def exit_code_of(console: Console, work: Callable[[], object]) -> int:
    """Run a command's work; print a refusal as one sentence and return the exit code.

    Args:
        console: Output.
        work: Raises CellError if the cell refuses.
    """
    try:
        work()
    except CellError as error:
        console.print(f'[red]{escape(str(error))}[/]')
        return 1
    return 0
