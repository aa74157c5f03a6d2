#!/usr/bin/env python3
"""Run checks and tests, and print one summary; the targets test, fast, slow, lint and coverage of the Makefile call this.

The output of each check is kept in build/test/<check>.log. Slow tests leave node logs and screenshots below build/test/.
The summary ends with the failed tests and the lines that say why.

Checks run in processes of their own, two at a time. A failing check does not end the others: one run names everything that is
broken.
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

from failed_tests import failures, without_warnings

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 2
"""Checks that run at the same time. Tests of timing hold beside one other check, on two processors, and not beside three."""
LOGS = ROOT / 'build' / 'test'
# As long as CI lets a whole run take.
TIMEOUT_S = 2400
PACKAGES = sorted(path.parent.name for path in (ROOT / 'src').glob('*/setup.py'))
STAND_INS = sorted(path.parent.name for path in (ROOT / 'underlay').glob('*/setup.py'))
LONGEST = ('cell_weighing', 'cell_vision', 'cell_robot', 'cell_web', 'cell_sim', 'cell_bringup')
BY_DURATION = [*LONGEST, *(name for name in PACKAGES if name not in LONGEST)]
PYTEST = ('python', '-m', 'pytest', '-q', '--durations=5')
NO_TESTS_SELECTED = 5
"""Exit code of pytest; correct for a group that has no tests in this tree."""
RUNNING: set[subprocess.Popen[str]] = set()
COUNTS = re.compile(r'(\d+) (passed|failed|skipped|errors?|xfailed|deselected)\b')


@dataclass(frozen=True)
class Check:
    """One command of a group.

    Attributes:
        group: lint, fast, slow or coverage.
        name: Names the log file.
        command: Program and arguments.
        folder: Working directory.
        exclusive: Measures the timing of a whole cell: runs when nothing else does, and its output is printed as it comes.
    """

    group: str
    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    exclusive: bool = False


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: exit code, wall time, the counts that pytest printed, and the lines about its failed tests."""

    check: Check
    code: int
    seconds: float
    counts: dict[str, int]
    failures: list[str]


def all_checks() -> list[Check]:
    """Return every check; those of a group that take longest come first, so that both threads end at about the same time."""
    typed = [f'src/{name}/{name}' for name in PACKAGES] + [f'underlay/{name}/{name}' for name in STAND_INS]
    tests = {name: f'src/{name}/test' for name in BY_DURATION if any((ROOT / 'src' / name / 'test').rglob('test_*.py'))}
    tests['underlay'] = 'underlay'
    coverage = ['--cov-branch', *(f'--cov={name}' for name in PACKAGES), '--cov-report=']
    return [
        Check('slow', 'graph', (*PYTEST, '-m', 'slow', 'test'), exclusive=True),
        *(Check('slow', f'slow-{name}', (*PYTEST, '-m', 'slow', path)) for name, path in tests.items()),
        *(Check('fast', name, (*PYTEST, '-m', 'not slow', path)) for name, path in tests.items()),
        Check('lint', 'house-rules', (*PYTEST, 'test/house_rules')),
        Check('lint', 'mypy', ('mypy', *typed, 'launch', 'bench', 'tools')),
        Check('fast', 'page', ('npm', 'test', '--silent'), ROOT / 'src' / 'cell_web' / 'hmi'),
        Check('lint', 'spelling', ('codespell',)),
        Check('lint', 'ruff', ('ruff', 'check', '.')),
        Check('lint', 'format', ('ruff', 'format', '--check', '--quiet', '.')),
        Check(
            'coverage',
            'branches',
            (*PYTEST, '-m', 'not slow', *coverage, *tests.values()),
            exclusive=True,
        ),
        Check('coverage', 'per-package', ('python', 'tools/coverage_table.py'), exclusive=True),
    ]


def run(check: Check) -> CheckResult:
    """Run a check, print its output and write its log; end it after `TIMEOUT_S`.

    Args:
        check: Runs in a session of its own, so that its children can be killed with it.

    Returns:
        Exit code 0 also for a group without tests; a killed check has the negative number of the signal.
    """
    print(f'\n== {check.group}: {check.name}' if check.exclusive else f'-- {check.name} begins', flush=True)
    started = time.monotonic()
    lines = []
    report = LOGS / f'{check.name}.xml'
    report.unlink(missing_ok=True)
    junit = (f'--junitxml={report}', '-o', 'junit_family=xunit1') if check.command[: len(PYTEST)] == PYTEST else ()
    with (LOGS / f'{check.name}.log').open('w', encoding='utf-8') as log:
        process = subprocess.Popen(
            (*check.command, *junit),
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
        watchdog = threading.Timer(TIMEOUT_S, kill, [process, check])
        watchdog.start()
        try:
            for line in _lines(process):
                log.write(line)
                if check.exclusive:
                    print(line, end='', flush=True)
                lines.append(line)
            code = process.wait()
        finally:
            watchdog.cancel()
            RUNNING.discard(process)
            with contextlib.suppress(ProcessLookupError):  # a child may outlive the check
                os.killpg(process.pid, signal.SIGKILL)
    if not check.exclusive:
        print(f'\n== {check.group}: {check.name}\n{"".join(without_warnings(lines))}', flush=True)
    # pytest writes its counts into the last lines; earlier numbers may be part of a test's output.
    counts = {kind.rstrip('s') if kind == 'errors' else kind: int(n) for n, kind in COUNTS.findall(''.join(lines[-3:]))}
    code = 0 if code == NO_TESTS_SELECTED else code
    return CheckResult(check, code, time.monotonic() - started, counts, failures(report, lines) if code else [])


def run_all(chosen: list[Check]) -> list[CheckResult]:
    """Run `AT_ONCE` checks at a time, exclusive ones after them, each alone.

    Args:
        chosen: Checks of the wanted groups.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
        running = [threads.submit(run, check) for check in chosen if not check.exclusive]
        try:
            results = [future.result() for future in running]
            return results + [run(check) for check in chosen if check.exclusive]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def kill(process: subprocess.Popen[str], check: Check) -> None:
    """Kill a check that hangs, and its children."""
    print(f'\n{check.name}: no end after {TIMEOUT_S} s, killed', flush=True)
    os.killpg(process.pid, signal.SIGKILL)


def environment() -> dict[str, str]:
    """Return the environment of the checks: discovery on this machine only, results below build/test."""
    return {
        **os.environ,
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'CELL_TEST_RESULTS': str(LOGS),
        'COVERAGE_FILE': str(LOGS / 'coverage'),
        'PYTHONUNBUFFERED': '1',
    }


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def summarize(results: list[CheckResult], seconds: float) -> int:
    """Print the summary with the wall time of all checks together, and return the exit code.

    Args:
        results: One for each check.
        seconds: Wall time.
    """
    print('\n== summary')
    for result in results:
        counts = ', '.join(f'{n} {kind}' for kind, n in result.counts.items() if kind != 'deselected')
        state = 'ok    ' if result.code == 0 else 'FAILED'
        print(f'{state}  {result.check.group:8} {result.check.name:21} {result.seconds:6.1f} s  {counts}')
    failed = [result for result in results if result.code]
    for result in failed:
        print(f'\n== failed: {result.check.name}', *result.failures, sep='\n')
    if failed:
        names = ', '.join(f'{(LOGS / result.check.name).relative_to(ROOT)}.log' for result in failed)
        print(f'\nOutput of the failed checks: {names}. Node logs and screenshots of slow tests: {LOGS.relative_to(ROOT)}/')
    passed = sum(result.counts.get('passed', result.code == 0) for result in results)
    broken = sum(max(1, result.counts.get('failed', 0) + result.counts.get('error', 0)) for result in failed)
    print(f'\n{passed} passed, {broken} failed in {seconds:.0f} s')
    return 1 if failed else 0


def main() -> int:
    """Run the groups named on the command line; without names lint, fast and slow."""
    groups = sys.argv[1:] or ['lint', 'fast', 'slow']
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        started = time.monotonic()
        results = run_all([check for check in all_checks() if check.group in groups])
        return summarize(results, time.monotonic() - started)
    except KeyboardInterrupt:
        print('\ninterrupted')
        return 130


if __name__ == '__main__':
    sys.exit(main())
