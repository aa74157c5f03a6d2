import itertools
from decimal import Decimal

import pytest
from cell_weighing.bridge.line_pipeline import LinePipeline, SiteConfig
from cell_weighing.bridge.peers import parse_peers
from cell_weighing.bridge.stream_capture import StabilitySettings
from cell_weighing.domain.reading import ReadingStatus, Stability

STEP_NS = 100_000_000


@pytest.fixture
def site():
    numbers = itertools.count(1)
    return SiteConfig(
        lambda: f'id-{next(numbers)}', settings=StabilitySettings(3, Decimal('0.005'), 2 * STEP_NS, Decimal('0.02'))
    )


def stream(pipeline, *lines, start=0):
    return [r for i, line in enumerate(lines) for r in pipeline.feed(line, start + i * STEP_NS, start + i * STEP_NS)]


def test_a_printed_line_is_a_reading_with_its_raw_text_and_times(site):
    (reading,) = LinePipeline(site, '10.0.0.3', 5000).feed(b' 3, 12.500 kg \r\n', 11, 22)
    assert (reading.reading_id, reading.raw, reading.received_ns, reading.monotonic_ns) == ('id-1', b' 3, 12.500 kg ', 11, 22)
    assert (reading.scale_id, reading.weight, reading.peer) == ('3', '12.500', '10.0.0.3:5000')


def test_noise_belongs_to_no_scale_before_the_first_weight_and_to_its_scale_after_it(site):
    pipeline = LinePipeline(site, '10.0.0.3', 5000)
    (before,) = pipeline.feed(b'5,nan kg\r\n', 1, 1)
    weight, after = pipeline.feed(b'3,1 kg\r\n5,nan kg\r\n', 1, 1)
    assert (before.scale_id, weight.scale_id, after.scale_id) == ('', '3', '3')
    assert pipeline.scale_ids == {'3'}


def test_a_line_that_was_cut_off_is_recorded_as_such(site):
    pipeline = LinePipeline(site, '10.0.0.3', 5000)
    pipeline.feed(b'3,1 kg\r\n3,12.5', 1, 1)
    (cut,) = pipeline.end(2, 2)
    assert (cut.scale_id, cut.status, cut.raw) == ('3', ReadingStatus.MALFORMED, b'3,12.5')


def test_an_indicator_without_an_id_gets_that_of_its_address(site):
    site.peers = parse_peers(['10.0.0.4 id=4 codec=sma'])
    (reading,) = LinePipeline(site, '::ffff:10.0.0.4', 5000).feed(b'\n 1G       12.34kg \r', 1, 1)
    assert (reading.scale_id, reading.status, reading.stability) == ('4', ReadingStatus.VALID, Stability.STABLE)


def test_a_spoofed_id_is_reported_and_counts_as_no_weight(site):
    site.peers = parse_peers(['10.0.0.4 id=4'])
    pipeline = LinePipeline(site, '10.0.0.5', 5000)
    (reading,) = pipeline.feed(b'4,12.5 kg\r\n', 1, 1)
    assert reading.status is ReadingStatus.MALFORMED and pipeline.spoofed_ids == {'4'} and pipeline.scale_ids == set()


def test_a_stream_comes_to_one_reading_a_bag(site):
    site.capture = 'streaming'
    pipeline = LinePipeline(site, '10.0.0.3', 5000)
    readings = stream(pipeline, b'3,0 kg\r\n', *[b'3,1.1 kg\r\n'] * 5, b'3,0 kg\r\n', *[b'3,1.2 kg\r\n'] * 5)
    assert [(r.weight, r.stability) for r in readings] == [('1.1', Stability.STABLE), ('1.2', Stability.STABLE)]
    assert site.samples['3'][2].weight == '1.2' and pipeline.capture_updates['3'].armed is False


def test_a_connection_that_comes_back_does_not_count_the_bag_again(site):
    site.capture = 'streaming'
    assert len(stream(LinePipeline(site, '10.0.0.3', 1), b'3,0 kg\r\n', *[b'3,1.1 kg\r\n'] * 5)) == 1
    assert stream(LinePipeline(site, '10.0.0.3', 2), *[b'3,1.1 kg\r\n'] * 9, start=10**9) == []


def test_one_address_may_stream_while_the_others_print(site):
    site.peers = parse_peers(['10.0.0.4 capture=streaming'])
    assert len(stream(LinePipeline(site, '10.0.0.3', 1), *[b'3,1.1 kg\r\n'] * 5)) == 5
    assert len(stream(LinePipeline(site, '10.0.0.4', 1), *[b'4,1.1 kg\r\n'] * 5)) == 1


def test_a_nameless_stream_is_noise_line_by_line(site):
    site.capture, site.codec = 'streaming', 'sma'
    readings = stream(LinePipeline(site, '10.0.0.4', 1), *[b'\n 1G       12.34kg \r'] * 3)
    assert [r.status for r in readings] == [ReadingStatus.MALFORMED] * 3 and 'parameter peers' in readings[0].message
