from __future__ import annotations

from pathlib import Path

import pytest
from cell_common.catalogue import Catalogue, parse_catalogue
from cell_common.testing import *

PART_NUMBERS = ('EM1-2U1', 'EM1-2U4', 'G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'DT04-2P')


@pytest.fixture
def catalogue() -> Catalogue:
    trays = [{'count': 5, 'capacity': 10, 'low': 2}] * 4
    return parse_catalogue({'parts': [
        {'part_number': name, 'letter': letter, 'trays': trays} for name, letter in zip(PART_NUMBERS, 'ACEFGI', strict=True)]})


@pytest.fixture
def catalogue_file(tmp_path: Path) -> Path:
    trays = '[' + ', '.join(['{count: 5, capacity: 10, low: 2}'] * 4) + ']'
    file = tmp_path / 'parts.yaml'
    file.write_text('parts:\n' + ''.join(f'  - {{part_number: {name}, letter: {letter}, trays: {trays}}}\n'
                                         for name, letter in zip(PART_NUMBERS, 'ACEFGI', strict=True)))
    return file
