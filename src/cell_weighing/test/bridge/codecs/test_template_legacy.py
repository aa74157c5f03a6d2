import itertools

import pytest
from cell_weighing.bridge.codecs import make_codec
from cell_weighing.bridge.codecs.template import LegacyCodec
from cell_weighing.bridge.framing import LineFramer
from cell_weighing.domain.reading import ReadingStatus, Stability

CODEC = LegacyCodec()


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        (b'3,12.500 kg', ('3', '12.500', 'kg')),
        (b'12,105.250 kg', ('12', '105.250', 'kg')),
        (b' 3 ,  1.10 LB ', ('3', '1.10', 'lb')),
        (b'line-2.a,0 g', ('line-2.a', '0', 'g')),
        (b'3,+12.5 oz', ('3', '12.5', 'oz')),
        (b'3,+ 12.5 oz', ('3', '12.5', 'oz')),
        (b'3,0.001 t', ('3', '0.001', 't')),
    ],
)
def test_a_line_of_the_grammar_is_a_weight(line, expected):
    weighing = CODEC.parse(line)
    assert weighing.status is ReadingStatus.VALID and weighing.stability is Stability.UNKNOWN
    assert (weighing.scale_id, weighing.weight, weighing.unit) == expected


@pytest.mark.parametrize('line', [b'OL,+99999.99 kg', b'US,+00123.45 kg', b' ST ,12.5 kg', b'QT,5 g', b'WT,1.0 kg'])
def test_a_state_of_another_format_is_no_scale(line):
    parsed = CODEC.parse(line)
    assert parsed.status is ReadingStatus.MALFORMED and not parsed.weight and 'codec' in parsed.message


def test_an_id_that_begins_like_a_state_is_a_scale():
    assert [CODEC.parse(line).scale_id for line in (b'ST1,1 kg', b'USA,1 kg', b'S,1 kg')] == ['ST1', 'USA', 'S']


@pytest.mark.parametrize(
    'field',
    [
        b'nan',
        b'inf',
        b'-inf',
        b'1_000',
        '٣.٥'.encode(),
        '１２'.encode(),
        b'1e3',
        b'',
        b'0x10',
        b'1.2.3',
        b'1,5',
        b'1 5',
        b'--1',
        b'+-1',
        b'12.500kg12.500',
        b'1234567890',
        b'1.1234567',
        b'12\x00.5',
        b'\xff',
    ],
)
def test_what_is_no_number_is_malformed(field):
    weighing = CODEC.parse(b'3,' + field + b' kg')
    assert weighing.status is ReadingStatus.MALFORMED and weighing.message
    assert (weighing.weight, weighing.unit) == ('', '')


@pytest.mark.parametrize('field', [b'-0.00', b'-1.5', b'- 1.5', b'-----', b'- - - -', b'---.--'])
def test_what_stands_below_zero_or_shows_dashes_is_out_of_range(field):
    weighing = CODEC.parse(b'3,' + field + b' kg')
    assert weighing.status is ReadingStatus.OUT_OF_RANGE and weighing.scale_id == '3'
    assert (weighing.weight, weighing.unit) == ('', '')


@pytest.mark.parametrize(
    'line',
    [
        b'',
        b',12.5 kg',
        b'3',
        b'3,',
        b'12.5 kg',
        b'2.500 kg',
        b'.250 kg',
        b'3,12.5',
        b'3,12.5 stone',
        b'3,12.5kg',
        b'3,12.5 kg kg',
        b'3,12.500 kg3,12.500 kg',
        b'3;12.5 kg',
        b'3,12.5\tkg',
        b'-3,12.5 kg',
        b'3 4,12.5 kg',
        b'3' * 33 + b',1 kg',
        b'\x023,1 kg',
    ],
)
def test_what_is_no_line_of_the_grammar_is_malformed(line):
    weighing = CODEC.parse(line)
    assert weighing.status is ReadingStatus.MALFORMED and weighing.message and weighing.weight == ''


def test_a_malformed_line_still_says_whose_it_may_be():
    assert CODEC.parse(b'3,nan kg').scale_id == '3'
    assert CODEC.parse(b'3,12.500 kg3,12.500 kg').scale_id == '3'
    assert CODEC.parse(b'nothing').scale_id == ''


def test_an_unknown_codec_is_refused_with_the_list():
    with pytest.raises(ValueError, match='legacy'):
        make_codec('morse')


LINES = [b'3,12.500 kg', b'12,105.250 kg', b'7,0.99 lb', b'3,nan kg', b'3,-------- kg', b'garbage']
ENDS = [b'\r\n', b'\n', b'\r']


@pytest.mark.parametrize('end', ENDS)
def test_three_lines_glued_and_cut_at_every_byte_come_out_right(end):
    for three in itertools.product(LINES, repeat=3):
        data = b''.join(line + end for line in three)
        expected = [CODEC.parse(line) for line in three]
        for cut in range(len(data) + 1):
            framer = LineFramer()
            lines = framer.feed(data[:cut]) + framer.feed(data[cut:])
            assert [CODEC.parse(line) for line in lines] == expected


def test_a_line_that_lost_its_beginning_or_end_is_never_a_wrong_number():
    line = b'3,12.500 kg'
    for cut in range(1, len(line)):
        assert CODEC.parse(line[cut:]).status is ReadingStatus.MALFORMED
        if cut < len(line) - 1:
            assert CODEC.parse(line[:cut]).status is ReadingStatus.MALFORMED


@pytest.mark.parametrize(
    ('line', 'weight', 'unit'),
    [
        (b'3,.500 kg', '0.500', 'kg'),
        (b'3,12. kg', '12', 'kg'),
        (b'3,12.500 lbs', '12.500', 'lb'),
        (b'3,1.5 KGS', '1.5', 'kg'),
        (b'3,  .5 Lbs ', '0.5', 'lb'),
    ],
)
def test_blank_zeros_and_plural_units_are_understood(line, weight, unit):
    parsed = CODEC.parse(line)
    assert (parsed.status, parsed.weight, parsed.unit) == (ReadingStatus.VALID, weight, unit)


@pytest.mark.parametrize(
    'line', [b'3,. kg', b'3,.. kg', b'3,+ kg', b'3,1..5 kg', b'3,12.500 lbss', b'3,12.500 ozs', b'3,.1234567 kg']
)
def test_a_point_alone_and_other_plurals_are_malformed(line):
    assert CODEC.parse(line).status is ReadingStatus.MALFORMED
