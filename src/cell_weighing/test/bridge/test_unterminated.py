import pytest
from cell_weighing.bridge.codecs import CodecOptions, make_codec
from cell_weighing.bridge.framing import MalformedLine
from cell_weighing.bridge.line_pipeline import LinePipeline, SiteConfig
from cell_weighing.bridge.unterminated import SilenceSplitter
from cell_weighing.domain.reading import ReadingStatus


def pipeline(**changes):
    numbers = iter(range(1000))
    return LinePipeline(SiteConfig(lambda: str(next(numbers)), **changes), '127.0.0.1', 1)


def weights(readings):
    return [(reading.scale_id, reading.weight) for reading in readings if reading.status is ReadingStatus.VALID]


def test_a_record_without_line_end_counts_after_a_silence():
    line = pipeline()
    assert line.feed(b'1,27.5 lb', 1, 1) == [] and line.incomplete
    assert weights(line.silence(2, 1)) == [('1', '27.5')] and not line.incomplete and line.without_line_end
    assert line.silence(3, 3) == []


def test_glued_records_without_line_ends_are_all_counted():
    line = pipeline()
    line.feed(b'1,27.5 lb2,3.25 kg1,27.6 lb', 1, 1)
    assert weights(line.silence(2, 2)) == [('1', '27.5'), ('2', '3.25'), ('1', '27.6')]


def test_a_record_that_is_split_anywhere_with_a_silence_between_is_never_a_wrong_weight():
    record = b'12,27.50 lb'
    for cut in range(1, len(record)):
        line = pipeline()
        line.feed(record[:cut], 1, 1)
        first = line.silence(2, 2)
        line.feed(record[cut:], 3, 3)
        assert weights(first + line.silence(4, 4)) == [('12', '27.50')], cut


def test_noise_before_a_record_does_not_spoil_it():
    line = pipeline()
    line.feed(b'\xff', 1, 1)
    assert line.silence(2, 2) == []
    line.feed(b'1,27.5 lb', 3, 3)
    readings = line.silence(4, 4)
    assert weights(readings) == [('1', '27.5')] and readings[0].status is ReadingStatus.MALFORMED


def test_a_silence_in_a_line_of_an_indicator_with_line_ends_ends_nothing():
    line = pipeline()
    assert weights(line.feed(b'1,1.5 kg\r\n1,2.5 kg', 1, 1)) == [('1', '1.5')]
    assert not line.incomplete
    assert weights(line.feed(b'\r\n', 2, 2)) == [('1', '2.5')]


def test_etx_ends_a_record_and_stx_begins_one():
    assert weights(pipeline().feed(b'\x021,1.5 kg\x03\x021,2.5 kg\x03', 1, 1)) == [('1', '1.5'), ('1', '2.5')]


def test_a_line_end_after_the_silence_adds_nothing():
    line = pipeline()
    line.feed(b'1,27.5 lb', 1, 1)
    assert weights(line.silence(2, 2)) == [('1', '27.5')]
    assert line.feed(b'\r\n', 3, 3) == []


def test_an_indicator_that_closes_after_each_print_is_counted():
    line = pipeline()
    line.feed(b'1,27.5 lb', 1, 1)
    assert weights(line.end(2, 2)) == [('1', '27.5')]


@pytest.mark.parametrize('template', ['{id},{unit} {weight}', '{id};{weight};{unit};{tare}'])
def test_a_record_that_could_go_on_with_a_digit_is_never_ended_by_a_silence(template):
    splitter = SilenceSplitter(make_codec('template', CodecOptions(template)))
    assert splitter.split(b'1,kg 2' if 'unit} {w' in template else b'1;2.5;kg;0') == ([], 0)


def test_the_splitter_keeps_what_is_no_whole_record():
    splitter = SilenceSplitter(make_codec('legacy'))
    assert splitter.split(b'1,27') == ([], 0)
    records, used = splitter.split(b'1,272,1.5 kg')
    assert used == 12 and isinstance(records[0], MalformedLine) and records[1] == b'2,1.5 kg'
