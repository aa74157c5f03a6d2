"""The folders of models that PaddleOCR reads: what must be in them, and how they are described to PaddleOCR 3.

A set of models is one folder with a folder for each of detector, recogniser and direction classifier in it. PaddleOCR tries a
download when it misses a file; so everything is checked before it is told anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cell_vision.ocr.engines.base import EngineError

ROLES = {'det': ('det',), 'rec': ('rec',), 'cls': ('cls', 'ori')}
"""Role -> how its folder's name is told: as PaddleOCR's own archives are named (PP-OCRv4_mobile_det, ..._textline_ori)."""
TITLES = {'det': 'text detector', 'rec': 'text recogniser', 'cls': 'direction classifier'}
WEIGHTS = 'inference.pdiparams'
GRAPHS = ('inference.json', 'inference.pdmodel')
DESCRIPTION = 'inference.yml'
HELP = 'bring them there with "cell models import", or correct parameter model_dir'
_NORMALISE = {'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'scale': '1./255.', 'order': 'hwc'}
_DECODE = {'DecodeImage': {'channel_first': False, 'img_mode': 'BGR'}}


@dataclass(frozen=True)
class PaddleModel:
    """One model of a set."""

    role: str
    """"det", "rec" or "cls"."""
    folder: Path
    name: str = ''
    """As PaddleOCR 3 knows it, e.g. "PP-OCRv4_mobile_rec"; "" when nothing describes it (PaddleOCR 2)."""
    characters: tuple[str, ...] = ()
    """The recogniser's alphabet; empty when nothing describes it."""


def role_of(name: str) -> str:
    """Return the role that a folder's name tells, "" when it tells none."""
    words = name.lower().replace('-', '_').split('_')
    return next((role for role, marks in ROLES.items() if any(mark in words for mark in marks)), '')


def paddle_models(folder: Path, major: int) -> dict[str, PaddleModel]:
    """Check a set of models.

    Args:
        folder: Holds the models' folders.
        major: Of PaddleOCR's release: 2 or 3.

    Returns:
        Role -> model, all three.

    Raises:
        EngineError: A file or folder is missing, doubled or damaged; the text names it and what to do.
    """
    if not folder.is_dir():
        raise EngineError(f"the folder of PaddleOCR's models is missing: {folder}; {HELP}")
    found: dict[str, list[Path]] = {role: [] for role in ROLES}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if role := role_of(inner.name):
            found[role].append(inner)
    for role, folders in found.items():
        if len(folders) != 1:
            wrong = f'holds {len(folders)} of them ({", ".join(path.name for path in folders)})' if folders else 'holds none'
            raise EngineError(f'the {TITLES[role]} must stand in a folder "{role}" of {folder}, which {wrong}; {HELP}')
    return {role: _model(role, folders[0], major) for role, folders in found.items()}


def _model(role: str, folder: Path, major: int) -> PaddleModel:
    graphs = GRAPHS if major >= 3 else GRAPHS[1:]  # PaddleOCR 2.10 takes a folder without .pdmodel for one to download.
    wanted = [WEIGHTS, *([DESCRIPTION] if major >= 3 else [])]
    missing = [name for name in wanted if not _filled(folder / name)]
    if not any(_filled(folder / name) for name in graphs):
        missing.append(' or '.join(graphs))
    if missing:
        raise EngineError(f'the {TITLES[role]} in {folder} lacks {", ".join(missing)}; {HELP}')
    return described(role, folder)


def described(role: str, folder: Path) -> PaddleModel:
    """Return what the description beside a model says of it; a model without one is PaddleOCR 2's.

    Raises:
        EngineError: The description is damaged.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        return PaddleModel(role, folder)
    try:
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
        name = str(data['Global']['model_name'])
        characters = data.get('PostProcess', {}).get('character_dict') or ()
        return PaddleModel(role, folder, name, tuple(map(str, characters)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as problem:
        raise EngineError(f'{path} is damaged ({problem!r}); {HELP}') from problem


def _filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def description(role: str, characters: Sequence[str]) -> dict[str, Any]:
    """Return what PaddleOCR 3 wants to find beside a PP-OCRv4 mobile model of Paddle's older format (inference.yml).

    Args:
        role: "det", "rec" or "cls".
        characters: The recogniser's alphabet.
    """
    if role == 'det':
        return {
            'Global': {'model_name': 'PP-OCRv4_mobile_det'},
            'PreProcess': {
                'transform_ops': [
                    _DECODE,
                    {'DetResizeForTest': {'resize_long': 960}},
                    {'NormalizeImage': _NORMALISE},
                    {'ToCHWImage': None},
                ]
            },
            'PostProcess': {
                'name': 'DBPostProcess',
                'thresh': 0.3,
                'box_thresh': 0.6,
                'max_candidates': 1000,
                'unclip_ratio': 1.5,
            },
        }
    if role == 'rec':
        return {
            'Global': {'model_name': 'PP-OCRv4_mobile_rec'},
            'PreProcess': {'transform_ops': [_DECODE, {'RecResizeImg': {'image_shape': [3, 48, 320]}}]},
            'PostProcess': {'name': 'CTCLabelDecode', 'character_dict': list(characters)},
        }
    normalise = {**_NORMALISE, 'scale': 1 / 255, 'channel_num': 3, 'order': ''}
    return {
        'Global': {'model_name': 'PP-LCNet_x0_25_textline_ori'},
        'PreProcess': {
            'transform_ops': [{'ResizeImage': {'size': [192, 48]}}, {'NormalizeImage': normalise}, {'ToCHWImage': None}]
        },
        'PostProcess': {'Topk': {'topk': 1, 'label_list': ['0_degree', '180_degree']}},
    }
