import pytest
from cell_weighing.bridge.framing import LineFramer, MalformedLine


@pytest.mark.parametrize('end', [b'\r\n', b'\n', b'\r', b'\n\r'])
def test_a_whole_line_comes_out_for_every_line_ending(end):
    assert LineFramer().feed(b'3,12.500 kg' + end) == [b'3,12.500 kg']


def test_the_frames_of_sma_begin_with_lf_and_end_with_cr():
    assert LineFramer().feed(b'\n Z1G      0.00kg \r\n 1GM     1.25kg \r') == [b' Z1G      0.00kg ', b' 1GM     1.25kg ']


def test_a_split_line_waits_for_its_end():
    framer = LineFramer()
    assert framer.feed(b'3,12.5') == []
    assert framer.feed(b'00 kg') == []
    assert framer.feed(b'\r') == [b'3,12.500 kg']
    assert framer.feed(b'\n') == []


def test_glued_lines_come_out_one_by_one():
    assert LineFramer().feed(b'1,1 kg\r\n\r\n2,2 kg\r\n3,3') == [b'1,1 kg', b'2,2 kg']


@pytest.mark.parametrize('step', [1, 2, 100])
def test_fill_characters_and_telnet_negotiation_around_a_line_are_no_part_of_it(step):
    framer = LineFramer()
    telnet = b'\xff\xfb\x01\xff\xfb\x03\xff\xfd\x2c\xff\xfb\x00'
    data = telnet + b'1,27.5 lb\r\n\0\0001,28.5 lb\0\r\n\x111,29.5 lb\x13\r\n\0\r\n'
    lines = [line for i in range(0, len(data), step) for line in framer.feed(data[i : i + step])]
    assert [line for line in lines if line] == [b'1,27.5 lb', b'1,28.5 lb', b'1,29.5 lb']


def test_fill_characters_within_a_line_stay():
    assert LineFramer().feed(b'1,2\x007.5 lb\r\n1,2\xff\xfb\x017.5 lb\r\n') == [b'1,2\x007.5 lb', b'1,2\xff\xfb\x017.5 lb']


def test_the_end_in_the_middle_of_a_line_is_a_bad_line():
    framer = LineFramer()
    framer.feed(b'3,12.500 kg\r\n3,12.5')
    (bad,) = framer.end()
    assert bad.data == b'3,12.5' and 'middle of the line' in bad.reason
    assert framer.end() == []


def test_the_end_between_lines_is_nothing():
    framer = LineFramer()
    framer.feed(b'3,12.500 kg\r\n')
    assert framer.end() == []


def test_a_line_as_long_as_the_limit_is_a_line():
    assert LineFramer(8).feed(b'12345678\r\n') == [b'12345678']


@pytest.mark.parametrize('step', [1, 3, 100])
def test_a_line_over_the_limit_is_reported_once_and_the_next_line_is_complete(step):
    framer = LineFramer(8)
    data = b'123456789' * 5 + b'\r\nnext\r\n'
    lines = [line for i in range(0, len(data), step) for line in framer.feed(data[i : i + step])]
    assert [type(line) for line in lines] == [MalformedLine, bytes] and lines[1] == b'next'
    assert lines[0].data == b'12345678' and 'longer than 8' in lines[0].reason


def test_bytes_without_line_ends_take_no_memory():
    framer = LineFramer(100)
    received = [line for _ in range(1000) for line in framer.feed(b'x' * 1000)]
    assert len(received) == 1 and framer.buffered <= 100
