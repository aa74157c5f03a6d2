import pytest
from cell_weighing.bridge.codecs.sma import SmaCodec
from cell_weighing.bridge.framing import LineFramer
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode

CODEC = SmaCodec()


@pytest.mark.parametrize(('question', 'sent'), [('W', b'\nW\r'), ('P', b'\nP\r')])
def test_the_scale_is_asked_for_its_weight_now_or_when_it_is_stable(question, sent):
    assert SmaCodec(question).poll_command == sent


def test_a_comma_is_a_decimal_point_only_where_the_site_says_so():
    frame = b' 1G       12,34kg '
    assert SmaCodec(decimal_comma=True).parse(frame).weight == '12.34'
    assert CODEC.parse(frame).status is ReadingStatus.MALFORMED


def parse(frame: bytes):
    (line,) = LineFramer().feed(frame)
    return CODEC.parse(line)


@pytest.mark.parametrize(
    ('frame', 'expected'),
    [
        (b'\n 1G       12.34kg \r', ('12.34', 'kg', Stability.STABLE, WeightMode.GROSS)),
        (b'\nZ1G        0.00lb \r', ('0.00', 'lb', Stability.STABLE, WeightMode.GROSS)),
        (b'\n 1NM    105.250g  \r', ('105.250', 'g', Stability.IN_MOTION, WeightMode.NET)),
        (b'\n 2n     12.3456oz\r', ('12.3456', 'oz', Stability.STABLE, WeightMode.NET)),
    ],
)
def test_a_reply_is_read_whole(frame, expected):
    w = parse(frame)
    assert w.status is ReadingStatus.VALID and w.scale_id == ''
    assert (w.weight, w.unit, w.stability, w.mode) == expected


@pytest.mark.parametrize(
    ('frame', 'word'),
    [
        (b'\nO1G  ----------kg \r', 'over capacity'),
        (b'\nU1G  ----------kg \r', 'under capacity'),
        (b'\nE1G        0.00kg \r', 'zero error'),
        (b'\nI1G  ----------kg \r', 'initial zero'),
        (b'\nT1N  ----------kg \r', 'tare error'),
        (b'\n 1G    ------  kg \r', 'dashes'),
        (b'\n 1G       -0.02kg \r', 'below zero'),
    ],
)
def test_a_fault_or_dashes_are_out_of_range(frame, word):
    w = parse(frame)
    assert w.status is ReadingStatus.OUT_OF_RANGE and w.weight == '' and word in w.message


@pytest.mark.parametrize(
    ('frame', 'word'),
    [
        (b'\n?\r', 'does not know'),
        (b'\n 1T        1.00kg \r', 'tare'),
        (b'\n 1G       12.34\r', 'not an SMA reply'),
        (b'\n 1G         nankg \r', 'not a number'),
        (b'\n 1G       12.34st \r', 'unit'),
        (b'3,12.5 kg\r\n', 'not an SMA reply'),
    ],
)
def test_what_is_no_reply_is_malformed(frame, word):
    w = parse(frame)
    assert w.status is ReadingStatus.MALFORMED and w.weight == '' and word in w.message
