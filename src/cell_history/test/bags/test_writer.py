"""A bag that cannot be written says why, and keeps what was written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from cell_history.bags.reader import BagReader
from cell_history.bags.writer import BagWriteError, BagWriter
from rclpy.serialization import serialize_message
from rosbags.rosbag2.storage_mcap import McapWriter
from std_msgs.msg import String

NOTE = serialize_message(String(data='note'))


def test_a_folder_that_exists_is_not_overwritten(tmp_path: Path):
    with pytest.raises(BagWriteError, match='exists'):
        BagWriter(tmp_path)


def test_with_a_full_disk_the_error_says_so_and_what_was_flushed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    writer = BagWriter(tmp_path / 'bag')
    writer.add('/cell/note', 'std_msgs/msg/String')
    writer.write('/cell/note', 1, NOTE)
    writer.flush()

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    writer.write('/cell/note', 2, NOTE)
    with monkeypatch.context() as full:
        full.setattr(McapWriter, 'close_chunk', no_space)
        for end in (writer.flush, writer.close):
            with pytest.raises(BagWriteError, match='free space') as caught:
                end()
            assert caught.value.no_space
    with BagReader(writer.path) as bag:
        assert [message.time_ns for message in bag.messages()] == [1]
