"""`cell catalogue`: checks a part catalogue, and tries it on images of a folder or a camera.

Needs no running cell: it loads matcher and OCR engine into its own process.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from cell_common.atomic_file import replace_file
from cell_common.catalogue import Catalogue, CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.catalogue_table import catalogue_csv, catalogue_yaml, changed_parts, parse_catalogue_csv
from cell_vision.matching.catalogue_trial import (
    Trial,
    camera_images,
    folder_images,
    lint,
    make_trial_engine,
    try_catalogue,
)
from cell_vision.ocr.engines.base import EngineError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

NAMED = 4
"""Images that a message names."""
_Item = TypeVar('_Item')


def work_with_catalogue(options: argparse.Namespace, console: Console) -> int:
    """Run `cell catalogue`; return the exit code.

    Args:
        options: Parsed by `cli.add_catalogue`.
        console: Output; JSON with --json.

    Returns:
        1 if a warning needs an action, if a image is not a MATCH, or if there are no images; else 0.
    """
    try:
        if options.action == 'import':
            return _import(options, console)
        catalogue = load_catalogue(options.catalogue)
        if options.action == 'export':
            return _export(catalogue, options, console)
        if options.action == 'lint':
            return _lint(catalogue, options, console)
        source = options.source
        images = folder_images(Path(source)) if Path(source).is_dir() else camera_images(source)
        trial = try_catalogue(catalogue, images, make_trial_engine())
    except (CatalogueError, EngineError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True, highlight=False)
        return 1
    if options.json:
        console.print_json(json.dumps(asdict(trial)))
    else:
        print_trial(trial, console)
    return 1 if trial.warnings or not trial.pictures or any(p.verdict != 'MATCH' for p in trial.pictures) else 0


def _export(catalogue: Catalogue, options: argparse.Namespace, console: Console) -> int:
    """Write the catalogue; a spreadsheet program needs the byte-order mark to read UTF-8."""
    table = options.file.suffix.lower() == '.csv'
    text = '\ufeff' + catalogue_csv(catalogue) if table else catalogue_yaml(catalogue)
    replace_file(options.file, text.encode())
    console.print(f'{len(catalogue.parts)} parts written to {escape(str(options.file))}', highlight=False)
    return 0


def _import(options: argparse.Namespace, console: Console) -> int:
    """Check a file, show what it changes, and put it in the place of the catalogue file; return the exit code."""
    path = options.catalogue.resolve()
    is_table = options.file.suffix.lower() == '.csv'
    new = parse_catalogue_csv(options.file.read_bytes()) if is_table else load_catalogue(options.file)
    changes = changed_parts(load_catalogue(path), new) if path.exists() else [f'{len(new.parts)} parts are new']
    for sentence in changes:
        console.print(escape(sentence), highlight=False)
    warnings, notes = lint(new)
    _print_lint(warnings, notes, console)
    if options.check or not changes:
        console.print(f'{len(changes)} changes, nothing written', highlight=False)
        return 0
    text = catalogue_yaml(new).encode() if is_table else options.file.read_bytes()
    if path.exists():
        replace_file(path.with_suffix('.before.yaml'), path.read_bytes())
    replace_file(path, text)
    console.print(
        f'{len(changes)} changes written to {escape(str(path))}: restart the cell to use them', highlight=False, soft_wrap=True
    )
    return 0


def _lint(catalogue: Catalogue, options: argparse.Namespace, console: Console) -> int:
    """Print what `lint` finds; return 1 if something needs an action."""
    warnings, notes = lint(catalogue)
    if options.json:
        console.print_json(json.dumps({'warnings': warnings, 'notes': notes}))
    else:
        _print_lint(warnings, notes, console)
        console.print(f'{len(catalogue.parts)} parts, {len(warnings)} to mend, {len(notes)} that need a second look')
    return 1 if warnings else 0


def _print_lint(warnings: list[str], notes: list[str], console: Console) -> None:
    for mark, sentences in (('[red]mend[/]', warnings), ('[yellow]note[/]', notes)):
        for sentence in sentences:
            console.print(f'{mark} {escape(sentence)}', soft_wrap=True, highlight=False)


def print_trial(trial: Trial, console: Console) -> None:
    """Print the results of a trial: each part, then what to mend in the catalogue, then what to change at the camera.

    Args:
        trial: Result of `try_catalogue`.
        console: Output.
    """
    console.print(_parts_table(trial))
    _print_lint([*trial.suggestions, *trial.warnings], trial.notes, console)
    for one, other in trial.confused:
        console.print(f'[yellow]not told apart[/] {escape(one)} and {escape(other)} in at least one picture', highlight=False)
    for sentence, names in _groups((p.reason, p.name) for p in trial.pictures if p.verdict != 'MATCH').items():
        console.print(f'[red]no match[/] {escape(f"{_named(names)}: {sentence}")}', soft_wrap=True, highlight=False)
    for sentence, names in _groups((advice, p.name) for p in trial.pictures for advice in p.advice).items():
        console.print(f'[yellow]camera[/] {escape(f"{sentence}: {_named(names)}")}', soft_wrap=True, highlight=False)
    read = [result for result in trial.pictures if result.letter_height]
    if read:
        ranges = [
            f'{name} {min(values):.{digits}f} to {max(values):.{digits}f}{unit}'
            for name, unit, digits, values in (
                ('letters', ' px high', 0, [p.letter_height for p in read]),
                ('contrast', '', 0, [p.contrast for p in read]),
                ('sharpness', '', 0, [p.sharpness for p in read]),
                ('glare', ' %', 1, [100 * p.glare for p in read]),
            )
        ]
        console.print(f'pictures: {", ".join(ranges)}', soft_wrap=True, highlight=False)
    if trial.never_seen:
        console.print(f'never recognized: {escape(", ".join(trial.never_seen))}', soft_wrap=True, highlight=False)
    right = sum(result.verdict == 'MATCH' for result in trial.pictures)
    console.print(f'{right} of {len(trial.pictures)} pictures show one part for sure')


def _parts_table(trial: Trial) -> Table:
    table = Table('part', 'verdicts', 'read as', 'least margin', title='Parts', title_justify='left')
    of_part = _groups((p.part_number or p.nearest, p) for p in trial.pictures if p.part_number or p.nearest)
    for name in sorted({*of_part, *trial.never_seen}):
        some = of_part.get(name, [])
        verdicts = Counter(result.verdict for result in some)
        texts = Counter(result.text.strip() for result in some if result.text)
        margin = min((result.margin for result in some if result.verdict == 'MATCH'), default=None)
        table.add_row(
            escape(name),
            ', '.join(f'{count} {verdict}' for verdict, count in verdicts.most_common()) or 'not seen',
            escape(', '.join(f'{text} ({count})' for text, count in texts.most_common(3))),
            '' if margin is None else f'{margin:.2f}',
        )
    return table


def _groups(items: Iterable[tuple[str, _Item]]) -> dict[str, list[_Item]]:
    groups: dict[str, list[_Item]] = {}
    for key, item in items:
        groups.setdefault(key, []).append(item)
    return groups


def _named(names: Sequence[str]) -> str:
    """Name the first images of a group."""
    shown = ', '.join(names[:NAMED])
    return shown if len(names) <= NAMED else f'{shown} and {len(names) - NAMED} more'
