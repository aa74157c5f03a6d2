"""Opens bags and yields their messages, also of damaged ones: what can be read is read, and the rest is named."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag2, Qos
from rosbags.rosbag2 import Reader, ReaderError

from cell_history.bags.repair import RepairError, is_complete, write_repaired
from cell_history.bags.types import BagTypes, Message, UndecodableError

__all__ = ['BagError', 'BagMessage', 'BagReader']

METADATA = 'metadata.yaml'
FILES = ('*.mcap', '*.db3')


class BagError(Exception):
    """The bag cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class BagMessage:
    """One message of a bag.

    Attributes:
        topic: Full name, e.g. "/cell/ocr/result".
        kind: Type, e.g. "cell_interfaces/msg/OcrResult".
        time_ns: When it was recorded, ROS time in nanoseconds.
        data: Serialized message (CDR).
    """

    topic: str
    kind: str
    time_ns: int
    data: bytes


class BagReader:
    """An open bag; a context manager.

    Attributes:
        path: As given.
        problems: What is damaged or unknown, one sentence each; empty for a sound bag.
        start_ns: Time of the first message.
        end_ns: Time of the last message.
    """

    def __init__(self, path: Path) -> None:
        """Open a bag.

        Args:
            path: Folder of the bag, or one of its files.

        Raises:
            BagError: There is nothing that could be read.
        """
        self.path = path
        self.problems: list[str] = []
        self._resources = ExitStack()
        try:
            self._readers = [self._open(file) for file in self._files()]
        except BaseException:
            self._resources.close()
            raise
        connections = [connection for reader in self._readers for connection in reader.connections]
        self._types = BagTypes(connections)
        self.problems += [f'{self._topics_of(connections, kind)}: {why}' for kind, why in self._types.missing.items()]
        # A reader without messages reports the largest possible time as its start.
        used = [reader for reader in self._readers if reader.message_count]
        if not used:
            self._resources.close()
            raise BagError(f'{path} holds no messages')
        self.start_ns = min(reader.start_time for reader in used)
        self.end_ns = max(reader.end_time for reader in used) - 1

    def __enter__(self) -> BagReader:
        """Return the bag."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bag."""
        self.close()

    def close(self) -> None:
        """Close the files, and delete repaired copies."""
        self._resources.close()

    @property
    def topics(self) -> dict[str, str]:
        """Topic -> type."""
        return {connection.topic: connection.msgtype for reader in self._readers for connection in reader.connections}

    def digests(self, topic: str) -> set[str]:
        """Return the hashes of the definitions with which a topic was written; "" = the file has none."""
        return {item.digest for reader in self._readers for item in reader.connections if item.topic == topic}

    def offers(self, topic: str) -> list[Qos]:
        """Return the quality of service of the publishers of a topic."""
        found = [item.ext for reader in self._readers for item in reader.connections if item.topic == topic]
        return [offer for ext in found if isinstance(ext, ConnectionExtRosbag2) for offer in ext.offered_qos_profiles]

    def messages(
        self, topics: Collection[str] | None = None, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[BagMessage]:
        """Yield messages in the order of their time.

        Where the bag is damaged in the middle the messages end, and `problems` says so.

        Args:
            topics: Full names; None = all.
            start_ns: First time; None = from the beginning.
            stop_ns: First time that is not yielded; None = to the end.
        """
        for reader in self._readers:
            wanted = [item for item in reader.connections if topics is None or item.topic in topics]
            if not wanted:
                continue
            try:
                for connection, time_ns, data in reader.messages(wanted, start_ns, stop_ns):
                    yield BagMessage(connection.topic, connection.msgtype, time_ns, bytes(data))
            except (ReaderError, OSError, ValueError, EOFError) as error:
                self._report(f'{reader.path}: {error}; the messages behind are lost')

    def decode(self, message: BagMessage) -> Message:
        """Return the content of a message; its fields have the names of the definition in the bag.

        Raises:
            UndecodableError: Its type is unknown, or it is damaged.
        """
        return self._types.decode(message.kind, message.data)

    def decode_or_report(self, message: BagMessage) -> Message:
        """Return the content of a message; None, with an entry in `problems`, if it cannot be decoded."""
        try:
            return self.decode(message)
        except UndecodableError as error:
            self._report(f'{message.topic}: {error}')
            return None

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _files(self) -> list[Path]:
        """Return what is to be opened: the folder, or its files where the folder lacks its description.

        Raises:
            BagError: There is no bag.
        """
        if not self.path.exists():
            raise BagError(f'{self.path} does not exist: give the folder of a bag')
        if self.path.is_file():
            return [self.path]
        files = sorted(file for pattern in FILES for file in self.path.glob(pattern))
        torn = [file for file in files if file.suffix == '.mcap' and not is_complete(file)]
        if (self.path / METADATA).is_file() and not torn:
            return [self.path]
        if not files:
            raise BagError(f'{self.path} is not a bag: it has neither {METADATA} nor a file {" or ".join(FILES)}')
        if not (self.path / METADATA).is_file():
            self._report(f'{self.path} has no {METADATA}: its recording was not ended in order')
        return files

    def _open(self, path: Path) -> Reader:
        """Open a folder or file; a file without an end is repaired in a copy.

        Raises:
            BagError: It cannot be read.
        """
        try:
            if path.suffix == '.mcap' and path.is_file() and not is_complete(path):
                path = self._repaired(path)
            reader = Reader(path)
            reader.open()
        except (ReaderError, RepairError, OSError, ValueError, AssertionError) as error:
            raise BagError(f'{path} cannot be read: {error}') from error
        self._resources.callback(reader.close)
        return reader

    def _repaired(self, path: Path) -> Path:
        """Return a readable copy in a temporary folder.

        Raises:
            RepairError: Nothing can be read.
            OSError: There is no space for the copy.
        """
        copy = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix='cell-bag-'))) / path.name
        lost = write_repaired(path, copy)
        self._report(f'{path} ends in the middle: its last {lost} bytes are lost, the messages before are read')
        return copy

    @staticmethod
    def _topics_of(connections: Collection[Connection], kind: str) -> str:
        return ', '.join(sorted({item.topic for item in connections if item.msgtype == kind}))
