"""Folders of PaddleOCR models: their required files, and their description for PaddleOCR 3.

A set of models is a folder with one folder each for the detector, the recognizer and the direction classifier. PaddleOCR
downloads a file that it misses, so everything is checked before PaddleOCR starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cell_vision.ocr.engines.base import EngineError

__all__ = ['MODELS_FOLDER', 'PaddleModel', 'paddle_models', 'role_of']

ROLES = {'det': ('det',), 'rec': ('rec',), 'cls': ('cls', 'ori')}
"""Role -> words in the name of its folder, as in the archives of PaddleOCR (PP-OCRv4_mobile_det, ..._textline_ori)."""
TITLES = {'det': 'text detector', 'rec': 'text recognizer', 'cls': 'direction classifier'}
WEIGHTS = 'inference.pdiparams'
GRAPHS = ('inference.json', 'inference.pdmodel')
DESCRIPTION = 'inference.yml'
MODELS_FOLDER = 'models'
"""Default folder of the models, below the worker's environment."""
HELP = 'import them with "cell models import", or correct parameter model_dir'
# Mean and deviation of ImageNet, with which the detectors of PaddleOCR were trained.
_NORMALIZE = {'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'scale': '1./255.', 'order': 'hwc'}
_DECODE = {'DecodeImage': {'channel_first': False, 'img_mode': 'BGR'}}


@dataclass(frozen=True)
class PaddleModel:
    """One model of a set.

    Attributes:
        role: "det", "rec" or "cls".
        folder: Folder of its files.
        name: Name in PaddleOCR 3, e.g. "PP-OCRv4_mobile_rec"; "" for a model without description
            (PaddleOCR 2).
        characters: Alphabet of the recognizer; empty for a model without description.
    """

    role: str
    folder: Path
    name: str = ''
    characters: tuple[str, ...] = ()


def role_of(name: str) -> str:
    """Return the role that the name of a folder denotes, "" when it denotes none.

    Args:
        name: Words separated by "_" or "-", in any case.
    """
    words = name.lower().replace('-', '_').split('_')
    return next((role for role, marks in ROLES.items() if any(mark in words for mark in marks)), '')


def paddle_models(folder: Path, major: int) -> dict[str, PaddleModel]:
    """Check a set of models.

    Args:
        folder: Contains a folder for each model.
        major: Release of PaddleOCR: 2 or 3.

    Returns:
        Role -> model, all three.

    Raises:
        EngineError: A file or folder is missing, duplicated or damaged.
    """
    if not folder.is_dir():
        raise EngineError(f'the folder of the PaddleOCR models is missing: {folder}; {HELP}')
    found: dict[str, list[Path]] = {role: [] for role in ROLES}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if role := role_of(inner.name):
            found[role].append(inner)
    for role, folders in found.items():
        if len(folders) != 1:
            wrong = f'contains {len(folders)} of them ({", ".join(path.name for path in folders)})' if folders else 'has none'
            raise EngineError(f'the {TITLES[role]} must be in a folder "{role}" of {folder}, which {wrong}; {HELP}')
    return {role: _model(role, folders[0], major) for role, folders in found.items()}


def _model(role: str, folder: Path, major: int) -> PaddleModel:
    """Check the files of one model.

    Args:
        role: "det", "cls" or "rec".
        folder: Folder of the model.
        major: Release of PaddleOCR, 2 or 3; release 3 wants a description in the folder.

    Raises:
        EngineError: A file is missing or empty; names all of them.
    """
    graphs = GRAPHS if major >= 3 else GRAPHS[1:]  # PaddleOCR 2.10 downloads a model whose folder has no .pdmodel.
    wanted = [WEIGHTS, *([DESCRIPTION] if major >= 3 else [])]
    missing = [name for name in wanted if not _filled(folder / name)]
    if not any(_filled(folder / name) for name in graphs):
        missing.append(' or '.join(graphs))
    if missing:
        raise EngineError(f'the {TITLES[role]} in {folder} lacks {", ".join(missing)}; {HELP}')
    return read_description(role, folder)


def read_description(role: str, folder: Path) -> PaddleModel:
    """Return a model with its name and alphabet from inference.yml; models of PaddleOCR 2 have no such file.

    Args:
        role: "det", "rec" or "cls".
        folder: Folder of the model.

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
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f'{path} is damaged ({error!r}); {HELP}') from error


def _filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def render_description(role: str, characters: Sequence[str]) -> dict[str, object]:
    """Return the inference.yml that PaddleOCR 3 requires for a PP-OCRv4 mobile model of the older format.

    Args:
        role: "det", "rec" or "cls".
        characters: Alphabet of the recognizer.
    """
    if role == 'det':
        return {
            'Global': {'model_name': 'PP-OCRv4_mobile_det'},
            'PreProcess': {
                'transform_ops': [
                    _DECODE,
                    {'DetResizeForTest': {'resize_long': 960}},
                    {'NormalizeImage': _NORMALIZE},
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
    normalize = {**_NORMALIZE, 'scale': 1 / 255, 'channel_num': 3, 'order': ''}
    return {
        'Global': {'model_name': 'PP-LCNet_x0_25_textline_ori'},
        'PreProcess': {
            'transform_ops': [{'ResizeImage': {'size': [192, 48]}}, {'NormalizeImage': normalize}, {'ToCHWImage': None}]
        },
        'PostProcess': {'Topk': {'topk': 1, 'label_list': ['0_degree', '180_degree']}},
    }
