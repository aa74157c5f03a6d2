"""Simulated indicators on the command line: many at once in one process, without ROS, that misbehave as they are told.

    indicators --count 300 --port 10001 --format extended
    indicators --count 200 --format sma --source 127.0.1.1     # each from an address of its own, waits to be asked
    indicators --count 50 --stream 10 --trouble 2              # two random faults a second somewhere among them

While it runs, a line `<scale id or *> <fault> [value]` on standard input lets indicators misbehave; `help` lists the faults.
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
from typing import Any

from cell_sim.faults import UnknownFaultError
from cell_sim.scales.filler import FillOrder
from cell_sim.scales.fleet import ALL_SCALES, Fleet, ScaleSettings, inject_all
from cell_sim.scales.indicator import KILOGRAMS, TEMPLATES
from cell_sim.scales.line_faults import FAULTS

HELP = 'A line is "<scale id or *> <fault> [value]". Faults:\n' + '\n'.join(
    f'  {name:14}{meaning} (default {default:g})' for name, (meaning, default) in FAULTS.items()
)


@dataclass
class Bags:
    """What the indicators weighed."""

    count: Counter[str] = field(default_factory=Counter)

    def __call__(self, _kind: str, *, sent: bool, **_facts: Any) -> None:
        """Count one bag."""
        self.count['sent' if sent else 'lost without a link'] += 1


async def run(arguments: argparse.Namespace, commands: asyncio.Queue[str], say: Callable[[str], None]) -> Bags:
    """Run indicators until the time is over or standard input says so; return what was weighed."""
    bags = Bags()
    ids = [str(number) for number in range(arguments.first, arguments.first + arguments.count)]
    fleet = Fleet(
        ScaleSettings(
            arguments.host,
            arguments.port,
            ids,
            ids,
            arguments.format,
            arguments.stream,
            arguments.division,
            arguments.period,
            arguments.out_share,
            arguments.decimal_comma,
            arguments.source,
        ),
        arguments.seed,
        bags,
    )
    order = FillOrder(1, float(arguments.target), arguments.unit)
    async with contextlib.AsyncExitStack() as stack:
        for scale in fleet.scales.values():
            stack.push_async_callback(scale.stop)
            await scale.start()
        for station in fleet.stations:
            station.set_order(order)
        tasks = [asyncio.create_task(station.work()) for station in fleet.stations]
        if arguments.trouble:
            tasks.append(asyncio.create_task(_trouble(fleet, arguments, say)))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_obey(fleet, commands, say), arguments.duration or None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        say(f'{sum(scale.connected.is_set() for scale in fleet.scales.values())} of {len(fleet.scales)} connected')
    return bags


async def _obey(fleet: Fleet, commands: asyncio.Queue[str], say: Callable[[str], None]) -> None:
    while (line := await commands.get()) != 'quit':
        if line.strip():
            say(obey(fleet, line))


def obey(fleet: Fleet, line: str) -> str:
    """Carry out one line of a person and return the answer."""
    scale_id, fault, value = (*line.split(), '', '')[:3]
    scales = (
        list(fleet.scales.values())
        if scale_id in ('*', ALL_SCALES)
        else [scale for scale in (fleet.scales.get(scale_id.removeprefix('scale:')),) if scale is not None]
    )
    if not fault or not scales:
        return HELP if not fault else f'no scale {scale_id}; there are {", ".join(fleet.scales)} and *'
    try:
        amount = float(value or 0)
        return f'{scale_id}: {inject_all(scales, fault, amount)}'
    except UnknownFaultError as problem:
        return str(problem)
    except ValueError:
        return f'{value} is not a number'


async def _trouble(fleet: Fleet, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Let something go wrong somewhere, again and again; the same seed gives the same faults in the same order."""
    rng = random.Random(f'trouble/{arguments.seed}')
    while True:
        await asyncio.sleep(1 / arguments.trouble)
        say(obey(fleet, f'{rng.choice(list(fleet.scales))} {rng.choice(list(FAULTS))}'))


def _weight(text: str) -> Decimal:
    with contextlib.suppress(InvalidOperation):
        if (value := Decimal(text)) > 0:
            return value
    raise argparse.ArgumentTypeError(f'{text} is not a weight above 0')


def parser() -> argparse.ArgumentParser:
    """Return what the command line takes."""
    result = argparse.ArgumentParser(prog='indicators', description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = result.add_argument
    add('--host', default='127.0.0.1', help='of the scale bridge (default: 127.0.0.1)')
    add('--port', type=int, default=10001, help='of the scale bridge (default: 10001)')
    add('--count', type=int, default=2, help='how many indicators (default: 2)')
    add('--first', type=int, default=1, help='id of the first one; the others count on (default: 1)')
    add(
        '--format',
        default='legacy',
        help=f'{", ".join(TEMPLATES)}, sma, or a template such as "{{id}};{{weight:>8}} {{unit}};{{time}}" (default: legacy)',
    )
    add('--stream', type=float, default=0.0, help='lines a second without being asked; 0 = one for each bag (default: 0)')
    add('--period', type=float, default=4.0, help='seconds from bag to bag (default: 4)')
    add('--target', type=_weight, default=Decimal('12.5'), help='what bags weigh (default: 12.5)')
    add('--unit', choices=list(KILOGRAMS), default='kg')
    add('--division', type=_weight, default=Decimal('0.005'), help='smallest step of the display, kg (default: 0.005)')
    add('--out-share', type=float, default=0.05, help='share of bags far off the target (default: 0.05)')
    add('--decimal-comma', action='store_true', help='print a comma for a decimal point')
    add('--source', default='', help='address that the first one dials from; each that follows takes the next one')
    add('--trouble', type=float, default=0.0, help='random faults a second among all of them (default: 0)')
    add('--seed', type=int, default=1, help='the same seed gives the same bags and faults')
    add('--duration', type=float, default=0.0, help='seconds until it ends; 0 = until "quit" or Ctrl-C')
    return result


def _read(into: Callable[[str], object]) -> None:
    for line in sys.stdin:
        into(line)


async def _main(arguments: argparse.Namespace) -> Bags:
    commands: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def into(line: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(commands.put_nowait, line.strip())

    threading.Thread(target=_read, args=(into,), daemon=True).start()
    return await run(arguments, commands, _say)


def _say(text: str) -> None:
    sys.stdout.write(text + '\n')
    sys.stdout.flush()


def _lines(bags: Bags) -> Iterator[str]:
    yield from (f'{count} bags {what}' for what, count in sorted(bags.count.items()))


def main(words: Sequence[str] | None = None) -> int:
    """Run simulated indicators until the time is over."""
    arguments = parser().parse_args(words)
    try:
        bags = asyncio.run(_main(arguments))
    except KeyboardInterrupt:
        return 0
    except ValueError as problem:
        sys.stderr.write(f'indicators: {problem}\n')
        return 2
    _say('\n'.join(_lines(bags)) or 'no bag was printed')
    return 0
