#!/usr/bin/env python3
"""Write the result of a draw of test frames as one row of the table in docs/measurements.md.

    python bench/vision.py --pieces odd.jsonl --odd --seconds 130 --votes 0      repeat until all frames are read
    python bench/vision.py --pieces even.jsonl --even --seconds 130 --votes 0
    python bench/vision_record.py --draw 17 odd.jsonl even.jsonl

A draw that already has a row replaces it. The columns are those of bench/vision.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from vision_run import Row
from vision_tables import LIMITS, by_level, exact_share, reject_share

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'measurements.md'
HEAD = '| draw | frames | pairs | exact reads %: easy | medium | hard | false rejects %: easy | medium | hard | false accepts |'


def row(draw: str, rows: Sequence[Row]) -> str:
    """Return the table's row of one draw.

    Args:
        draw: Number of the draw, the first cell.
        rows: What was read and judged, frames of every level.

    Raises:
        ValueError: Frames of a level are missing.
    """
    levels = by_level(rows)
    missing = [level for level in LIMITS if level not in levels]
    if missing:
        raise ValueError(f'draw {draw}: no frames of level {", ".join(missing)}')
    exact = [f'{exact_share(levels[level]):.2f}' for level in LIMITS]
    rejects = [f'{reject_share(levels[level]):.2f}' for level in LIMITS]
    accepts = sum(len(line.false_accepts) for line in rows)
    cells = [draw, len(rows), sum(line.pairs for line in rows), *exact, *rejects, accepts]
    return f'| {" | ".join(map(str, cells))} |'


def with_row(page: str, line: str) -> str:
    """Return the page with the row added to the table, or replaced if its draw has one.

    Args:
        page: Text of docs/measurements.md.
        line: Row, beginning with its draw.

    Raises:
        ValueError: The page does not hold the table.
    """
    lines = page.splitlines()
    if HEAD not in lines:
        raise ValueError(f'the page lacks the table that begins with "{HEAD}"')
    first = lines.index(HEAD) + 2
    end = next((at for at in range(first, len(lines)) if not lines[at].startswith('|')), len(lines))
    draw = line.split('|')[1]
    kept = [old for old in lines[first:end] if old.split('|')[1] != draw]
    return '\n'.join([*lines[:first], *kept, line, *lines[end:]]) + '\n'


def main() -> int:
    """Write the row and print it."""
    parser = argparse.ArgumentParser(description=str(__doc__).split('\n')[0])
    parser.add_argument('pieces', nargs='+', type=Path, help='files that bench/vision.py --pieces wrote')
    parser.add_argument('--draw', required=True, help='number of the draw')
    parser.add_argument('--page', type=Path, default=PAGE, help='page to change (default: docs/measurements.md)')
    options = parser.parse_args()
    rows = [Row(**json.loads(text)) for file in options.pieces for text in file.read_text(encoding='utf-8').splitlines()]
    line = row(options.draw, rows)
    options.page.write_text(with_row(options.page.read_text(encoding='utf-8'), line), encoding='utf-8')
    print(line)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
