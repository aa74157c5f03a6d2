"""`cell scale try`: which format an indicator has, from a file of its bytes or from the indicator itself."""

from __future__ import annotations

import argparse
import re
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from cell_weighing.format_trial import FormatTrial, best_trial, make_format, try_format, try_formats
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ['try_scale']

ADDRESS = re.compile(r'(\[[0-9A-Fa-f:]+\]|[^/:\s]+):(\d{1,5})')
HIGH_BYTE = re.compile(r'\\x[89a-f]')
CONNECT_S = 5.0
REPLY_TIMEOUT_S = 1.0
"""Longest time in which an indicator answers one command, seconds."""
# One megabyte of lines shows any format; more would only cost time.
LARGEST = 1 << 20
QUESTIONS = (b'\nW\r', b'W\r', b'SI\r\n')
"""Commands of SMA, NCI and MT-SICS for the current weight: none of them changes anything in a scale."""


def try_scale(options: argparse.Namespace, console: Console) -> int:
    """Run the command and return its exit code.

    Args:
        options: Parsed command line.
        console: Output.
    """
    try:
        packets = read_source(options.source, options.seconds, _question(options))
        if options.format:
            chosen = make_format(options.format, template=options.template, unit=options.unit, decimal_comma=options.comma)
            trials = [try_format(options.format, chosen, packets)]
        else:
            trials = try_formats(packets, template=options.template, unit=options.unit, decimal_comma=options.comma)
    except (OSError, ValueError) as error:
        console.print(f'[red]{escape(str(error))}[/]')
        return 1
    if not any(packets):
        console.print(
            f'[red]no byte came from {escape(str(options.source))}: press PRINT, or check the output of the indicator[/]'
        )
        return 1
    return show(trials, console, options.records)


def read_source(source: str, seconds: float, question: bytes | None) -> list[bytes]:
    """Return the bytes of a file, or those that an indicator sends.

    Args:
        source: Path, or host:port.
        seconds: How long to listen to an indicator.
        question: Command sent to it once a second; None = known ones in turn when it is silent.

    Raises:
        OSError: The file cannot be read, or the indicator cannot be reached.
    """
    address = ADDRESS.fullmatch(source)
    if address is None or Path(source).exists():
        return [Path(source).read_bytes()[:LARGEST]]
    with socket.create_connection((address[1].strip('[]'), int(address[2])), CONNECT_S) as connection:
        if question is not None:
            return _listen(connection, seconds, question)
        packets = _listen(connection, seconds, b'')
        for command in QUESTIONS:
            if packets:
                break
            packets = _listen(connection, REPLY_TIMEOUT_S, command)
        return packets


def show(trials: Sequence[FormatTrial], console: Console, most: int) -> int:
    """Show the records in the best format and the result of each; return 1 when none fits.

    Args:
        trials: The best first.
        console: Output.
        most: Most records that are shown.
    """
    best = best_trial(trials)
    shown = best or trials[0]
    table = Table(title=f'as {shown.name}', title_style='bold', box=None)
    for heading in ('record', '', 'weight, or why not'):
        table.add_column(heading, overflow='fold')
    for record in shown.records[:most]:
        word, color = ('weight', 'green') if record.weight else ('no weight', 'yellow' if record.read else 'red')
        table.add_row(Text(record.raw), Text(word, style=color), Text(record.text))
    console.print(table)
    if len(shown.records) > most:
        console.print(f'... {len(shown.records) - most} more records')
    for trial in trials:
        fault = f': {trial.fault}' if trial.fault and not best else ''
        console.print(
            f'{escape(trial.name)}: {len(trial.records)} records, {trial.weights} weights, {trial.unread} not understood'
            f'{escape(fault)}'
        )
    if best is None:
        if any(HIGH_BYTE.search(record.raw) for record in shown.records):
            console.print('[yellow]bytes above 7f: set speed, data bits and parity of the serial line as in the indicator[/]')
        console.print('[red]no format fits: describe the line with --format template --template "..."[/]')
        return 1
    silence = '; it sends no line end and needs record_silence above 0' if best.needs_silence else ''
    console.print(f'[green]format: codec: {best.name}[/]{silence}')
    return 0


def _question(options: argparse.Namespace) -> bytes | None:
    """Return the command of the chosen format; None = no format is chosen."""
    if not options.format:
        return None
    return make_format(options.format, template=options.template, unit=options.unit or 'kg').make().poll_command


def _listen(connection: socket.socket, seconds: float, question: bytes) -> list[bytes]:
    """Return what arrives within some seconds, as packets; without a question the indicator must send unasked.

    Args:
        connection: Connected socket.
        seconds: How long to listen.
        question: Poll command, repeated every REPLY_TIMEOUT_S; b'' = none.
    """
    packets: list[bytes] = []
    end = time.monotonic() + seconds
    asked = 0.0
    while (left := end - time.monotonic()) > 0:
        if question and time.monotonic() - asked >= REPLY_TIMEOUT_S:
            connection.sendall(question)
            asked = time.monotonic()
        connection.settimeout(min(left, REPLY_TIMEOUT_S))
        try:
            data = connection.recv(4096)
        except TimeoutError:
            continue
        if not data:
            break
        packets.append(data)
    return packets
