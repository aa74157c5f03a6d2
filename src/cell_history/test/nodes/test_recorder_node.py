"""Node recorder writes bags that can be replayed, splits them, guards the disk and cuts clips."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from cell_common.qos import events, latched, sensor_stream
from cell_common.ros_time import to_msg
from cell_common.services import create_service, publish_events
from cell_common.testing import NodeGraph, wait_until
from cell_common.time import now_ns
from cell_history.bags.reader import BagReader
from cell_history.recorder import snapshot_collector
from cell_history.recorder.node import CLIPS, INDEX, RecorderNode
from cell_history.replay.recording import Recording
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import Inventory, InventoryEvent, JobState, ScaleReading, WeighJobList
from cell_interfaces.srv import BookPiece

CATALOGUE = Path(__file__).resolve().parents[4] / 'config' / 'parts.yaml'
Usage = namedtuple('Usage', 'total used free')
Record = Callable[..., RecorderNode]


class FakeCell:
    """Publishers and a service, as the nodes of a cell have them."""

    def __init__(self, graph: NodeGraph) -> None:
        make = graph.node.create_publisher
        self.node = graph.node
        self.stock = make(Inventory, 'inventory', latched())
        self.jobs = make(WeighJobList, 'weighing/job', latched())
        self.job = make(JobState, 'job', latched())
        self.booked = make(InventoryEvent, 'inventory/events', events())
        self.weights = make(ScaleReading, 'weighing/weight', events())
        self.frames = make(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
        publish_events(graph.node, create_service(graph.node, BookPiece, 'inventory/book', lambda _, response: response))
        self.stock.publish(Inventory(sequence=5))
        self.jobs.publish(WeighJobList(stations=['A']))
        self.job.publish(JobState())

    def weigh(self, number: int, padding: int = 0) -> None:
        reading = ScaleReading(reading_id=f'r{number}', scale_id='1', sequence=number, raw='x' * padding)
        reading.received_at = to_msg(now_ns(self.node))
        self.weights.publish(reading)

    def reject(self, piece: int) -> None:
        stamp = to_msg(now_ns(self.node))
        self.booked.publish(
            InventoryEvent(kind=InventoryEvent.REJECT, stamp=stamp, job_id='j', piece=piece, sequence=5 + piece)
        )


@pytest.fixture
def cell(graph: NodeGraph) -> FakeCell:
    return FakeCell(graph)


@pytest.fixture
def record(graph: NodeGraph, tmp_path: Path, cell: FakeCell, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setattr(snapshot_collector, 'START_S', 0.0)  # no node decides here

    def start(**parameters: object) -> RecorderNode:
        settings = {'folder': str(tmp_path), 'catalogue_file': str(CATALOGUE), 'least_free': 0, **parameters}
        node = graph.add(RecorderNode(**graph.options(**settings)))
        wait_until(lambda: cell.weights.get_subscription_count() and cell.booked.get_subscription_count())
        return node

    return start


def topics_of(path: Path) -> dict[str, int]:
    with BagReader(path) as bag:
        counts: dict[str, int] = {}
        for message in bag.messages():
            counts[message.topic] = counts.get(message.topic, 0) + 1
        return counts


def test_a_recording_holds_the_state_the_requests_and_every_message(graph: NodeGraph, cell: FakeCell, record: Record):
    node = record()
    path = node.bag
    assert path is not None
    for number in range(1, 51):
        cell.weigh(number)
        wait_until(lambda number=number: node.counts['/cell/weighing/weight'] == number)
    request = BookPiece.Request(job_id='j', piece=1, part_number='A', tray=1, outcome=1)
    wait_until(lambda: graph.node.count_subscribers('/cell/inventory/book/_service_event'))
    graph.call(BookPiece, 'inventory/book', request)
    wait_until(lambda: node.counts['/cell/inventory/book/_service_event'] == 2, what='request and answer are recorded')
    wait_until(lambda: node.counts['/cell/inventory'], what='the counts are recorded')
    graph.remove(node)
    counts = topics_of(path)
    assert counts['/cell/weighing/weight'] == 50 and counts['/cell/inventory/book/_service_event'] == 2
    assert '/cell/camera/image_raw/compressed' not in counts, 'pictures are no decisions'
    with BagReader(path) as bag:
        recording = Recording.read(bag)
    assert recording.problems == [] and int(recording.inventory.sequence) == 5 and recording.snapshot.catalogue
    assert [item.name for item in recording.asked].count('inventory/book') == 1
    assert 'cell' in recording.snapshot.versions


def test_a_bag_is_split_and_each_part_has_the_state_of_its_start(
    graph: NodeGraph, cell: FakeCell, record: Record, tmp_path: Path
):
    node = record(split_time=1.0, clips=False)
    wait_until(lambda: node.counts['/cell/inventory'], what='the counts are recorded')
    first = wait_until(lambda: node.bag)
    wait_until(lambda: node.bag not in (None, first), 20, 'the next bag')
    cell.weigh(1)
    graph.remove(node)
    bags = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    assert first in bags[:-1]
    for path in bags[bags.index(first) :]:
        assert topics_of(path)['/cell/inventory'] == 1


def test_with_a_full_disk_nothing_is_recorded_until_there_is_room(
    graph: NodeGraph, record: Record, monkeypatch: pytest.MonkeyPatch
):
    free = [10**12]
    monkeypatch.setattr(shutil, 'disk_usage', lambda _path: Usage(10**13, 0, free[0]))
    node = record(least_free=1000, clips=False)
    first = node.bag
    assert first is not None
    wait_until(lambda: node.counts['/cell/inventory'], what='the counts are recorded')
    free[0] = 10**6
    wait_until(lambda: node.bag is None, what='recording stops')
    assert topics_of(first)['/cell/inventory'] == 1, 'what was recorded is read'
    free[0] = 10**12
    wait_until(lambda: node.bag is not None, what='recording begins again')
    assert node.bag != first


def test_a_clip_is_cut_around_a_reject_with_pictures_although_none_are_recorded(
    graph: NodeGraph, cell: FakeCell, record: Record, tmp_path: Path
):
    record(clip_before=5.0, clip_after=0.3)
    wait_until(cell.frames.get_subscription_count)
    cell.frames.publish(CompressedImage(format='jpeg', data=b'picture'))
    cell.weigh(1)
    cell.reject(3)
    index = tmp_path / CLIPS / INDEX
    wait_until(index.is_file, 20, 'the clip')
    line = json.loads(wait_until(lambda: index.read_text().strip()))
    assert [(item['kind'], item['job_id'], item['piece']) for item in line['causes']] == [('reject', 'j', 3)]
    counts = topics_of(tmp_path / CLIPS / line['clip'])
    assert counts['/cell/camera/image_raw/compressed'] == 1 and counts['/cell/inventory/events'] == 1


def test_old_bags_beyond_the_limit_are_deleted_and_clips_stay(graph: NodeGraph, record: Record, tmp_path: Path):
    for name in ('20200101T000000_decisions_0001', CLIPS):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'x').write_bytes(bytes(2_000_000))
    (tmp_path / '20200102T000000_decisions_0001').mkdir()
    (tmp_path / '20200102T000000_decisions_0001' / 'x').write_bytes(bytes(500_000))
    record(total_size=1, clips=False)
    names = {path.name for path in tmp_path.iterdir()}
    assert '20200101T000000_decisions_0001' not in names and {'20200102T000000_decisions_0001', CLIPS} <= names
