from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.catalogue_notes import catalogue_notes
from cell_vision.matching.default_weights import load_weights

SUFFIXES = 'until the catalogue names the suffix'


def notes(*numbers: str, **rules: str) -> list[str]:
    return catalogue_notes(Catalogue({number: Part(number, 'A', (), **rules) for number in numbers}), load_weights())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('numbers', 'says'),
    [
        (('MY4N', 'MY4N-J'), 'MY4N is the beginning or end of MY4N-J'),
        (('G2R-1', 'XG2R-1'), 'G2R-1 is the beginning or end of XG2R-1'),
        (('74LS12', '74LS112'), '74LS112 is 74LS12 with one character more'),
        (('9060-8', '8-0906'), '8-0906 and 9060-8 turn into each other upside down'),
        (('A1',), 'too short to be read alone'),
        (('A\u00df-100',), 'does not know'),
    ],
)
def test_each_note_names_the_numbers_and_a_remedy(numbers, says):
    (sentence,) = [note for note in notes(*numbers) if SUFFIXES not in note]
    assert says in sentence and 'code' in sentence


def test_distinct_numbers_need_no_note_and_a_code_helps_a_short_one():
    assert all(SUFFIXES in note for note in notes('74LS190', '74LS191', 'DT04-2P'))
    assert notes('A1', code='A1;.*') == []


def test_numbers_whose_package_letters_are_assumed_are_named_once():
    (sentence,) = notes('74LS190', '74LS191')
    assert sentence.startswith('74LS190 and other such numbers') and SUFFIXES in sentence
    assert notes('DT04-2P') == [] and notes('74LS190', suffixes=('N', 'B1')) == []
