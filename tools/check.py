#!/usr/bin/env python3
"""Run the checks and tests with one summary at the end. `make test`, `make fast`, `make slow` and `make lint` call it.

What a check prints is kept in build/test/<check>.log; the slow tests leave their node logs and screenshots below build/test/.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / 'build' / 'test'
LONGEST_S = 1500
PACKAGES = sorted(path.parent.name for path in (ROOT / 'src').glob('*/setup.py'))
PYTEST = ['python', '-m', 'pytest', '-q', '--durations=5']
WEIGHING, VISION = 'src/cell_weighing/test', 'src/cell_vision/test'
RUNNING: set[subprocess.Popen[str]] = set()
COUNTS = re.compile(r'(\d+) (passed|failed|skipped|errors?|xfailed|deselected)\b')


@dataclass(frozen=True)
class Check:
    """One command of one group."""

    group: str
    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    beside: bool = False
    """Computes and waits for nobody: runs beside the others, one after the other, and is shown at the end."""
    alone: bool = False
    """Looks at how a whole cell behaves in time: runs when nothing else does."""


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    check: Check
    code: int
    seconds: float
    counts: dict[str, int]


def checks() -> list[Check]:
    """Return every check, in the order in which they run."""
    pure = [f'src/{name}/{name}' for name in PACKAGES]
    fast_tests = [f'src/{name}/test' for name in PACKAGES if any((ROOT / 'src' / name / 'test').glob('test_*.py'))]
    waiting = [path for path in fast_tests if path not in {WEIGHING, VISION}]
    return [
        Check('lint', 'ruff', ('ruff', 'check', '.')),
        Check('lint', 'mypy', ('mypy', *pure)),
        Check('lint', 'house-rules', (*PYTEST, 'test/house_rules')),
        Check('slow', 'weighing', (*PYTEST, '-m', 'slow', WEIGHING), beside=True),
        Check('slow', 'vision', (*PYTEST, '-m', 'slow', VISION), beside=True),
        Check('fast', 'unit-vision', (*PYTEST, '-m', 'not slow', VISION), beside=True),
        Check('fast', 'unit', (*PYTEST, '-m', 'not slow', WEIGHING, *waiting)),
        Check('fast', 'underlay', (*PYTEST, '-m', 'not slow', 'underlay')),
        Check('fast', 'page', ('npm', 'test', '--silent'), ROOT / 'src' / 'cell_web' / 'hmi'),
        Check('slow', 'packages', (*PYTEST, '-m', 'slow', *waiting, 'underlay')),
        Check('slow', 'graph', (*PYTEST, '-m', 'slow', 'test'), alone=True),
    ]


def run(check: Check) -> Outcome:
    """Run a check, show what it prints and keep it in its log."""
    if not check.beside:
        print(f'\n== {check.group}: {check.name}', flush=True)
    began = time.monotonic()
    lines = []
    with (LOGS / f'{check.name}.log').open('w', encoding='utf-8') as log:
        process = subprocess.Popen(
            check.command,
            cwd=check.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            errors='replace',
            env=environment(),
            start_new_session=True,
        )
        RUNNING.add(process)
        watchdog = threading.Timer(LONGEST_S, end, [process, check])
        watchdog.start()
        try:
            for line in _lines(process):
                log.write(line)
                if not check.beside:
                    print(line, end='', flush=True)
                lines.append(line)
            code = process.wait()
        finally:
            watchdog.cancel()
            RUNNING.discard(process)
            with contextlib.suppress(ProcessLookupError):  # also what it left behind
                os.killpg(process.pid, signal.SIGKILL)
    if check.beside:
        print(f'\n== {check.group}: {check.name} (ran beside)\n{"".join(lines)}', flush=True)
    counts = {kind.rstrip('s') if kind == 'errors' else kind: int(n) for n, kind in COUNTS.findall(''.join(lines[-3:]))}
    # pytest's code 5 says that no test was selected: right for a group that has none in this tree.
    return Outcome(check, 0 if code == 5 else code, time.monotonic() - began, counts)


def run_all(chosen: list[Check]) -> list[Outcome]:
    """Run the lint; then one check after the other, in a second thread those marked `beside`; then those marked `alone`."""
    outcomes = [run(check) for check in chosen if check.group == 'lint']
    rest = [check for check in chosen if check.group != 'lint']
    with ThreadPoolExecutor(max_workers=1) as thread:
        beside = [thread.submit(run, check) for check in rest if check.beside]
        try:
            outcomes += [run(check) for check in rest if not check.beside and not check.alone]
            outcomes += [future.result() for future in beside]
            return outcomes + [run(check) for check in rest if check.alone]
        except BaseException:
            thread.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def end(process: subprocess.Popen[str], check: Check) -> None:
    """End a check that hangs, with all that it started."""
    print(f'\n{check.name} took longer than {LONGEST_S} s and was ended', flush=True)
    os.killpg(process.pid, signal.SIGKILL)


def environment() -> dict[str, str]:
    """Return the environment of the checks: discovery on this machine only, results below build/test."""
    return {**os.environ, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'CELL_TEST_RESULTS': str(LOGS), 'PYTHONUNBUFFERED': '1'}


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def summarise(outcomes: list[Outcome]) -> int:
    """Print the summary and return the exit code."""
    print('\n== summary')
    for outcome in outcomes:
        said = ', '.join(f'{n} {kind}' for kind, n in outcome.counts.items() if kind != 'deselected')
        state = 'ok    ' if outcome.code == 0 else 'FAILED'
        print(f'{state}  {outcome.check.group:5} {outcome.check.name:12} {outcome.seconds:6.1f} s  {said}')
    failed = [outcome for outcome in outcomes if outcome.code]
    if failed:
        names = ', '.join(f'{(LOGS / outcome.check.name).relative_to(ROOT)}.log' for outcome in failed)
        print(f'\nWhat they printed: {names}. Node logs and screenshots of slow tests: {LOGS.relative_to(ROOT)}/')
    passed = sum(outcome.counts.get('passed', outcome.code == 0) for outcome in outcomes)
    broken = sum(max(1, outcome.counts.get('failed', 0) + outcome.counts.get('error', 0)) for outcome in failed)
    print(f'\n{passed} passed, {broken} failed')
    return 1 if failed else 0


def main() -> int:
    """Run the groups named on the command line, all when none is."""
    groups = sys.argv[1:] or ['lint', 'fast', 'slow']
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        return summarise(run_all([check for check in checks() if check.group in groups]))
    except KeyboardInterrupt:
        print('\ninterrupted')
        return 130


if __name__ == '__main__':
    sys.exit(main())
