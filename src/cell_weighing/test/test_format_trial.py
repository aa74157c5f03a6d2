import pytest
from cell_weighing.format_trial import FORMATS, FormatError, best_trial, make_format, try_format, try_formats


@pytest.mark.parametrize(
    ('data', 'name'),
    [
        (b'3,12.500 kg\r\n3,12.505 kg\r\n', 'legacy'),
        (b'3,G,S,  12.500,kg,  0.000,NT\r\n', 'template'),
        (b'\n 1G       12.34kg \r', 'sma'),
        (b'\n  12.34lb\r\n00\r\x03\n  12.35lb\r\n10\r\x03', 'nci'),
        (b'S S     100.00 g\r\nS D     100.02 g\r\n', 'mt-sics'),
        (b'ST,GS,+00123.45kg\r\nUS,GS,+00123.40kg\r\nOL,GS,+99999.99kg\r\n', 'and'),
        (b'\x02,0 001234000000\r\x02,0 001235000000\r', 'toledo'),
        (b'\x02   12.345G    kg\x03\x02   12.345GM   kg\x03', 'rinstrum'),
        (b'N     +   123.56 g  \r\nN     +   123.50    \r\n', 'sbi'),
        (b'       12.73 g    ?\r\n       12.72 g     \r\n', 'ohaus'),
        (b'ID 3\r\nTare 0.500 lb\r\nNet 12.000 lb\r\nGross 12.500 lb\r\n', 'ticket'),
    ],
)
def test_the_format_of_an_indicator_is_found(data, name):
    best = best_trial(try_formats([data]))
    assert best and best.name == name and best.unread == 0
    assert all(record.text for record in best.records)


@pytest.mark.parametrize('data', [b'', b'GET / HTTP/1.1\r\nHost: cell\r\n\r\n', b'\x16\x03\x01\x02\x00\x01', b'A' * 5000])
def test_bytes_of_no_indicator_fit_no_format(data):
    trials = try_formats([data])
    assert best_trial(trials) is None and {trial.name for trial in trials} == set(FORMATS)


@pytest.mark.parametrize(
    ('data', 'name'),
    [
        (b'US,+00123.45 kg\r\nST,+00123.45 kg\r\nOL,+99999.99 kg\r\n', 'and'),
        (b'S S      -0.12 g\r\nS D      -0.10 g\r\n', 'mt-sics'),
    ],
)
def test_states_are_no_scales_and_a_format_is_found_without_a_weight_above_zero(data, name):
    best = best_trial(try_formats([data]))
    assert best and best.name == name and not best.unread


def test_where_no_format_fits_the_record_and_each_reason_are_shown():
    trials = try_formats([b'1;27.5;lb\r\n'])
    assert (trials[0].name, trials[0].records[0].raw) == ('legacy', '1;27.5;lb') and 'id,weight unit' in trials[0].fault
    assert all(trial.fault for trial in trials if trial.records)


def test_a_record_is_shown_with_its_weight_or_its_fault():
    trial = try_format('and', make_format('and'), [b'ST,NT,+1.5kg\r\nOL,NT,+9kg\r\nhello\r\n'])
    assert [(r.raw, r.read, r.weight) for r in trial.records] == [
        ('ST,NT,+1.5kg', True, True),
        ('OL,NT,+9kg', True, False),
        ('hello', False, False),
    ]
    assert [r.text for r in trial.records][:2] == ['1.5 kg stable net', 'overload: take weight off the scale']


def test_an_indicator_without_line_ends_is_recognized_as_one():
    best = best_trial(try_formats([b'1,27.5 lb', b'1,28.0 lb']))
    assert (best.name, best.weights, best.needs_silence) == ('legacy', 2, True)
    assert not best_trial(try_formats([b'1,27.5 lb\r\n'])).needs_silence


def test_a_template_and_a_unit_of_the_site_are_tried():
    best = best_trial(try_formats([b'A  1500\rA  1510\r'], template='A {weight}', unit='kg'))
    assert (best.name, best.records[0].text) == ('template', '1500 kg')
    with pytest.raises(FormatError, match='no format'):
        make_format('morse')
    with pytest.raises(ValueError, match='template'):
        make_format('template', template='{weight}')
