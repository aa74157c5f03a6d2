"""Names the failed tests of a check, each with the lines that say why, from the JUnit report that pytest writes.

The whole output of all checks is long, and a CI service keeps only its beginning and its end. So the summary ends with these.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

LINES = 40
"""Most lines of one test; pytest's traceback with the source around it may have hundreds."""
TESTS = 12
"""Most tests that are shown; where more fail, one cause is likely."""
_TELLING = re.compile(r'^(E  |>|[^\s:]+:\d+: )')
"""What failed, the statement, and where."""
_WARNINGS, _WARNINGS_END = 'warnings summary', '-- Docs: '


def failures(report: Path, output: Sequence[str]) -> list[str]:
    """Return the lines about the failed tests of a check.

    Args:
        report: JUnit file of pytest; other checks have none, and neither has a check that was killed.
        output: Its printed lines, whose end is returned where the report names no test.
    """
    tests = _failed(report)
    if not tests:
        return [line.rstrip('\n') for line in output[-LINES:]]
    lines = []
    for name, text in tests[:TESTS]:
        lines += [f'FAILED {name}', *(f'    {line}' for line in shortened(text.splitlines()))]
    if len(tests) > TESTS:
        lines.append(f'and {len(tests) - TESTS} more')
    return lines


def shortened(traceback: Sequence[str]) -> list[str]:
    """Return the telling lines of pytest's traceback; of a long one its beginning and its end, where the cause is."""
    telling = [line for line in traceback if _TELLING.match(line)] or list(traceback)
    if len(telling) <= LINES:
        return telling
    begin = LINES // 4
    return [*telling[:begin], '...', *telling[begin + 1 - LINES :]]


def without_warnings(output: Sequence[str]) -> list[str]:
    """Return the output of pytest without the list of warnings, which the log of the check keeps."""
    kept, skipping = [], False
    for line in output:
        skipping = skipping or (line.startswith('=') and _WARNINGS in line)
        if not skipping:
            kept.append(line)
        elif line.startswith(_WARNINGS_END):
            skipping = False
    # A check that was killed within the list has no end of it.
    return kept if not skipping else list(output)


def _failed(report: Path) -> list[tuple[str, str]]:
    """Return name and traceback of each test that failed, or whose fixtures did."""
    try:
        cases = ET.parse(report).iter('testcase')
    except (OSError, ET.ParseError):
        return []
    return [
        (f'{case.get("file") or case.get("classname")}::{case.get("name")}', problem.text or problem.get('message') or '')
        for case in cases
        for problem in case
        if problem.tag in ('failure', 'error')
    ]
