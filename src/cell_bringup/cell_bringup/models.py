"""`cell models`: which OCR engines and models are installed, whether they read, and how models come into the cell.

Engine paddleocr has an environment of its own, so its packages are looked up by its own interpreter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from cell_vision.ocr.engines.base import ENGINES, EngineError
from cell_vision.ocr.engines.model_check import check_engine
from cell_vision.ocr.engines.model_files import model_folder
from cell_vision.ocr.engines.model_import import import_models, model_files, modified_files, onnx_alphabet
from cell_vision.ocr.engines.paddle_models import MODELS_FOLDER, paddle_models
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

MEGABYTE = 1_000_000
PADDLE = 'paddleocr'
PACKAGES = {
    'ppocr': ('rapidocr', 'openvino', 'onnxruntime'),
    'rapidocr': ('rapidocr', 'openvino', 'onnxruntime'),
    PADDLE: ('paddleocr', 'paddlepaddle'),
}
_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def work_with_models(options: argparse.Namespace, console: Console) -> int:
    """Run `cell models list`, `check` or `import`.

    Args:
        options: Of `cell_bringup.models_arguments`.
        console: Output.

    Returns:
        Exit code: 1 when a model is missing, altered or unusable.
    """
    try:
        if options.action == 'list':
            return _list(options, console)
        return _check(options, console) if options.action == 'check' else _import(options, console)
    except (EngineError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True, highlight=False)
        return 1


def installed(python: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return name -> release of the packages that an interpreter has.

    Args:
        python: Path of the interpreter; "" = this one.
        names: Distribution names.

    Raises:
        EngineError: It is not there or is no Python.
    """
    # -I: PYTHONPATH of a sourced workspace would show its packages in place of the interpreter's own.
    command = [python or sys.executable, '-I', '-c', _ASK, *names]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        return {str(name): str(release) for name, release in json.loads(said).items()}
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EngineError(f'{command[0]} is no Python interpreter: give the path of one with --python') from error


def paddle_folder(python: str, folder: Path | None) -> Path:
    """Return where PaddleOCR's models are looked for.

    Args:
        python: Interpreter of the worker; "" = this one.
        folder: Chosen folder; None = the one in the interpreter's environment.
    """
    home = Path(python).absolute().parent.parent if python else Path(sys.prefix)
    return folder or home / MODELS_FOLDER


def _folder_of(engine: str, options: argparse.Namespace) -> Path:
    if engine == PADDLE:
        return paddle_folder(options.python, options.folder)
    return model_folder('')


def _libraries(engine: str, options: argparse.Namespace) -> dict[str, str]:
    """Return what is installed for an engine; empty when its own package is not."""
    found = installed(options.python if engine == PADDLE else '', PACKAGES[engine])
    return found if PACKAGES[engine][0] in found else {}


def _state(engine: str, options: argparse.Namespace) -> tuple[str, str]:
    """Return what is installed for an engine, and an error message with its remedy ("" = none)."""
    found = _libraries(engine, options)
    shown = ', '.join(f'{name} {release}' for name, release in found.items()) or 'not installed'
    if not found:
        return shown, 'run "make paddleocr"; name its interpreter with --python' if engine == PADDLE else 'run "make setup"'
    try:
        folder = _folder_of(engine, options)
        if engine == PADDLE:
            paddle_models(folder, int(found[PADDLE].split('.', 1)[0]))
            if altered := modified_files(folder):
                return shown, f'not as imported: {", ".join(altered)}; import the models again'
    except EngineError as error:
        return shown, str(error)
    return shown, ''


def _list(options: argparse.Namespace, console: Console) -> int:
    """Print engines and their libraries, then the files of each model folder with their checksums."""
    engines = Table('engine', 'libraries', Column('models', overflow='fold'), 'state')
    folders = []
    for engine in ENGINES:
        shown, error = _state(engine, options)
        folder = _folder_of(engine, options)
        engines.add_row(engine, *map(escape, (shown, str(folder), error or 'ok')))
        folders += [folder] if folder.is_dir() and folder not in folders else []
    console.print(engines)
    for folder in folders:
        files = Table('file', 'MB', Column('SHA-256', overflow='fold'), title=str(folder), title_justify='left')
        for file in model_files(folder):
            files.add_row(escape(file.name), f'{file.size / MEGABYTE:.1f}', file.sha256)
        console.print(files)
    return 0


def _check(options: argparse.Namespace, console: Console) -> int:
    """Let each engine read a drawn label, in a process of its own as in the cell; return 1 if one cannot."""
    wanted = [options.engine] if options.engine else [engine for engine in ENGINES if _libraries(engine, options)]
    bad = 0
    for engine in wanted:
        _, error = _state(engine, options)
        if not error:
            folder = str(_folder_of(engine, options)) if engine == PADDLE else ''
            python = options.python if engine == PADDLE else ''
            done = check_engine(['--engine', engine, '--model-dir', folder], python)
            error = done.error
        if error:
            bad += 1
            console.print(f'[red]{engine}: {escape(str(error))}[/]', soft_wrap=True, highlight=False)
        else:
            figures = f'started in {done.start_s:.1f} s, read in {done.read_s * 1000:.0f} ms, {done.memory // MEGABYTE} MB'
            console.print(
                f'[green]ok[/] {engine}: {done.engine} read {escape(", ".join(done.texts))}; {figures}',
                soft_wrap=True,
                highlight=False,
            )
    return 1 if bad else 0


def _import(options: argparse.Namespace, console: Console) -> int:
    """Import models, and print the parameters that select them."""
    folder = paddle_folder(options.python, options.folder)
    files = import_models(options.source, folder, onnx_alphabet)
    console.print(
        f'{len(files)} files, {sum(file.size for file in files) / MEGABYTE:.1f} MB, in {folder}',
        soft_wrap=True,
        highlight=False,
    )
    console.print(
        f'Set for the ocr node: engine: paddleocr, model_dir: {folder}'
        + (f', engine_python: {options.python}' if options.python else ''),
        soft_wrap=True,
        highlight=False,
    )
    return 0
