"""`cell weigh`: weigh jobs and bags from a terminal. Needs weigh_station, no camera and no robot."""

from __future__ import annotations

import argparse
import locale
from collections.abc import Sequence
from datetime import datetime, timezone

from cell_common.qos import latched
from cell_common.time import TimeLike, to_ns
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cell_bringup.client import CellClient, CellError
from cell_bringup.jobs import follow_weigh_job
from cell_bringup.terminal_views import OUTCOMES, weigh_line
from cell_interfaces.msg import BagList, BagRecord, WeighJob, WeighJobList
from cell_interfaces.srv import EndWeighJob, GetBag, ReopenWeighJob, StartWeighJob, UndoVoid, VoidBag

__all__ = ['decimal_text', 'work_with_weighing']

RUN_S = 3600.0
TOPIC_S = 5.0


def work_with_weighing(client: CellClient, console: Console, options: argparse.Namespace) -> None:
    """Run one action of `cell weigh`.

    Args:
        client: Client of the cell.
        console: Output.
        options: Parsed command line.

    Raises:
        CellError: weigh_station rejected the command, or does not answer.
    """
    if options.action in ('run', 'start'):
        _start(client, console, options)
    elif options.action == 'end':
        request = EndWeighJob.Request(
            command=client.command(), station=_station(client, options.station), reason=options.reason
        )
        console.print(escape(client.call(EndWeighJob, 'weighing/end_job', request).message))
    elif options.action == 'void':
        void = VoidBag.Request(command=client.command(), bag_id=options.bag_id, reason=options.reason)
        console.print(escape(client.call(VoidBag, 'weighing/void_bag', void).message))
    elif options.action == 'undo-void':
        undo = UndoVoid.Request(command=client.command(), bag_id=options.bag_id, reason=options.reason)
        console.print(escape(client.call(UndoVoid, 'weighing/undo_void', undo).message))
    elif options.action == 'reopen':
        reopen = ReopenWeighJob.Request(
            command=client.command(), weigh_job_id=options.weigh_job_id, quantity=options.quantity, reason=options.reason
        )
        console.print(escape(client.call(ReopenWeighJob, 'weighing/reopen_job', reopen).message))
    elif options.action == 'bag':
        _show_bag(client, console, options.bag_id)
    else:
        _show_list(client, console)


def decimal_text(text: str, point: str) -> str:
    """Return a number with a decimal point; a comma is accepted where the locale writes one.

    Args:
        text: As the operator typed it.
        point: Decimal separator of the locale.
    """
    return text.replace(',', '.') if point == ',' and text.count(',') == 1 and '.' not in text else text


def _start(client: CellClient, console: Console, options: argparse.Namespace) -> None:
    """Start a weigh job; numbers may have the decimal point of the user's locale."""
    locale.setlocale(locale.LC_NUMERIC, '')
    point = str(locale.localeconv()['decimal_point'])
    station = _station(client, options.station)
    client.bags.clear()
    request = StartWeighJob.Request(
        command=client.command(),
        company=_company(client, options.company),
        station=station,
        target_weight=decimal_text(options.target_weight, point),
        unit=options.unit,
        quantity=options.quantity,
        tolerance=decimal_text(options.tolerance, point),
        tare=decimal_text(options.tare, point),
    )
    response = client.call(StartWeighJob, 'weighing/start_job', request)
    console.print(escape(response.message))
    if options.action == 'run':
        text = f'weigh {options.quantity} bags at station {station}'
        follow_weigh_job(client, console, response.weigh_job_id, text, RUN_S)


def _jobs(client: CellClient) -> WeighJobList:
    """Return the weigh jobs of all stations; latched, so they arrive with the subscription."""
    return client.wait_for(lambda: client.weigh_jobs, TOPIC_S, 'publish its weigh jobs (is weigh_station running?)')


def _station(client: CellClient, chosen: str) -> str:
    """Return the chosen station, or the only one.

    Raises:
        CellError: There is no such station, or none is chosen of several; the text names them.
    """
    stations = list(_jobs(client).stations)
    if chosen in stations or (not chosen and len(stations) == 1):
        return chosen or stations[0]
    if not chosen and 'A' in stations:
        return 'A'
    fact = f'There is no station "{chosen}"' if chosen else 'There are several stations'
    raise CellError(f'{fact}: choose one with --station: {", ".join(stations) or "none is configured"}.')


def _company(client: CellClient, chosen: str) -> str:
    """Return the chosen company, or the latest one.

    Raises:
        CellError: None is chosen, and there is no latest one.
    """
    if company := chosen or next(iter(_jobs(client).companies), ''):
        return company
    raise CellError('No company is known yet: name the customer with --company.')


def _show_bag(client: CellClient, console: Console, bag_id: int) -> None:
    """Print one bag, and where its delivery to the web application stands."""
    response = client.call(GetBag, 'weighing/get_bag', GetBag.Request(bag_id=bag_id))
    console.print(_bag_table([response.bag]))
    console.print(escape(response.message))
    if response.delivery != GetBag.Response.NOT_DELIVERED:
        console.print(f'sent {_when(response.posted_at)}, accepted {_when(response.acknowledged_at)}')
    if response.response:
        console.print(f'answer (HTTP {response.http_status}): {response.response}', markup=False)


def _show_list(client: CellClient, console: Console) -> None:
    """Print stations, jobs, the latest bags and known companies."""
    bags: list[BagList] = []
    client.node.create_subscription(BagList, 'weighing/bags', bags.append, latched())
    jobs = _jobs(client)
    latest = client.wait_for(lambda: bags, TOPIC_S, 'publish its bags (is weigh_station running?)')[-1]
    by_station = {job.station: job for job in jobs.jobs}
    table = Table(title='stations', title_style='bold', box=None)
    for heading in ('station', 'job', 'company', 'state', 'progress'):
        table.add_column(heading)
    for station in jobs.stations:
        job = by_station.get(station)
        if job is None:
            table.add_row(escape(station), '', '', 'no job yet', '')
        else:
            state = 'active' if job.state == WeighJob.ACTIVE else 'completed'
            table.add_row(*map(escape, (station, str(job.weigh_job_id), job.company, state, weigh_line(job))))
    console.print(table)
    console.print(_bag_table(latest.bags))
    console.print(f'companies: {escape(", ".join(jobs.companies) or "none yet")}; default tolerance: {jobs.default_tolerance}')


def _bag_table(bags: Sequence[BagRecord]) -> Table:
    """Return the latest bags as a table, newest first, as the station sends them."""
    table = Table(title='bags', title_style='bold', box=None)
    for heading in ('bag', 'job', 'number', 'station', 'scale', 'weight', 'result', 'weighed'):
        table.add_column(heading)
    for bag in bags:
        scale = f'{bag.scale_id} for {bag.stands_for}' if bag.stands_for else bag.scale_id
        result = 'voided' if bag.voided else bag.message or OUTCOMES[bag.outcome]
        numbers = (str(bag.bag_id), str(bag.weigh_job_id or '-'), str(bag.bag_number or '-'))
        cells = (bag.station, scale, f'{bag.weight} {bag.unit}', result, _when(bag.weighed_at))
        table.add_row(*numbers, *map(escape, cells))
    return table


def _when(stamp: TimeLike) -> str:
    """Return a ROS time as local time, to the second."""
    nanoseconds = to_ns(stamp)
    return (
        f'{datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).astimezone():%Y-%m-%d %H:%M:%S %z}'
        if nanoseconds
        else 'never'
    )
