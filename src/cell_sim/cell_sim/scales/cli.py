"""Simulated indicators on the command line: many in one process, not in the ROS graph, with faults on request.

    indicators --count 300 --port 10001 --format extended
    indicators --count 200 --format sma --source 127.0.1.1     # each from its own address, replies to requests
    indicators --count 50 --stream 10 --trouble 2              # two random faults a second among all of them

While it runs, a line `<scale id or *> <fault> [value]` on standard input injects a fault; `help` lists the faults.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from cell_common.timeouts import with_timeout

from cell_sim.faults import UnknownFaultError
from cell_sim.scales.filler import FillOrder
from cell_sim.scales.fleet import ALL_SCALES, Fleet, ScaleSettings, inject_all
from cell_sim.scales.indicator import KILOGRAMS, TEMPLATES
from cell_sim.scales.line_faults import FAULTS

HELP = 'A line is "<scale id or *> <fault> [value]". Faults:\n' + '\n'.join(
    f'  {name:14}{meaning} (default {default:g})' for name, (meaning, default) in FAULTS.items()
)


@dataclass
class BagCounter:
    """Counts the weighed bags."""

    count: Counter[str] = field(default_factory=Counter)

    def __call__(self, _kind: str, *, sent: bool, **_facts: object) -> None:
        """Count one bag."""
        self.count['sent' if sent else 'lost without a connection'] += 1


async def run(arguments: argparse.Namespace, commands: asyncio.Queue[str], log: Callable[[str], None]) -> BagCounter:
    """Run indicators until the duration ends or the command `quit` arrives; return the weighed bags.

    Args:
        arguments: Parsed command line.
        commands: Lines of standard input.
        log: Prints a line.
    """
    bags = BagCounter()
    fleet = Fleet(settings_of(arguments), arguments.seed, bags)
    order = FillOrder(1, float(arguments.target), arguments.unit)
    async with contextlib.AsyncExitStack() as stack:
        for scale in fleet.scales.values():
            stack.push_async_callback(scale.stop)
            await scale.start()
        for station in fleet.stations:
            station.set_order(order)
        tasks = [asyncio.create_task(station.run()) for station in fleet.stations]
        if arguments.trouble:
            tasks.append(asyncio.create_task(_inject_random_faults(fleet, arguments.seed, arguments.trouble, log)))
        # A timeout is the regular end of a run with --duration.
        with contextlib.suppress(asyncio.TimeoutError):
            await with_timeout(_execute_commands(fleet, commands, log), arguments.duration or None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        log(f'{sum(scale.connected.is_set() for scale in fleet.scales.values())} of {len(fleet.scales)} connected')
    return bags


def settings_of(arguments: argparse.Namespace) -> ScaleSettings:
    """Return the settings of the indicators from a parsed command line."""
    ids = [str(number) for number in range(arguments.first, arguments.first + arguments.count)]
    return ScaleSettings(
        host=arguments.host,
        port=arguments.port,
        scale_ids=ids,
        stations=ids,
        print_format=arguments.format,
        stream_rate=arguments.stream,
        division=arguments.division,
        bag_period=arguments.period,
        out_share=arguments.out_share,
        decimal_comma=arguments.decimal_comma,
        source=arguments.source,
    )


async def _execute_commands(fleet: Fleet, commands: asyncio.Queue[str], log: Callable[[str], None]) -> None:
    while (line := await commands.get()) != 'quit':
        if line.strip():
            log(execute_line(fleet, line))


def execute_line(fleet: Fleet, line: str) -> str:
    """Execute one line of the operator and return the reply.

    Args:
        fleet: Indicators.
        line: `<scale id, scale:<id> or *> <fault> [value]`.

    Returns:
        Effect, error, or the list of faults; never raises for a wrong line.
    """
    scale_id, fault, value = (*line.split(), '', '')[:3]
    scales = (
        list(fleet.scales.values())
        if scale_id in ('*', ALL_SCALES)
        else [scale for scale in (fleet.scales.get(scale_id.removeprefix('scale:')),) if scale is not None]
    )
    if not fault or not scales:
        return HELP if not fault else f'no scale {scale_id}; known scales: {", ".join(fleet.scales)} and *'
    try:
        return f'{scale_id}: {inject_all(scales, fault, float(value or 0))}'
    except UnknownFaultError as error:
        return str(error)
    except ValueError:
        return f'{value} is not a number'


async def _inject_random_faults(fleet: Fleet, seed: int, rate: float, log: Callable[[str], None]) -> None:
    """Inject random faults, `rate` a second; the same seed gives the same faults in the same order."""
    rng = random.Random(f'trouble/{seed}')
    while True:
        await asyncio.sleep(1 / rate)
        log(execute_line(fleet, f'{rng.choice(list(fleet.scales))} {rng.choice(list(FAULTS))}'))


def _weight(text: str) -> Decimal:
    with contextlib.suppress(InvalidOperation):
        if (value := Decimal(text)) > 0:
            return value
    raise argparse.ArgumentTypeError(f'{text} is not a weight above 0')


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog='indicators', description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = result.add_argument
    add('--host', default='127.0.0.1', help='of the scale bridge (default: 127.0.0.1)')
    add('--port', type=int, default=10001, help='of the scale bridge (default: 10001)')
    add('--count', type=int, default=2, help='number of indicators (default: 2)')
    add('--first', type=int, default=1, help='id of the first indicator; the others get the next numbers (default: 1)')
    add(
        '--format',
        default='legacy',
        help=f'{", ".join(TEMPLATES)}, sma, or a template such as "{{id}};{{weight:>8}} {{unit}};{{time}}" (default: legacy)',
    )
    add('--stream', type=float, default=0.0, help='lines per second without a request; 0 = one for each bag (default: 0)')
    add('--period', type=float, default=4.0, help='seconds from bag to bag (default: 4)')
    add('--target', type=_weight, default=Decimal('12.5'), help='target weight of a bag (default: 12.5)')
    add('--unit', choices=list(KILOGRAMS), default='kg')
    add('--division', type=_weight, default=Decimal('0.005'), help='smallest step of the display, kg (default: 0.005)')
    add('--out-share', type=float, default=0.05, help='share of bags with a weight far off the target (default: 0.05)')
    add('--decimal-comma', action='store_true', help='print a comma as the decimal separator')
    add('--source', default='', help='local address of the first indicator; each further one uses the next address')
    add('--trouble', type=float, default=0.0, help='random faults per second among all indicators (default: 0)')
    add('--seed', type=int, default=1, help='the same seed gives the same bags and faults')
    add('--duration', type=float, default=0.0, help='seconds until the program ends; 0 = until "quit" or Ctrl-C')
    return result


def _read_lines(handle: Callable[[str], object]) -> None:
    for line in sys.stdin:
        handle(line)


async def _main(arguments: argparse.Namespace) -> BagCounter:
    commands: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def enqueue(line: str) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has been closed
            loop.call_soon_threadsafe(commands.put_nowait, line.strip())

    # A daemon thread: reading a terminal cannot be canceled, and must not keep the program alive.
    threading.Thread(target=_read_lines, args=(enqueue,), daemon=True).start()
    return await run(arguments, commands, _print)


def _print(text: str) -> None:
    sys.stdout.write(text + '\n')
    sys.stdout.flush()


def _summary(bags: BagCounter) -> Iterator[str]:
    yield from (f'{count} bags {outcome}' for outcome, count in sorted(bags.count.items()))


def main(words: Sequence[str] | None = None) -> int:
    """Run simulated indicators and return the exit code.

    Args:
        words: Command line without the program's name; None = that of the process.

    Returns:
        0, also after Ctrl-C; 2 if a setting is invalid.
    """
    arguments = parser().parse_args(words)
    try:
        bags = asyncio.run(_main(arguments))
    except KeyboardInterrupt:
        return 0
    except ValueError as error:
        sys.stderr.write(f'indicators: {error}\n')
        return 2
    _print('\n'.join(_summary(bags)) or 'no bag was printed')
    return 0
