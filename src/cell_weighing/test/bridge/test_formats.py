import pytest
from cell_weighing.bridge.codecs import CODECS, CodecOptions
from cell_weighing.bridge.formats import FormatError, check_formats, parse_formats
from cell_weighing.domain.reading import ReadingStatus, WeightMode


def test_every_codec_is_a_format_with_the_options_of_the_site():
    formats = parse_formats([], CodecOptions(decimal_comma=True))
    assert set(formats) == set(CODECS)
    assert formats['legacy'].make().parse(b'3,12,5 kg').weight == '12.5'


def test_a_named_format_has_options_of_its_own():
    formats = parse_formats(
        [
            'dosing codec=template unit=kg template=ST,GS,{weight}',
            r'old codec=ohaus ask=\x1bP\r\n',
            'comma comma=yes template={id};{weight}{unit}',
            'truck ticket=No {id} / Gross {weight} {unit}',
        ],
        CodecOptions(),
    )
    assert formats['dosing'].make().parse(b'ST,GS,  12.5').unit == 'kg'
    assert formats['old'].ask == b'\x1bP\r\n' and formats['legacy'].ask == b''
    assert formats['comma'].make().parse(b'7; 1,5kg').weight == '1.5'
    ticket = formats['truck'].make().parse(b'No 4\nGross 3.5 lb')
    assert (ticket.scale_id, ticket.weight, ticket.mode) == ('4', '3.5', WeightMode.GROSS)


@pytest.mark.parametrize(
    ('entry', 'word'),
    [
        ('9 codec=sma', 'begin with a name'),
        ('', 'begin with a name'),
        ('sma codec=sma', 'that of a codec'),
        ('a codec=morse', 'codec must be'),
        ('a speed=9', 'may say'),
        ('a codec', 'may say'),
        ('a unit=stone', 'unit must be'),
        ('a comma=maybe', 'comma must be'),
        (r'a ask=\q', 'ask must be ASCII'),
    ],
)
def test_a_wrong_entry_is_refused_with_the_cause(entry, word):
    with pytest.raises(FormatError, match=word):
        parse_formats([entry], CodecOptions())


def test_only_formats_in_use_are_checked():
    formats = parse_formats(['bad template={weight}'], CodecOptions())
    check_formats(formats, ['legacy', 'sma'])
    with pytest.raises(ValueError, match='unit'):
        check_formats(formats, ['bad'])


def test_a_ticket_needs_a_weight_and_lines_with_words():
    for lines in ('ID {id}', '{weight} {unit}', 'Net {net} {unit} / Net {net} {unit}'):
        with pytest.raises(ValueError, match='ticket'):
            parse_formats([f't ticket={lines}'], CodecOptions())['t'].make()


def test_a_ticket_with_a_line_that_is_not_understood_is_a_malformed_record_at_its_end():
    framer = parse_formats([], CodecOptions())['ticket'].make().make_framer(256)
    ticket = b'\x0c\x1diID 3\r\nTare 0.5 lb\r\nNet 12.0 lb\r\nGross 12.5 lb\r\n'
    (bad,) = framer.feed(ticket)
    assert 'no line' in bad.reason and 'ID' in bad.reason and b'Gross' in bad.data
    assert framer.feed(ticket[3:]) == [ticket[3:-2].replace(b'\r', b'')] and not framer.end()


def test_a_ticket_whose_gross_is_not_net_and_tare_is_malformed():
    codec = parse_formats([], CodecOptions())['ticket'].make()
    good = codec.parse(b'ID 3\nTare 0.5 lb\nNet 12.0 lb\nGross 12.5 lb')
    assert (good.scale_id, good.weight, good.tare, good.mode) == ('3', '12.0', '0.5', WeightMode.NET)
    for text in (b'Gross 12.6 lb', b'Gross 12.5 kg', b'Gross 12.5', b''):
        assert codec.parse(b'ID 3\nTare 0.5 lb\nNet 12.0 lb\n' + text).status is ReadingStatus.MALFORMED
