"""`cell benchmarks`: the readings of known-good parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cell_bringup.client import CellClient
from cell_interfaces.msg import BenchmarkSet
from cell_interfaces.srv import GetBenchmarks


def show_benchmarks(client: CellClient, console: Console, part_number: str) -> None:
    """Print the newest benchmark of every part, or every version of one part's.

    Args:
        client: Client of the cell.
        console: Output.
        part_number: "" = the newest of every part.

    Raises:
        CellError: The matcher does not answer.
    """
    answer = client.call(GetBenchmarks, 'matching/benchmarks', GetBenchmarks.Request(part_number=part_number))
    if answer.benchmarks:
        console.print(benchmark_table(answer.benchmarks))
    else:
        console.print(escape(answer.message))


def benchmark_table(benchmarks: Sequence[BenchmarkSet]) -> Table:
    """Return benchmarks as a table, with their times in the time zone of this computer."""
    table = Table(box=None)
    for heading in ('part', 'version', 'frames', 'set', 'by', 'texts'):
        table.add_column(heading)
    for one in benchmarks:
        at = datetime.fromtimestamp(one.stamp.sec, timezone.utc).astimezone()
        when, texts = f'{at:%Y-%m-%d %H:%M}', ', '.join(one.texts)
        cells = (one.part_number, str(one.version), str(one.frames), when, one.operator_id, texts)
        table.add_row(*map(escape, cells))
    return table
