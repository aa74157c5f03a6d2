from pathlib import Path

import pytest
import yaml
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue, parse_catalogue

CONFIG = Path(__file__).resolve().parents[3] / 'config'
FLOW_TRAYS = f'trays: [{", ".join(["{count: 1, capacity: 4, low: 1}"] * 4)}]'
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
        (part(letter='AB'), 'letter must be one of'),
        (part(number='has blank'), 'part_number must be'),
        (part(number=7400), 'must be text; put it in quotes'),
        (part(unit_weight=-1), 'unit_weight'),
        (part(color='red'), 'unknown key "color"'),
        ({**part(), 'trays': []}, 'trays must be a list of 1 to 255'),
        ({**part(), 'trays': TRAYS[:1] * 256}, 'trays must be a list of 1 to 255'),
        ({**part(), 'trays': [{'count': 9, 'capacity': 4, 'low': 1}] * 4}, 'must not be more than capacity'),
        ('EM1-2U1', 'is not a mapping'),
    ],
)
def test_a_bad_entry_is_named(entry, message):
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue({'parts': [entry]})


@pytest.mark.parametrize('letter', ['P', 'R', 'B', 'H'])
def test_a_part_may_have_the_usual_letter_of_an_event_which_then_needs_another(letter):
    assert parse_catalogue({'parts': [part(letter=letter)]}).parts['EM1-2U1'].letter == letter


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
    text = (CONFIG / 'parts.yaml').read_text().replace("letter: 'C'", "letter: 'D'").replace('low: 4', 'low: 40', 1)
    path.write_text(text)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    lines = text.splitlines()
    tray = next(number for number, line in enumerate(lines, 1) if 'low: 40' in line)
    letter = next(number for number, line in enumerate(lines, 1) if "letter: 'D'" in line)
    assert f'line {tray}: part 1 (EM1-2U1): tray 1: count and low must not be more than capacity' in str(caught.value)
    assert f'line {letter}: part 2 (EM1-2U4): letter D is reserved for START_PROGRAM' in str(caught.value)


def test_a_letter_and_a_text_may_be_written_without_quotes():
    parsed = parse_catalogue({'parts': [part(letter=7, prints=[4711])]}).parts['EM1-2U1']
    assert (parsed.letter, parsed.prints) == ('7', ('4711',))


@pytest.mark.parametrize(
    ('prints', 'message'),
    [
        (
            'prints: G2R1SND',
            r"line 3: part 1 \(G2R-1-SND\): prints must be a list of texts, each in quotes: prints: \['G2R1SND'\]",
        ),
        ("prints: ['']", 'no letter or digit: remove it'),
        ("prints: ['  ']", 'no letter or digit: remove it'),
        ("prints: ['--']", 'no letter or digit: remove it'),
        ('prints: [null]', 'must be text; put it in quotes'),
        ('prints: [~, A1]', 'must be text; put it in quotes'),
        ('prints: [0104]', "YAML reads 0104 as the number 68: put it in quotes, '0104'"),
        ('prints: [1.50]', "YAML reads 1.50 as the number 1.5: put it in quotes, '1.50'"),
        ('prints: [12:30]', 'YAML reads 12:30 as the number 750'),
        ('prints: [0x1F]', 'YAML reads 0x1F as the number 31'),
        ('prints: [1_000]', 'YAML reads 1_000 as the number 1000'),
        ('prints: [NO]', 'must be text; put it in quotes'),
        ('prints: [2024-01-02]', 'must be text; put it in quotes'),
        ('prints: [[A1]]', 'must be text; put it in quotes'),
        ('prints: {A1: B}', 'prints must be a list of texts'),
        ('prints: 7', 'prints must be a list of texts'),
        ('prints: [A1]\n    prints: [B1]', r'line 4: key "prints" is given twice, first in line 3: keep one of them'),
        ("ignore: ['']", 'also matches where nothing is printed'),
        ("ignore: ['.*']", 'also matches where nothing is printed'),
        ("tells_apart: ['(KESTREL)?']", 'also matches where nothing is printed'),
        (
            'tells_apart: KESTREL',
            r"tells_apart must be a list of regular expressions, each in quotes: tells_apart: \['KESTREL'\]",
        ),
        ("also: ['24 ?VDC', '(']", 'is no regular expression'),
        ('also: 24VDC', 'also must be a list of regular expressions'),
        ('prefixes: [SN, 0104]', 'YAML reads 0104 as the number 68'),
        ('suffixes: [null]', 'must be text; put it in quotes'),
        ('description: null', 'must be text; put it in quotes'),
        ('unit_weight: "0.04"', 'must be a number'),
        ('unit_weight: .nan', 'unit_weight'),
        ('code: null', 'code must be the text'),
        ('note: new', 'unknown key "note"'),
    ],
)
def test_each_value_of_the_file_is_checked_and_the_message_names_line_and_remedy(tmp_path, prints, message):
    path = tmp_path / 'parts.yaml'
    path.write_text(f"parts:\n  - part_number: G2R-1-SND\n    {prints}\n    letter: 'A'\n    {FLOW_TRAYS}\n")
    with pytest.raises(CatalogueError, match=message) as caught:
        load_catalogue(path)
    assert 'line 3' in str(caught.value) or 'line 4' in str(caught.value)


@pytest.mark.parametrize(
    ('count', 'message'),
    [('0104', 'YAML reads 0104 as 68'), ('1:30', 'as 90'), ('"3"', 'whole number'), ('2.0', 'whole'), ('yes', 'whole')],
)
def test_a_count_that_yaml_reads_otherwise_than_a_person_is_refused(tmp_path, count, message):
    path = tmp_path / 'parts.yaml'
    trays = ', '.join([f'{{count: {count}, capacity: 100, low: 1}}'] * 4)
    path.write_text(f"parts:\n  - part_number: G2R-1-SND\n    letter: 'A'\n    trays: [{trays}]\n")
    with pytest.raises(CatalogueError, match=message):
        load_catalogue(path)


def test_all_errors_of_a_file_are_reported_together_each_with_its_line(tmp_path):
    path = tmp_path / 'parts.yaml'
    entries = [
        ('A1-100', "'A'", 'prints: A1100'),
        ('A1-200', "'A'", "code: 'X1'"),
        ('A1-200', "'C'", "code: 'X.'"),
        ('---', "'E'", "also: ['']"),
    ]
    path.write_text(
        'parts:\n'
        + ''.join(
            f'  - part_number: {number}\n    letter: {letter}\n    {more}\n    {FLOW_TRAYS}\n'
            for number, letter, more in entries
        )
    )
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    for message in (
        'line 4: part 1 (A1-100): prints must be',
        'line 7: letter "A" is used 2 times (also in line 3): give each part a letter of its own',
        'line 10: part_number "A1-200" is used 2 times (also in line 6): keep one of them',
        'also matches that of A1-200: make them differ',
        'part_number "---" has no letter or digit',
        'also matches where nothing is printed',
    ):
        assert message in str(caught.value), message


def test_text_that_must_stand_beside_the_number_is_kept():
    assert parse_catalogue({'parts': [part(also=['24 ?VDC'])]}).parts['EM1-2U1'].required_patterns == ('24 ?VDC',)


@pytest.mark.parametrize('number', [1, 2, 12, 255])
def test_a_part_has_any_number_of_trays(number):
    [loaded] = parse_catalogue({'parts': [{**part(), 'trays': TRAYS[:1] * number}]}).parts.values()
    assert [tray.tray for tray in loaded.trays] == list(range(1, number + 1))
