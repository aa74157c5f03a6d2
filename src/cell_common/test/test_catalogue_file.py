from pathlib import Path

import pytest
import yaml
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue, parse_catalogue

CONFIG = Path(__file__).resolve().parents[3] / 'config'
TRAYS = [{'count': 1, 'capacity': 4, 'low': 1}] * 4


def part(number='EM1-2U1', letter='A', **more):
    return {'part_number': number, 'letter': letter, 'trays': TRAYS, **more}


def test_the_shipped_catalogue_loads_without_twins():
    catalogue = load_catalogue(CONFIG / 'parts.yaml')
    assert len(catalogue.parts) >= 20
    assert {'EM1-2U1', 'G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'HF115F-024'} <= set(catalogue.parts)
    assert not catalogue.warnings


def test_twins_that_print_alike_are_named():
    catalogue = load_catalogue(CONFIG / 'parts_with_twins.yaml')
    assert 'EM1-2U1 and EM1-2UI print alike' in catalogue.warnings[0]


def test_the_first_stock_comes_from_the_trays():
    parsed = parse_catalogue({'parts': [part(unit_weight=0.038, prints=['SNEM1-2U1'])]}).parts['EM1-2U1']
    assert [tray.count for tray in parsed.trays] == [1, 1, 1, 1]
    assert parsed.printed_text == ('EM1-2U1', 'SNEM1-2U1')


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        (part(letter='D'), 'letter D is reserved for START_PROGRAM'),
        (part(letter='P'), 'letter P is reserved for PLACE'),
        (part(letter='AB'), 'letter must be one of'),
        (part(number='has blank'), 'part_number must be'),
        (part(number=7400), 'must be text; put it in quotes'),
        (part(unit_weight=-1), 'unit_weight'),
        (part(color='red'), 'unknown key "color"'),
        ({**part(), 'trays': TRAYS[:3]}, 'trays must be a list of 4'),
        ({**part(), 'trays': [{'count': 9, 'capacity': 4, 'low': 1}] * 4}, 'must not be more than capacity'),
        ('EM1-2U1', 'is not a mapping'),
    ],
)
def test_a_bad_entry_is_named(entry, message):
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue({'parts': [entry]})


def test_a_part_may_name_its_barcode_and_need_not():
    parts = parse_catalogue({'parts': [part(code='EM1-2U1(;.*)?'), part('EM1-2U4', 'C')]}).parts
    assert (parts['EM1-2U1'].code, parts['EM1-2U4'].code) == ('EM1-2U1(;.*)?', '')


@pytest.mark.parametrize(
    ('code', 'message'),
    [('EM1(', 'no regular expression'), (4711, 'in quotes'), ('.*', 'in quotes'), (['EM1-2U1'], 'in quotes')],
)
def test_a_barcode_that_is_no_pattern_or_fits_anything_is_rejected(code, message):
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue({'parts': [part(code=code)]})


@pytest.mark.parametrize('other', ['EM1-2U1', 'EM1-2U.'])
def test_two_parts_with_ambiguous_barcodes_are_rejected(other):
    with pytest.raises(CatalogueError, match='make them differ'):
        parse_catalogue({'parts': [part(code='EM1-2U1'), part('EM1-2U4', 'C', code=other)]})


def test_all_errors_are_reported_together():
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue({'parts': [part(), part(), part('X', 'D')]})
    assert 'part_number "EM1-2U1" is used 2 times' in str(caught.value)
    assert 'letter D is reserved' in str(caught.value)


def test_a_file_that_is_not_there_names_the_parameter(tmp_path):
    with pytest.raises(CatalogueError, match='Check parameter catalogue_file'):
        load_catalogue(tmp_path / 'none.yaml')


@pytest.mark.parametrize('text', ['parts: [', 'parts: []', '[]', '', yaml.safe_dump({'parts': 3})])
def test_a_file_without_parts_is_rejected(tmp_path, text):
    path = tmp_path / 'parts.yaml'
    path.write_text(text)
    with pytest.raises(CatalogueError, match=r'parts\.yaml'):
        load_catalogue(path)


def test_an_error_names_its_line_and_its_part(tmp_path):
    path = tmp_path / 'parts.yaml'
    path.write_text((CONFIG / 'parts.yaml').read_text().replace("letter: 'C'", "letter: 'P'").replace('low: 4', 'low: 40', 1))
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    assert 'line 15: part 1 (EM1-2U1): tray 1: count and low must not be more than capacity' in str(caught.value)
    assert 'line 21: part 2 (EM1-2U4): letter P is reserved for PLACE' in str(caught.value)


def test_a_letter_and_a_text_may_be_written_without_quotes():
    parsed = parse_catalogue({'parts': [part(letter=7, prints=[4711])]}).parts['EM1-2U1']
    assert (parsed.letter, parsed.prints) == ('7', ('4711',))
