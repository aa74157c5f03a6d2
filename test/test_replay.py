"""Replay of a recorded bag: reads, verdicts and bags match the golden results.

CELL_WRITE_GOLDEN=1 writes the golden file from the results; review the difference before a commit.
"""

import json
import os
from pathlib import Path

import pytest
from cell_common.qos import events, sensor_stream
from cell_common.testing import wait_until
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import BagRecord, MatchResult, OcrResult
from cell_interfaces.srv import MatchPart, ReadText, StartWeighJob

DATA = Path(__file__).resolve().parent / 'data'
GOLDEN = DATA / 'replay_golden.json'
ORDERED = 'G8NB-17SR'
FIRST_PIECE_S = 1_700_000_002  # only the lead-in precedes it
FRAMES, BAGS = 5, 3
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def verdict(code):
    names = ('MATCH', 'MISMATCH', 'AMBIGUOUS', 'UNREADABLE', 'UNKNOWN')
    return next(name for name in names if getattr(MatchResult, name) == code)


def match_frame(client, frame):
    """Read a frame of the bag and match it against the ordered part."""
    read = client.call(ReadText, 'ocr/read', ReadText.Request(image=frame))
    match = client.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number=ORDERED, ocr=read.result)).result
    return {
        'frame': frame.header.stamp.sec,
        'status': 'OK' if read.result.status == OcrResult.OK else 'NO_TEXT',
        'verdict': verdict(match.verdict),
        'part_number': match.part_number,
        'text': match.text if match.part_number else '',  # faint print gives slightly different texts on another processor
    }


def bag(record):
    outcomes = {BagRecord.IN_TOLERANCE: 'IN_TOLERANCE', BagRecord.UNDER: 'UNDER', BagRecord.OVER: 'OVER'}
    return {
        'number': record.bag_number,
        'weight': record.weight,
        'unit': record.unit,
        'outcome': outcomes.get(record.outcome, 'NO_ACTIVE_JOB'),
        'weighed_at': record.weighed_at.sec,
    }


@pytest.fixture
def replay(launch_cell):
    return launch_cell(wait=False, launch_file='replay.launch.py', bag=DATA / 'replay', start_after=12.0)


def test_a_replayed_bag_gives_the_golden_reads_verdicts_and_bags(replay):
    client = replay.client
    frames: list[CompressedImage] = []
    bags: list[BagRecord] = []
    client.node.create_subscription(CompressedImage, 'camera/image_raw/compressed', frames.append, sensor_stream())
    client.node.create_subscription(BagRecord, 'weighing/bag', bags.append, events())

    def pieces():
        return [frame for frame in frames if frame.header.stamp.sec >= FIRST_PIECE_S]

    wait_until(lambda: frames, 60, f'the bag plays; see {replay.log}')
    order = StartWeighJob.Request(company='ACME', station='A', target_weight='2.000', unit='kg', quantity=9)
    client.call(StartWeighJob, 'weighing/start_job', order)
    wait_until(lambda: len(pieces()) == FRAMES and len(bags) == BAGS, 60, 'all frames and bags of the bag')
    seen = {'reads': [match_frame(client, frame) for frame in pieces()], 'bags': [bag(record) for record in bags]}
    if os.environ.get('CELL_WRITE_GOLDEN'):
        GOLDEN.write_text(json.dumps(seen, indent=1) + '\n')
    assert seen == json.loads(GOLDEN.read_text())


def test_the_golden_results_never_take_another_part_for_the_ordered_one():
    # so that a rewritten golden file cannot contain a false accept
    shown = {
        1700000002: ORDERED,
        1700000003: 'G8NB-17SU',
        1700000004: ORDERED,
        1700000005: ORDERED,
        1700000006: 'HF115F-024',
    }
    golden = json.loads(GOLDEN.read_text())
    assert {read['frame'] for read in golden['reads']} == set(shown)
    for read in golden['reads']:
        assert read['verdict'] != 'MATCH' or shown[read['frame']] == ORDERED
    assert sum(read['verdict'] == 'MATCH' for read in golden['reads']) >= 2
