"""Random input, and all of it that there is: no crash, no wrong reading, no growing memory."""

import gc
import itertools
import random
import re
import sys

import psutil
import pytest
from cell_common.testing import FULL
from cell_weighing.bridge.framing import MAX_LINE_BYTES
from cell_weighing.bridge.line_pipeline import LinePipeline, SiteConfig
from cell_weighing.bridge.peers import parse_peers
from cell_weighing.domain.reading import ReadingStatus

SEEDS = [
    b'3,12.500 kg\r\n',
    b'12,105.250 kg\r\n',
    b'7,0.99 lb\r',
    b'3,G,S,  12.50,kg,  0.00,NT\r\n',
    b'3,N,M,12.5,lb,1.0,T\r\n',
    b'\n 1G       12.34kg \r',
    b'\nO1G  ----------kg \r',
    b'3,nan kg\r\n',
    b'3,------ kg\n',
    b'\x00\xff,1e3 kg\r\n',
]
NOISE = b'0123456789.,- +\r\nkgGNSMOUE\x00\x80\xff_\xd9\xa3'
NUMBER = rb'([0-9]+\.?[0-9]*|\.[0-9]+)'
UNIT = rb'(kgs?|g|lbs?|oz|t)'
ORACLES = {
    'legacy': re.compile(rb' *([A-Za-z0-9][\w.-]*) *, *\+? *' + NUMBER + rb' +' + UNIT + rb' *', re.IGNORECASE | re.ASCII),
    'template': re.compile(
        rb' *([A-Za-z0-9][\w.-]*) *,[^,]*,[^,]*, *\+? *' + NUMBER + rb' *, *' + UNIT + rb' *,[^,]*,[^,]*',
        re.IGNORECASE | re.ASCII,
    ),
    'sma': re.compile(rb'[ Z]..[ M].()[ +]*' + NUMBER + rb' *' + UNIT + rb' *', re.IGNORECASE | re.ASCII),
}


MOST_OBJECTS, MOST_BYTES = 500, 4_000_000


def held() -> tuple[int, int]:
    """Return the small objects and all bytes that this process holds; unlike tracemalloc, to count them slows nothing down."""
    gc.collect()
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss


def mangled(luck: random.Random) -> bytes:
    data = bytearray(b''.join(luck.choice(SEEDS) for _ in range(luck.randint(1, 4))))
    for _ in range(luck.choice([0, 0, 1, 2, 5])):
        place = luck.randrange(len(data) + 1)
        kind = luck.random()
        if kind < 0.4 and place < len(data):
            data[place] = luck.choice(NOISE)
        elif kind < 0.7:
            data[place:place] = bytes(luck.choice(NOISE) for _ in range(luck.randint(1, 6)))
        elif kind < 0.95:
            del data[place : place + luck.randint(1, 8)]
        else:
            data[place:place] = b'x' * luck.randint(1, 3 * MAX_LINE_BYTES)
    return bytes(data)


@pytest.mark.parametrize('codec', sorted(ORACLES))
@pytest.mark.parametrize(
    'count', [5000, pytest.param(1_000_000 if FULL else 150_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_random_input_gives_no_crash_no_wrong_reading_and_no_memory(codec, count):
    luck, oracle = random.Random(count), ORACLES[codec]
    site = SiteConfig(lambda: 'id', codec=codec, peers=parse_peers(['10.0.0.1 id=3']) if codec == 'sma' else {})
    pipeline, valid = LinePipeline(site, '10.0.0.1', 1), 0
    early = held()
    for number in range(count):
        data = mangled(luck)
        cut = luck.randrange(len(data) + 1)
        for reading in pipeline.feed(data[:cut], 1, 1) + pipeline.feed(data[cut:], 1, 1):
            if reading.status is not ReadingStatus.VALID:
                assert reading.weight == reading.unit == ''
                continue
            valid += 1
            expected = oracle.fullmatch(reading.raw)
            assert expected, reading
            digits = expected[2].decode().removesuffix('.')
            digits = f'0{digits}' if digits[0] == '.' else digits
            assert (reading.weight, reading.unit) == (digits, expected[3].decode().lower().removesuffix('s')), reading
            assert reading.scale_id == (expected[1].decode() or '3'), reading
        pipeline.scale_ids &= {'3'}
        if number == count // 4:
            early = held()
    late = held()
    assert late[0] - early[0] < MOST_OBJECTS and late[1] - early[1] < MOST_BYTES
    assert valid > count // 10


@pytest.mark.parametrize('first', SEEDS)
def test_three_lines_glued_and_cut_at_every_byte_come_out_the_same(first):
    for rest in itertools.product(SEEDS, repeat=2):
        data = b''.join((first, *rest))
        whole = outcome(data)
        for cut in range(1, len(data)):
            assert outcome(data[:cut], data[cut:]) == whole


def outcome(*pieces):
    pipeline = LinePipeline(SiteConfig(lambda: ''), '10.0.0.1', 1)
    readings = [r for piece in pieces for r in pipeline.feed(piece, 1, 1)]
    return [(r.scale_id, r.status, r.weight, r.unit, r.raw) for r in [*readings, *pipeline.end(1, 1)]]
