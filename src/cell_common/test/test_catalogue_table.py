from pathlib import Path

import pytest
import yaml
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue, parse_catalogue
from cell_common.catalogue_table import catalogue_csv, catalogue_yaml, changed_parts, parse_catalogue_csv
from hypothesis import given
from hypothesis import strategies as st

CATALOGUE = Path(__file__).resolve().parents[3] / 'config' / 'parts.yaml'
TRAYS = [{'count': 1, 'capacity': 9, 'low': 0}, {'count': 2, 'capacity': 9, 'low': 1}]
TITLES = 'part_number,letter,unit_weight,count 1,capacity 1,low 1'


def parts(**more):
    return parse_catalogue({'parts': [{'part_number': 'EM1-2U1', 'letter': 'A', 'trays': TRAYS, **more}]})


@pytest.mark.parametrize(
    'catalogue',
    [
        load_catalogue(CATALOGUE),
        parts(
            description='Relais "24 V"; 1 Wechsler, größer', prints=['SN EM1', '=EM1'], ignore=['[0-9]{4}|A', '-x'], code="'EM1"
        ),
        parts(prefixes=[], suffixes=['-P[0-9]'], also=['24 ?VDC'], tells_apart=['@x'], unit_weight=0.0385, letter='N'),
        parts(part_number='0104', letter='7', trays=TRAYS * 6),
    ],
)
@pytest.mark.parametrize('coding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_a_table_and_a_file_give_the_same_parts_again(catalogue, coding):
    assert parse_catalogue_csv(catalogue_csv(catalogue).encode(coding)).parts == catalogue.parts
    assert parse_catalogue(yaml.safe_load(catalogue_yaml(catalogue))).parts == catalogue.parts


@given(st.text(st.characters(exclude_categories=('Cs', 'Cc')), max_size=40))
def test_any_description_survives(text):
    catalogue = parts(description=text.strip())
    assert parse_catalogue_csv(catalogue_csv(catalogue).encode()).parts == catalogue.parts


@pytest.mark.parametrize(
    'data',
    [
        'part_number;letter;unit_weight;count 1;capacity 1;low 1\r\nEM1-2U1;A;0,038;3;9;1\r\n',
        '\ufeffPart_Number\tLetter\tUnit_Weight\tCount 1\tCapacity 1\tLow 1\nEM1-2U1\tA\t0.038\t3\t9\t1\n\t\t\n',
        'sep=;\r\npart_number;letter;unit_weight;count1;capacity1;low1;;\r\n EM1-2U1 ;A;0,038;3;9;1;;\r\n;;;;;;;\r\n',
        'letter,part_number,unit_weight,capacity 1,count 1,low 1\n"A","EM1-2U1","0,038",9,3,1',
    ],
)
def test_spreadsheets_of_other_languages_are_read(data):
    [part] = parse_catalogue_csv(data.encode()).parts.values()
    assert (part.part_number, part.letter, part.unit_weight) == ('EM1-2U1', 'A', 0.038)
    assert [(tray.count, tray.capacity, tray.low) for tray in part.trays] == [(3, 9, 1)]


def test_the_code_page_of_windows_is_read():
    data = f'{TITLES},description\nEM1,A,0,1,2,0,größer\n'.encode('cp1252')
    assert parse_catalogue_csv(data).parts['EM1'].description == 'größer'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'the table is empty'),
        ('part_number\nEM1\n', 'column "letter" is missing'),
        ('part_number,letter,letter\n', 'column "letter" is there twice'),
        ('part_number,letter,weight\n', 'column "weight" is not known'),
        ('part_number,letter\n', 'at least one part'),
        (f'{TITLES}\nEM1,A,0,1,2,0\nEM2,C,38 g,1,2,0\n', r'row 3 \(EM2\): unit_weight is 38 g'),
        (f'{TITLES}\nEM1,A,"1.234,5",1,2,0\n', 'row 2 .*unit_weight is 1.234,5'),
        (f'{TITLES}\nEM1,A,0,1.5,2,0\n', 'row 2 .*count 1 is 1.5'),
        (f'{TITLES}\nEM1,A,0,-1,2,0\n', 'row 2 .*count 1 is -1'),
        (f'{TITLES}\n"1,00E+05",A,0,1,2,0\n', 'row 2 .*shortened by a spreadsheet'),
        (f'{TITLES}\nEM1,A,0,5,2,0\n', r'row 2: part 1 \(EM1\): tray 1.*capacity'),
        (f'{TITLES}\nEM1,A,0,1,2,0\n,,,,,\nEM1,C,0,1,2,0\n', 'row 4: part_number "EM1" is used 2 times .also in row 2'),
        (f'{TITLES}\nEM1,A,0,1,2,0\nEM2,D,0,1,2,0\n', 'row 3: .*letter D is reserved'),
        (f'{TITLES}\nEM1,,0,1,2,0\n', 'row 2: .*letter must be one of'),
        (f'{TITLES},count 3,capacity 3\nEM1,A,0,1,2,0,1,2\n', 'trays 1, 3 are given'),
        (f'{TITLES}\nEM1,A,0,1,2,0,4\n', 'row 2: 7 cells, 6 titles'),
        (f'{TITLES}\n"EM1,A\n', 'cannot be read'),
        (f'{TITLES},ignore\nEM1,A,0,1,2,0,(\n', 'row 2: .*no regular expression'),
    ],
)
def test_an_error_names_its_row_or_column(text, message):
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue_csv(text.encode())


def test_all_errors_are_listed_together():
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue_csv(f'{TITLES}\nEM1,A,x,1,2,0\nEM2,C,0,y,2,0\n'.encode())
    assert 'row 2' in str(caught.value) and 'row 3' in str(caught.value)


def test_changes_are_named_by_part_and_key():
    before = parse_catalogue(
        {'parts': [{'part_number': n, 'letter': letter, 'trays': TRAYS} for n, letter in (('A1', 'A'), ('C1', 'C'))]}
    )
    after = parse_catalogue(
        {'parts': [{'part_number': 'A1', 'letter': 'E', 'unit_weight': 1.0}, {'part_number': 'F1', 'letter': 'F'}]}
    )
    assert changed_parts(before, after) == ['F1 is new', 'C1 is removed', 'A1: letter, unit_weight, trays changed']
    assert changed_parts(before, before) == []
