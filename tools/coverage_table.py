#!/usr/bin/env python3
"""Print line and branch coverage of each package and of the pure modules, as `make coverage` measured them.

Nodes and devices are covered by the slow tests. So the row of the pure modules, which hold the rules, tells most about the fast
ones.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

DATA = Path(__file__).resolve().parent.parent / 'build' / 'test' / 'coverage'
PURE = 'Pure: no ROS, sockets, files or clock.'
COUNTED = ('num_statements', 'covered_lines', 'num_branches', 'covered_branches')


def package_counts(data_file: Path) -> dict[str, Counter[str]]:
    """Return statements and branches, all and covered ones, of each package `cell_*` and of its pure modules.

    Args:
        data_file: Written by pytest-cov.

    Returns:
        By package, and under PURE those of all modules that claim to be pure.

    Raises:
        coverage.exceptions.NoDataError: The file holds no measurement.
    """
    import json

    coverage = Coverage(data_file=str(data_file))
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / 'coverage.json'
        coverage.json_report(outfile=str(report), ignore_errors=True)
        files = json.loads(report.read_text(encoding='utf-8'))['files']
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, entry in files.items():
        package = next((part for part in Path(name).parts if part.startswith('cell_')), None)
        if package is not None:
            summary = {key: entry['summary'][key] for key in COUNTED}
            counts[package].update(summary)
            if PURE in Path(name).read_text(encoding='utf-8'):
                counts[PURE].update(summary)
    return counts


def table(counts: dict[str, Counter[str]]) -> str:
    """Return the table as text: one package a line, a total, and the pure modules of all packages.

    Args:
        counts: Result of `package_counts`.
    """
    packages = {name: count for name, count in counts.items() if name != PURE}
    total: Counter[str] = Counter()
    for count in packages.values():
        total.update(count)
    lines = [f'{"package":18}{"lines %":>9}{"branches %":>12}']
    rows = [*sorted(packages.items()), ('total', total)]
    if PURE in counts:
        rows.append(('pure modules', counts[PURE]))
    for name, count in rows:
        lines.append(
            f'{name:18}{_percent(count["covered_lines"], count["num_statements"]):9.1f}'
            f'{_percent(count["covered_branches"], count["num_branches"]):12.1f}'
        )
    return '\n'.join(lines)


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0


def main() -> int:
    """Print the table; return 1 if nothing was measured."""
    try:
        print(table(package_counts(Path(os.environ.get('COVERAGE_FILE', DATA)))))
    except NoDataError:
        print('no coverage data: run `make coverage`')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
