"""Sample records of public manuals, at every cut, glued and among noise: no wrong weight, one record a print."""

import random
import time
from decimal import Decimal

import pytest
from cell_weighing.bridge.codecs import CODECS, CodecOptions, make_codec
from cell_weighing.bridge.framing import MAX_LINE_BYTES, MalformedLine
from cell_weighing.domain.reading import ReadingStatus, Stability

V, OUT, M = ReadingStatus.VALID, ReadingStatus.OUT_OF_RANGE, ReadingStatus.MALFORMED
STABLE, MOTION, UNKNOWN = Stability.STABLE, Stability.IN_MOTION, Stability.UNKNOWN


def toledo(b, weight, tare=b'000000', a=0x2C, c=0x20, checksum=False):
    record = bytes((2, a, b, c)) + weight + tare + b'\r'
    return record + bytes((-sum(record) & 0x7F,)) if checksum else record


TICKETS = (
    b'TICKET 12\r\n29/11/2026 10:12\r\nID 3\r\n\r\nTare 0.500 lb\r\nNet 12.000 lb\r\nGross 12.500 lb\r\n',
    b'TICKET 13\r\n29/11/2026 10:13\r\nID 3\r\n\r\nTare 0.500 lb\r\nNet ------ lb\r\nGross ------ lb\r\n\x0c',
    b'ID   7\nTare 1.0 kg\nNet   2.25 kg\nGross  3.25 kg\n\n\n',
)
SAMPLES = {
    # Old scale server, reference of its print format.
    'legacy': [(b'3,12.500 kg\r\n', V, '12.500', 'kg', UNKNOWN), (b'12,.5 lbs\r\n', V, '0.5', 'lb', UNKNOWN)],
    # SMA SCP-0499.
    'sma': [(b'\n 1G       12.34kg \r', V, '12.34', 'kg', STABLE), (b'\n 1GM      12.34kg \r', V, '12.34', 'kg', MOTION)],
    # Avery Weigh-Tronix 7821 User Instructions 6.3; Brecknell 3700LP p. 11.
    'nci': [
        (b'\n 012.34lb\r\n00\r\x03', V, '12.34', 'lb', STABLE),
        (b'\n  12.34kg\r\n10\r\x03', V, '12.34', 'kg', MOTION),
        (b'\n^^^^^^^lb\r\n02\r\x03', OUT, '', '', UNKNOWN),
        (b'\n  1234g \r\n20\r\x03', V, '1234', 'g', STABLE),
        (b'\n?\r\x03', M, '', '', UNKNOWN),
    ],
    # Mettler-Toledo AT balances, Operating instructions, p. 87.
    'mt-sics': [
        (b'S S     100.00 g\r\n', V, '100.00', 'g', STABLE),
        (b'S D     12.345 kg\r\n', V, '12.345', 'kg', MOTION),
        (b'S +\r\n', OUT, '', '', UNKNOWN),
        (b'S I\r\n', OUT, '', '', UNKNOWN),
        (b'S S 12:07.50 lb:oz\r\n', V, '199.50', 'oz', STABLE),
        (b'ES\r\n', M, '', '', UNKNOWN),
    ],
    # A&D AD-4404 9.2.6, EK-L 9-2, AD-4329A 9.1, AD-4212D p. 27; Dini Argeo 3590EXP p. 65; General Measure M02 p. 56; Excell H3.
    'and': [
        (b'ST,NT,+0012.34kg\r\n', V, '12.34', 'kg', STABLE),
        (b'ST,+001234.5  g\r\n', V, '1234.5', 'g', STABLE),
        (b'US,+00123.45 kg\r\n', V, '123.45', 'kg', MOTION),
        (b'OL,+999999.9  g\r\n', OUT, '', '', UNKNOWN),
        (b'QT,+00012345 PC\r\n', M, '', '', UNKNOWN),
        (b'ST,G ,+01234.5kg\r\n', V, '1234.5', 'kg', STABLE),
        (b'OL,G ,+    .  kg\r\n', OUT, '', '', UNKNOWN),
        (b'ST,GS,   1.234,kg\r\n', V, '1.234', 'kg', STABLE),
        (b'ST,GS,+011.120kg\r\n', V, '11.120', 'kg', STABLE),
        (b'ST,NT,+ 12.34 kg\r\n', V, '12.34', 'kg', STABLE),
        (b'LAB-0123, 2004/07/01, 12:34:56, ST,+0000.1278,  g\r\n', V, '0.1278', 'g', STABLE),
        # A&D GC manual 16.2 (result of the comparison), GX-A communication manual 7-2 (dump print); CAS CI-400 appendix 1.
        (b'ST,OK,+0001.234 kg\r\n', V, '1.234', 'kg', STABLE),
        (b'US,LO,+0001.234 kg\r\n', V, '1.234', 'kg', MOTION),
        (b'WT   + 123.45  g\r\n', V, '123.45', 'g', STABLE),
        (b'US   + 123.45  g\r\n', V, '123.45', 'g', MOTION),
        (b'ST,NT,\x01,\xe4,   12.34 kg\r\n', V, '12.34', 'kg', STABLE),
        (b'OL,GS,1,\xa4,        kg\r\n', OUT, '', '', UNKNOWN),
    ],
    # Rockwell 57C428 appendix D; Kern FTC 5.2.2; Liden LUW2001 appendix 1.
    'toledo': [
        (toledo(0x30, b'001234'), V, '12.34', 'kg', STABLE),
        (toledo(0x28, b'  1234'), V, '12.34', 'lb', MOTION),
        (toledo(0x34, b'999999'), OUT, '', '', UNKNOWN),
        (toledo(0x32, b'000012'), OUT, '', '', UNKNOWN),
        (toledo(0x30, b'012345', a=0x2D), V, '12.345', 'kg', STABLE),
        (toledo(0x30, b'001500', tare=b'', a=0x2A), V, '1500', 'kg', STABLE),
    ],
    'toledo-checksum': [
        (toledo(0x30, b'001234', checksum=True), V, '12.34', 'kg', STABLE),
        (toledo(0x31, b'000500', b'000020', checksum=True), V, '5.00', 'kg', STABLE),
        (toledo(0x38, b'001234', checksum=True), V, '12.34', 'kg', MOTION),
    ],
    # Rinstrum R320 Reference Manual 9.4, C530 8.2.
    'rinstrum': [
        (b'\x02   12.345GS  kg\x03', V, '12.345', 'kg', STABLE),
        (b'\x02   12.345G Z- kg\x03', V, '12.345', 'kg', STABLE),
        (b'\x02   12.345GM -   \x03', OUT, '', '', MOTION),
        (b'\x02   99.999O  - kg\x03', OUT, '', '', UNKNOWN),
        (b'STGR   1.234kg\r\n', V, '1.234', 'kg', STABLE),
        (b'  1.234KNM\r\n', V, '1.234', 'kg', MOTION),
    ],
    # Sartorius GC803S p. 57, LE p. 51, Master series p. 5-5, ME215S p. 135.
    'sbi': [
        (b'+   123.56 g  \r\n', V, '123.56', 'g', STABLE),
        (b'N     +   123.56 g  \r\n', V, '123.56', 'g', STABLE),
        (b'N     +   12.345    \r\n', OUT, '', '', MOTION),
        (b'N     +   123.5[6] g \r\n', V, '123.56', 'g', STABLE),
        (b'      H       \r\n', OUT, '', '', UNKNOWN),
        (b'Stat     ERR 123    \r\n', OUT, '', '', UNKNOWN),
        (b'Qnt   +      253 pcs\r\n', M, '', '', UNKNOWN),
    ],
    # Ohaus RS232 interface EN-3, Defender 3000 5.2, Explorer EN-156, Ranger RC 5.1.4.
    'ohaus': [
        (b'       12.72 g     \r\n', V, '12.72', 'g', STABLE),
        (b'       12.73 g    ?\r\n', V, '12.73', 'g', MOTION),
        (b'     192.08 g   00:00:30\r\n', V, '192.08', 'g', STABLE),
        (b'    12.5 lb    NET\r\n', V, '12.5', 'lb', STABLE),
        (b'           3 PCS  ?\r\n', M, '', '', UNKNOWN),
    ],
    # Ticket of a truck scale, first described at github.com/qzind/tray/issues/1158.
    'ticket': [
        (TICKETS[0], V, '12.000', 'lb', UNKNOWN),
        (TICKETS[1], OUT, '', '', UNKNOWN),
        (TICKETS[2], V, '2.25', 'kg', UNKNOWN),
    ],
}
FORMATS = sorted(SAMPLES)


def received(name, *packets, end=False, **options):
    """Feed packets to the framer of a codec and return what it parses."""
    codec = make_codec(name, CodecOptions(**options))
    framer = codec.make_framer(MAX_LINE_BYTES)
    records = [record for packet in packets for record in framer.feed(packet)]
    records += framer.end() if end else []
    return [codec.parse(record) if isinstance(record, bytes) else record for record in records]


def result(parsed):
    return parsed.status, parsed.weight, parsed.unit


def weights(parsed):
    return [result(one) for one in parsed if not isinstance(one, MalformedLine) and one.status is not M]


def wanted(samples):
    return [tuple(sample[1:4]) for sample in samples]


def test_every_codec_has_samples():
    assert set(SAMPLES) | {'template'} == set(CODECS)


@pytest.mark.parametrize('name', FORMATS)
def test_each_sample_of_a_manual_is_one_record_with_its_weight_and_state(name):
    for raw, status, weight, unit, stability in SAMPLES[name]:
        parsed = received(name, raw)
        assert len(parsed) == 1, raw
        assert result(parsed[0]) == (status, weight, unit), raw
        if status is V:
            assert parsed[0].stability is stability, raw
        assert bool(parsed[0].message) == (status is not V), raw


@pytest.mark.parametrize('name', FORMATS)
def test_samples_cut_at_every_byte_and_glued_give_the_same_records(name):
    samples = SAMPLES[name]
    stream = b''.join(sample[0] for sample in samples)
    assert [result(one) for one in received(name, stream)] == wanted(samples)
    for place in range(1, len(stream)):
        assert [result(one) for one in received(name, stream[:place], stream[place:])] == wanted(samples), place
    assert [result(one) for one in received(name, *(stream[n : n + 1] for n in range(len(stream))))] == wanted(samples)


@pytest.mark.parametrize('name', FORMATS)
def test_noise_between_records_hides_at_most_its_neighbors_and_makes_no_weight(name):
    luck, samples = random.Random(name), SAMPLES[name]
    good = {sample[2:4] for sample in samples if sample[1] is V}
    for _ in range(150):
        packets = []
        for sample in samples:
            noise = bytes(luck.choice(b'\x00\x80\xff~#!%*') for _ in range(luck.choice([0, 0, 1, 3, 300])))
            packets += [noise, sample[0]]
        for one in received(name, *packets):
            if not isinstance(one, MalformedLine) and one.status is V:
                assert (one.weight, one.unit) in good, packets


@pytest.mark.parametrize('name', FORMATS)
def test_a_stream_that_begins_or_ends_within_a_record_gives_no_part_of_its_weight(name):
    whole = [sample for sample in SAMPLES[name] if sample[1] is V]
    for raw, _, weight, unit, _ in whole:
        for place in range(1, len(raw)):
            assert all(one[1:] == (weight, unit) for one in weights(received(name, raw[:place], end=True)) if one[0] is V), (
                place
            )


@pytest.mark.parametrize('name', FORMATS)
def test_random_bytes_raise_nothing_and_cost_little(name):
    luck, samples = random.Random(4), b''.join(sample[0] for sample in SAMPLES[name])
    start = time.perf_counter()
    codec = make_codec(name)
    framer = codec.make_framer(MAX_LINE_BYTES)
    for _ in range(1500):
        data = bytearray(samples)
        for _ in range(luck.randint(1, 5)):
            data[luck.randrange(len(data))] = luck.randrange(256)
        for record in framer.feed(bytes(data)):
            if isinstance(record, bytes):
                parsed = codec.parse(record)
                assert parsed.status is not V or Decimal(parsed.weight) >= 0
    for line in (b' ' * 250, b'-' * 250, b'1' * 250, b'ST,' + b' ' * 240, b'a,' * 120, b'+ ' * 120 + b'!', b'\n' + b'0' * 240):
        for _ in range(50):
            codec.parse(line)
    assert time.perf_counter() - start < 20
