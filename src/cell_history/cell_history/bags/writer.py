"""Writes one bag: MCAP whose chunks are compressed with zstd, with the definition of every type."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer, WriterError
from rosbags.rosbag2.storage_mcap import McapWriter

from cell_history.bags.definitions import installed_definition

__all__ = ['BagWriteError', 'BagWriter']


class BagWriteError(Exception):
    """The bag cannot be written; what was written before can be read. The text says why and what to do.

    Attributes:
        no_space: The disk is full.
    """

    def __init__(self, message: str, *, no_space: bool = False) -> None:
        """Store the message and whether the disk is full."""
        super().__init__(message)
        self.no_space = no_space


class BagWriter:
    """One bag that is being written.

    Attributes:
        path: Folder of the bag.
        count: Messages so far.
    """

    def __init__(self, path: Path) -> None:
        """Create the folder.

        Raises:
            BagWriteError: It exists already, or cannot be made.
        """
        self.path, self.count = path, 0
        self._connections: dict[str, Connection] = {}
        try:
            self._writer = Writer(path, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP)
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            self._writer.open()
        except (OSError, WriterError) as error:
            raise _write_error(path, error) from error

    @property
    def size(self) -> int:
        """Bytes on the disk so far; messages in memory are not counted."""
        storage = self._writer.storage
        return storage.bio.tell() if isinstance(storage, McapWriter) else 0

    def has(self, topic: str) -> bool:
        """Return whether a topic was added."""
        return topic in self._connections

    def add(self, topic: str, kind: str, offered: Sequence[Qos] = ()) -> None:
        """Add a topic.

        Args:
            topic: Full name.
            kind: Its type.
            offered: Quality of service of its publishers.

        Raises:
            DefinitionError: The type is not installed.
        """
        definition, digest = installed_definition(kind)
        self._connections[topic] = self._writer.add_connection(
            topic, kind, msgdef=definition, rihs01=digest, offered_qos_profiles=offered
        )

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """Write a message of a topic that was added.

        Raises:
            BagWriteError: The disk is full, or failed.
        """
        try:
            self._writer.write(self._connections[topic], time_ns, data)
        except OSError as error:
            raise _write_error(self.path, error) from error
        self.count += 1

    def flush(self) -> None:
        """Write the messages in memory to the disk, so that a power cut costs no more than those that follow.

        Raises:
            BagWriteError: The disk is full, or failed.
        """
        storage = self._writer.storage
        try:
            if isinstance(storage, McapWriter) and storage.chunk.msgs:
                storage.close_chunk()
                storage.bio.flush()
        except OSError as error:
            raise _write_error(self.path, error) from error

    def close(self) -> None:
        """End the bag.

        Raises:
            BagWriteError: The disk is full, or failed: the bag has no end, and is read as one that ends in the middle.
        """
        try:
            self._writer.close()
        except OSError as error:
            self._writer.abort()
            raise _write_error(self.path, error) from error


def _write_error(path: Path, error: Exception) -> BagWriteError:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = 'free space, then record again' if full else 'check its folder and permissions'
    return BagWriteError(f'{path} cannot be written: {error}; {remedy}', no_space=full)
