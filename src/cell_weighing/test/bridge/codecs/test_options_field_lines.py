"""Lines that people have described in public: read right, or refused with a reason, and never guessed."""

import pytest
from cell_weighing.bridge.codecs import CodecOptions, make_codec
from cell_weighing.bridge.framing import MAX_LINE_BYTES
from cell_weighing.domain.reading import ReadingStatus

WEIGHT = {'template': '{weight}', 'unit': 'kg'}
WITH_UNIT = {'template': '{weight} {unit}'}
GLUED = {'template': '{weight}{unit}'}


def read(name, data, options):
    codec = make_codec(name, CodecOptions(**options))
    framer = codec.make_framer(MAX_LINE_BYTES)
    (record,) = framer.feed(data) + framer.end()
    return codec.parse(record)


@pytest.mark.parametrize(
    ('name', 'data', 'options', 'expected'),
    [
        # github.com/qzind/tray/issues/881: STX and ETX around a line with CR.
        ('template', b'\x02A   0.165\r\x03', {'template': 'A {weight}', 'unit': 'kg'}, ('0.165', 'kg')),
        # github.com/pyserial/pyserial/issues/668: "$" before six digits, no point, no unit.
        ('template', b'$000123\r', {'template': '${weight:2}', 'unit': 'kg'}, ('1.23', 'kg')),
        # github.com/mdpnp/mdpnp/issues/19: a sign, a blank, digits without a unit.
        ('template', b'+ 0000.0003\r\n', WEIGHT, ('0000.0003', 'kg')),
        # github.com/eamars/OpenTrickler-RP2040-Controller/issues/15: G&G and Kern.
        ('template', b'[ ]   0.665 g \r\n'.replace(b'[ ]', b' '), WITH_UNIT, ('0.665', 'g')),
        ('ohaus', b'     10.30 GN\r\n', {}, 'the unit is not one of'),
        ('template', b'-   29.182 g \r\n', WITH_UNIT, 'below zero'),
        # github.com/imTigger/webapp-hardware-bridge/issues/4.
        ('and', b'ST,NT,+  1.234kg\r\n', {}, ('1.234', 'kg')),
        ('template', b'ww00012.50kg\r\n', {'template': 'ww{weight}{unit}'}, ('00012.50', 'kg')),
        # Thousands separators are refused: the same line means another weight elsewhere.
        ('template', b'1.234,5 kg\r\n', WITH_UNIT | {'decimal_comma': True}, 'not a number'),
        ('template', b'1,234.5 kg\r\n', WITH_UNIT, 'not a number'),
        ('legacy', b'3,1 234.5 kg\r\n', {}, 'not a number'),
        ('legacy', b'3,12.500 pounds\r\n', {}, 'the unit is not one of'),
        ('mt-sics', b'S S      1.234 kg       \r\n', {}, ('1.234', 'kg')),
        ('template', b'12.50kg\r\n', GLUED, ('12.50', 'kg')),
    ],
)
def test_a_line_of_the_field_is_read_right_or_refused_with_a_reason(name, data, options, expected):
    parsed = read(name, data, options)
    if isinstance(expected, tuple):
        assert (parsed.status, parsed.weight, parsed.unit) == (ReadingStatus.VALID, *expected)
    else:
        assert parsed.status is not ReadingStatus.VALID and expected in parsed.message and not parsed.weight
