"""Bags are read as far as they can be, and say what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cell_history.bags.reader import BagError, BagReader
from cell_history.bags.types import UndecodableError
from cell_history.bags.writer import BagWriter
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from std_msgs.msg import String

CopyOf = Callable[[str], Path]
COUNT = 60
"""Messages of the bag of `stepwise`."""


def file_of(bag: Path) -> Path:
    return next(bag.glob('*.mcap'))


@pytest.fixture
def stepwise(tmp_path: Path) -> Path:
    """A bag that was flushed after each message, as a slow recording is."""
    writer = BagWriter(tmp_path / 'stepwise')
    writer.add('/cell/note', 'std_msgs/msg/String')
    for number in range(COUNT):
        writer.write('/cell/note', number, serialize_message(String(data=f'{number}' * 50)))
        writer.flush()
    writer.close()
    return writer.path


def test_a_sound_bag_has_no_problems(copy_of: CopyOf):
    with BagReader(copy_of('normal_job')) as bag:
        assert sum(1 for _ in bag.messages()) > 20
        assert bag.problems == [] and bag.end_ns > bag.start_ns


@pytest.mark.parametrize('share', [0.95, 0.6, 0.3])
def test_of_a_bag_with_a_torn_end_the_messages_before_are_read(stepwise: Path, share: float):
    file, description = file_of(stepwise), stepwise / 'metadata.yaml'
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    description.unlink()
    with BagReader(stepwise) as bag:
        texts = [bag.decode(message).data for message in bag.messages()]
        assert texts == [f'{number}' * 50 for number in range(len(texts))]
        assert 0.2 * COUNT < len(texts) <= COUNT
        assert any('ends in the middle' in problem for problem in bag.problems)
        assert any('not ended in order' in problem for problem in bag.problems)


def test_a_torn_file_is_found_beside_its_description_and_stays_as_it_is(stepwise: Path):
    file = file_of(stepwise)
    torn = file.read_bytes()[:-100]
    file.write_bytes(torn)
    with BagReader(stepwise) as bag:
        assert sum(1 for _ in bag.messages()) == COUNT
    assert file.read_bytes() == torn


def test_a_bag_without_its_description_is_read_by_its_files(copy_of: CopyOf):
    path = copy_of('rejects')
    with BagReader(path) as bag:
        complete = [message.time_ns for message in bag.messages()]
    (path / 'metadata.yaml').unlink()
    with BagReader(path) as bag:
        assert [message.time_ns for message in bag.messages()] == complete


@pytest.mark.parametrize('content', [b'', b'not a bag', b'\x89MCAP0\r\n', b'\x89MCAP0\r\n' + b'\x01' * 60])
def test_a_file_that_is_no_bag_is_refused_with_its_name(tmp_path: Path, content: bytes):
    (tmp_path / 'broken.mcap').write_bytes(content)
    with pytest.raises(BagError, match=r'broken\.mcap'):
        BagReader(tmp_path)


@pytest.mark.parametrize(('path', 'reason'), [('nowhere', 'does not exist'), ('.', 'is not a bag')])
def test_a_folder_without_a_bag_is_refused(tmp_path: Path, path: str, reason: str):
    with pytest.raises(BagError, match=reason):
        BagReader(tmp_path / path)


def test_an_unknown_type_without_definition_is_named_and_the_rest_is_read(tmp_path: Path):
    path = tmp_path / 'bag'
    with Writer(path, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        for topic, kind in (('/cell/strange', 'nowhere_msgs/msg/Thing'), ('/cell/note', 'std_msgs/msg/String')):
            connection = writer.add_connection(topic, kind, msgdef=' ', rihs01='RIHS01_0')
            writer.write(connection, 1, serialize_message(String(data='read')))
    with BagReader(path) as bag:
        found = {message.topic: message for message in bag.messages()}
        assert bag.decode(found['/cell/note']).data == 'read'
        with pytest.raises(UndecodableError):
            bag.decode(found['/cell/strange'])
        assert bag.decode_or_report(found['/cell/strange']) is None
        assert [problem for problem in bag.problems if 'nowhere_msgs' in problem and '/cell/strange' in problem]


def test_a_message_with_damaged_bytes_is_reported_once(tmp_path: Path):
    writer = BagWriter(tmp_path / 'bag')
    writer.add('/cell/note', 'std_msgs/msg/String')
    for number in range(3):
        writer.write('/cell/note', number, b'\x00\x01\x00\x00\xff\xff\xff\x7f')
    writer.close()
    with BagReader(writer.path) as bag:
        assert [bag.decode_or_report(message) for message in bag.messages()] == [None] * 3
        assert len(bag.problems) == 1
