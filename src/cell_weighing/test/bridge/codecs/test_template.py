import time

import pytest
from cell_weighing.bridge.codecs import CodecOptions, make_codec
from cell_weighing.bridge.codecs.template import EXTENDED, TemplateCodec, TemplateError
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode

CODEC = TemplateCodec(EXTENDED)


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        (b'3,G,S,  12.500,kg,  0.000,NT', ('3', '12.500', 'kg', Stability.STABLE, WeightMode.GROSS, '0.000')),
        (b'3,N,M     ,12.5   ,lb,1.0,T', ('3', '12.5', 'lb', Stability.IN_MOTION, WeightMode.NET, '1.0')),
        (b'  3 ,NET, ,+ 12.5,KG,,', ('3', '12.5', 'kg', Stability.UNKNOWN, WeightMode.NET, '')),
        (b'3,GROSS,S,0,g,0,PT  ', ('3', '0', 'g', Stability.STABLE, WeightMode.GROSS, '0')),
    ],
)
def test_a_line_of_the_extended_format_is_read_whole(line, expected):
    w = CODEC.parse(line)
    assert w.status is ReadingStatus.VALID
    assert (w.scale_id, w.weight, w.unit, w.stability, w.mode, w.tare) == expected


@pytest.mark.parametrize(
    ('line', 'word'),
    [
        (b'3,G,O,------,kg,,NT', 'overload'),
        (b'3,G,U,------,kg,,NT', 'underload'),
        (b'3,G,E,0.0,kg,0,NT', 'calibration'),
        (b'3,G,O,99.9,kg,0,NT', 'overload'),
        (b'3,G,S,------,kg,0,NT', 'dashes'),
        (b'3,G,S,-1.5,kg,0,NT', 'below zero'),
    ],
)
def test_a_fault_of_the_indicator_is_out_of_range_and_said(line, word):
    w = CODEC.parse(line)
    assert (w.status, w.scale_id, w.weight) == (ReadingStatus.OUT_OF_RANGE, '3', '') and word in w.message


@pytest.mark.parametrize(
    'line',
    [
        b'3,12.500 kg',
        b'3,G,S,12.5,kg',
        b'3,G,X,12.5,kg,0,NT',
        b'3,Q,S,12.5,kg,0,NT',
        b'3,G,S,1e3,kg,0,NT',
        b'3,G,S,12.5,st,0,NT',
        b'3,G,S,12.5,kg,x,NT',
        b'3,G,S,12.5,kg,0,NT,9',
        b',G,S,12.5,kg,0,NT',
        b'3,G,S,,kg,0,NT',
        b'',
    ],
)
def test_a_line_of_another_format_is_never_a_weight(line):
    w = CODEC.parse(line)
    assert w.status is ReadingStatus.MALFORMED and w.weight == '' and w.message


def test_a_template_may_have_other_separators_and_fields_to_skip():
    codec = TemplateCodec('#{id};{skip};{weight} {unit}')
    assert codec.parse(b'#7;12:30;1.5 kg').weight == '1.5'
    assert codec.parse(b'7;12:30;1.5 kg').status is ReadingStatus.MALFORMED


def test_dini_argeo_lines_are_a_template_too():
    codec = TemplateCodec('ST,GS,{weight},{unit}')
    assert codec.parse(b'ST,GS,   1.234,kg').weight == '1.234'
    assert codec.parse(b'US,GS,   1.234,kg').status is ReadingStatus.MALFORMED


def test_a_decimal_comma_is_read_only_when_configured():
    assert make_codec('legacy').parse(b'3,12,5 kg').status is ReadingStatus.MALFORMED
    local = make_codec('legacy', CodecOptions(decimal_comma=True))
    assert local.parse(b'3,12,5 kg').weight == '12.5'
    assert local.parse(b'3,12.5 kg').status is ReadingStatus.MALFORMED
    assert local.parse(b'3,-12,5 kg').status is ReadingStatus.OUT_OF_RANGE


@pytest.mark.parametrize(
    ('template', 'word'),
    [
        ('{id},{wait},{unit}', 'unknown token'),
        ('{id},{weight}', 'must name'),
        ('{weight} {weight} {unit}', 'no token twice'),
        ('{id}{weight} {unit}', 'between each two'),
        ('{id};{weight} {unit}é', 'ASCII'),
    ],
)
def test_an_invalid_template_is_refused_with_the_cause(template, word):
    with pytest.raises(TemplateError, match=word):
        TemplateCodec(template)


def test_decimal_commas_between_commas_are_refused():
    with pytest.raises(TemplateError, match='decimal commas'):
        TemplateCodec(EXTENDED, decimal_comma=True)
    assert TemplateCodec(EXTENDED.replace(',', ';'), decimal_comma=True).parse(b'3;G;S;12,5;kg;0,1;NT').tare == '0.1'


@pytest.mark.parametrize(
    'line', [b'3,1' + b' ' * 250 + b'!', b'3,' + b' ' * 250, b' ' * 250, b',' * 250, b'3,G' + b' , ' * 80, b'1' * 250]
)
def test_no_line_takes_long(line):
    for codec in (CODEC, make_codec('legacy'), make_codec('sma')):
        start = time.process_time()
        for _ in range(100):
            codec.parse(line)
        assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    ('template', 'line', 'expected'),
    [
        ('{weight}{unit}', b'  12.50kg', ('12.50', 'kg', Stability.UNKNOWN)),
        ('ST,GS,{weight}{unit}', b'ST,GS,+011.120kg', ('011.120', 'kg', Stability.UNKNOWN)),
        ('A {weight}{unit=kg}', b'A  1500', ('1500', 'kg', Stability.UNKNOWN)),
        ('A {weight:2}{unit=lb}', b'A  001500', ('15.00', 'lb', Stability.UNKNOWN)),
        ('{weight:3} {unit}', b'5 g', ('0.005', 'g', Stability.UNKNOWN)),
        ('{status:ST=stable|US=motion},{mode},{weight}{unit}', b'US,GS, 1.5kg', ('1.5', 'kg', Stability.IN_MOTION)),
        ('{status:ST=stable|US=motion},{mode},{weight}{unit}', b'ST,NT, 1.5kg', ('1.5', 'kg', Stability.STABLE)),
        ('{skip},{weight} {unit}', b'US,+00123.45 kg', ('00123.45', 'kg', Stability.IN_MOTION)),
        ('{weight} {unit} {skip}', b'12.50 g ?', ('12.50', 'g', Stability.IN_MOTION)),
    ],
)
def test_glued_fixed_and_implied_fields_and_status_words(template, line, expected):
    parsed = TemplateCodec(template).parse(line)
    assert parsed.status is ReadingStatus.VALID and (parsed.weight, parsed.unit, parsed.stability) == expected


@pytest.mark.parametrize(
    ('template', 'line'),
    [
        ('{status:ST=stable|OL=overload},{weight}{unit}', b'OL,+99999.9kg'),
        ('{status:ST=stable|OL=overload},{weight}{unit}', b'OL,------kg'),
        ('{skip},{weight} {unit}', b'OL,+99999.99 kg'),
        ('{weight}{unit}', b'-12.50kg'),
        ('{weight}{unit}', b'------kg'),
    ],
)
def test_overload_and_weights_below_zero_of_such_formats_are_out_of_range(template, line):
    assert TemplateCodec(template).parse(line).status is ReadingStatus.OUT_OF_RANGE


@pytest.mark.parametrize(
    ('template', 'line'),
    [
        ('{status:ST=stable|OL=overload},{weight}{unit}', b'XX,1.5kg'),
        ('A {weight:2}{unit=lb}', b'A 15.00'),
        ('A {weight}{unit=kg}', b'A 15 kg'),
        ('{weight}{unit}', b'12.50'),
        ('{weight}{unit}', b'12.50kgkg'),
    ],
)
def test_lines_outside_such_formats_are_malformed(template, line):
    assert TemplateCodec(template).parse(line).status is ReadingStatus.MALFORMED


@pytest.mark.parametrize(
    ('template', 'word'),
    [
        ('{weight}{tare}{unit}', 'may touch'),
        ('{mode}{unit} {weight}', 'may touch'),
        ('{weight} {unit=stone}', 'not a unit'),
        ('{weight:9} {unit}', 'decimals from 1 to 6'),
        ('{status:ST=fine} {weight} {unit}', 'states'),
    ],
)
def test_a_value_of_a_token_that_cannot_be_used_is_refused(template, word):
    with pytest.raises(TemplateError, match=word):
        TemplateCodec(template)
