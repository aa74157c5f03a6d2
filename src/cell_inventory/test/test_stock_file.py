import json

import pytest
from cell_inventory.json_lines import printable
from cell_inventory.stock_file import Form, StockFileError, capacities_of, parse_stock, read_stock, write_stock

FULL = """{
  "default": {"EM1-2U1": [3, 2, 0, 0], "G8NB-17SR": [5, 5, 5, 5]},
  "current": {"EM1-2U1": [1, 2, 0, 0], "G8NB-17SR": [5, 5, 5, 4]},
  "job": {"part_number": "EM1-2U1", "quantity": 2, "note": "kept"},
  "site": [1, 2]
}
"""
MAPPING = '{"EM1-2U1": [1, 2, 0, 0], "G8NB-17SR": [5, 5, 5, 4]}'
ARRAY = """[{"part_number": "EM1-2U1", "tray1": 1, "tray2": 2, "tray3": 0, "tray4": 0},
 {"part_number": "G8NB-17SR", "tray1": 5, "tray2": 5, "tray3": 5, "tray4": 4}]"""
EVENT = f'{{"inventory": {ARRAY}}}'
OBJECTS = '{"EM1-2U1": {"tray1": 1, "tray2": 2, "tray3": 0, "tray4": 0}, "G8NB-17SR": [5, 5, 5, 4]}'


@pytest.fixture
def capacities(catalogue):
    return capacities_of(catalogue)


@pytest.mark.parametrize(
    ('text', 'form'),
    [(FULL, Form.FULL), (MAPPING, Form.MAPPING), (OBJECTS, Form.MAPPING), (ARRAY, Form.ARRAY), (EVENT, Form.EVENT)],
)
def test_each_form_has_the_same_counts_and_keeps_its_form(capacities, text, form):
    file = parse_stock(text, capacities)
    assert file.form is form
    assert [file.counts['EM1-2U1', tray] for tray in (1, 2, 3, 4)] == [1, 2, 0, 0]
    assert file.counts['G8NB-17SR', 4] == 4
    assert parse_stock(write_stock(file), capacities) == file


def test_default_job_and_unknown_members_are_kept(capacities):
    file = parse_stock(FULL, capacities)
    written = json.loads(write_stock(file.with_counts({**file.counts, ('EM1-2U1', 1): 9})))
    before = json.loads(FULL)
    assert written['current']['EM1-2U1'] == [9, 2, 0, 0]
    assert {name: written[name] for name in ('default', 'job', 'site')} == {
        name: before[name] for name in ('default', 'job', 'site')
    }


def test_counts_alone_are_written_as_a_mapping_that_reads_back(catalogue):
    counts = {('EM1-2U1', tray): tray for tray in (1, 2, 3, 4)}
    assert json.loads(write_stock(counts)) == {'EM1-2U1': [1, 2, 3, 4]}
    assert read_stock(write_stock(counts), catalogue) == counts


def test_a_tray_that_is_not_named_has_no_count(catalogue):
    assert read_stock('{"EM1-2U1": {"tray3": 4}}', catalogue) == {('EM1-2U1', 3): 4}


def test_a_whole_number_with_a_decimal_point_is_a_count(catalogue):
    counts = read_stock('{"EM1-2U1": [1.0, 2, 0.0, 10.0]}', catalogue)
    assert list(counts.values()) == [1, 2, 0, 10] and all(isinstance(count, int) for count in counts.values())


def test_without_current_the_default_counts(catalogue):
    assert read_stock('{"default": {"EM1-2U1": [1, 2, 3, 4]}}', catalogue)['EM1-2U1', 4] == 4


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'line 1: the file is empty'),
        ('{', 'line 1: not JSON'),
        ('{"EM1-2U1": [1, 2, 0, 0],\n "G8NB-17SR": [5, 5', 'line 2: not JSON'),
        ('{"EM1-2U1": [1, 2, 0, 0]}\n}', 'line 2: not JSON'),
        ('3', 'must be an object'),
        ('"text"', 'must be an object'),
        ('{\n\n"NOPE": {}}', 'line 3: NOPE is not in the catalogue'),
        ('{"EM1-2U1": 3}', 'must be a list of 4'),
        ('{"EM1-2U1": [1, 2, 3]}', 'has 3 counts: give one for each of the 4'),
        ('{"EM1-2U1": {"tray5": 1}}', 'unknown key "tray5"'),
        ('{"EM1-2U1": [\n1,\n11,\n0,\n0]}', 'line 3: EM1-2U1 tray2 is 11: give a whole number of 0 to 10'),
        ('{"EM1-2U1": {\n"tray1": true}}', 'line 2: EM1-2U1 tray1 is true: .*0 to 10'),
        ('{"EM1-2U1": [-1, 0, 0, 0]}', 'tray1 is -1: .*0 to 10'),
        ('{"EM1-2U1": ["3", 0, 0, 0]}', 'tray1 is "3"'),
        ('{"EM1-2U1": [NaN, 0, 0, 0]}', 'NaN is not a count'),
        ('{"EM1-2U1": [1.5, 0, 0, 0]}', 'tray1 is 1.5: give a whole number'),
        ('{"EM1-2U1": [\n1e400, 0, 0, 0]}', 'line 2: 1e400 is not a count: give a whole number'),
        ('\0' * 64, 'line 1: not JSON'),
        ('// counts\n{}', 'line 1: not JSON'),
        ('{"EM1-2U1": [1, 2, 0, 0],\n}', 'line 2: not JSON'),
        ('{"EM1-2U1": [1, 2, 0, 0],\n "EM1-2U1": [9, 9, 9, 9]}', 'line 2: "EM1-2U1" is listed twice'),
        ('{"default": {\n"A": [],\n"A": []},\n"current": {\n"A": []}}', 'line 3: "A" is listed twice'),
        ('{\n"\\u00e9": [],\n"é": []}', 'line 3: "é" is listed twice'),
        ('{\n"a\\"b": [],\n"a\\"b": []}', 'line 3: "a"b" is listed twice'),
        ('{"EM1-2U1": {"tray1": 1,\n"tray1": 2}}', 'line 2: "tray1" is listed twice'),
        ('{"EM1-2U1": [\n' + '9' * 5000 + ', 0, 0, 0]}', 'line 2: a number has 5000 digits: give a whole number'),
        ('{"EM1-2U1": [\n-Infinity, 0, 0, 0]}', 'line 2: -Infinity is not a count'),
        ('{"\\ud83d\\ude00":\n["\\udead"]}', r'^line 2: "\\udead" is no valid Unicode'),
        ('{"current": {"EM1-2U1": [1, 2, 0, 0]},\n"job":\n{"\\ud800": 1}}', r'line 3: "\\ud800" is no valid Unicode'),
        ('{"current": {},\n"x": ' + '[' * 101 + ']' * 101 + '}', 'line 2: .*nested too deeply'),
        ('{"current": [1]}', 'line 1: current must be an object'),
        ('[{"part_number": "EM1-2U1"},\n {"part_number": "EM1-2U1"}]', 'line 2: EM1-2U1 is listed twice'),
        ('[{"tray1": 3}]', 'each entry must be an object with "part_number"'),
        ('{"current": {},\n "default": {"X": []}}', 'line 2: X is not in the catalogue'),
        ('[' * 100_000, 'nested too deeply'),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_line(catalogue, text, message):
    with pytest.raises(StockFileError, match=message):
        read_stock(text, catalogue)


def test_every_error_is_listed_up_to_a_limit(catalogue):
    text = json.dumps({f'NO-{number}': [] for number in range(12)})
    with pytest.raises(StockFileError) as refusal:
        read_stock(text, catalogue)
    assert str(refusal.value).count('not in the catalogue') == 10 and 'and 2 more' in str(refusal.value)


def test_a_file_names_as_many_trays_as_a_part_has(tmp_path):
    """Old files have four: a tray that the part has not may stand there with 0."""
    capacities = {'TWO': {1: 5, 2: 5}, 'SIX': dict.fromkeys(range(1, 7), 9)}
    stock = parse_stock('{"TWO": [1, 2, 0, 0], "SIX": {"tray6": 3, "tray1": 1}}', capacities)
    assert stock.counts == {('TWO', 1): 1, ('TWO', 2): 2, ('SIX', 6): 3, ('SIX', 1): 1}
    assert parse_stock('{"TWO": [1, 2], "SIX": [1, 2, 3, 4, 5, 6]}', capacities).counts['SIX', 5] == 5
    wrong = ('"TWO": [1, 2, 1, 0]', '"TWO": [1, 2, 0, 0, 0]', '"SIX": [1, 2, 3]', '"SIX": {"tray7": 1}', '"SIX": {"tray07": 1}')
    for text in wrong:
        with pytest.raises(StockFileError):
            parse_stock('{' + text + '}', capacities)


@pytest.mark.parametrize('current', ['[1, 2, 0, 0]', '{"tray1": 1, "tray2": 2, "tray3": 0, "tray4": 0}'])
def test_lists_objects_and_default_are_written_as_they_were(capacities, current):
    document = json.loads('{"default": {"EM1-2U1": {"tray2": 1}}, "current": {"EM1-2U1": ' + current + '}}')
    file = parse_stock(json.dumps(document), capacities)
    assert file.defaults == {('EM1-2U1', 2): 1}
    assert json.loads(write_stock(file)) == document


def test_a_file_without_default_gets_none(capacities):
    assert 'default' not in json.loads(write_stock(parse_stock('{"current": {"EM1-2U1": [1, 2, 0, 0]}}', capacities)))


@pytest.mark.parametrize('part_number', ['', '—'])
def test_a_cleared_job_is_read_in_both_ways_and_kept(capacities, part_number):
    document = {'default': {}, 'current': {}, 'job': {'part_number': part_number, 'quantity': 0}}
    assert json.loads(write_stock(parse_stock(json.dumps(document), capacities))) == document


def test_a_character_of_two_escapes_is_valid(capacities):
    file = parse_stock('{"current": {}, "job": "\\ud83d\\ude00"}', capacities)
    assert file.others['job'] == '\U0001f600'


def test_a_message_is_printable_and_short():
    assert printable('a\x00\ud800\n—', 60) == 'a\\x00\\ud800\\n—'
    assert printable('x' * 99, 60) == 'x' * 60 + '...'
