"""Records of indicators that send no line end: a record ends with a silence, when what is there is a whole record.

The old scale server took each packet as a record, and read glued and split packets wrongly. Here a record counts as whole when
the codec accepts it, and would no longer accept it with one more digit: a weight is never cut.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_weighing.bridge.codecs import Codec
from cell_weighing.bridge.framing import MalformedLine
from cell_weighing.domain.reading import ReadingStatus

LONGEST_RECORD = 64
"""Longest record of which several may be glued together."""


class SilenceSplitter:
    """Splits the bytes of one connection into records at each silence."""

    def __init__(self, codec: Codec) -> None:
        """Use the connection's codec to tell whole records."""
        self._codec = codec
        self._rejected = 0
        """Bytes that the last silences found to be no whole record."""

    def split(self, data: bytes) -> tuple[list[bytes | MalformedLine], int]:
        """Split the bytes that are there at a silence.

        Args:
            data: All bytes since the last record.

        Returns:
            The records, and the number of bytes that they use. Bytes that are no whole record stay: the rest may
            follow. They are malformed when only what came after them is whole.
        """
        if records := self._whole_records(data):
            self._rejected = 0
            return [*records], len(data)
        before, after = data[: self._rejected], data[self._rejected :]
        if before and (records := self._whole_records(after)):
            self._rejected = 0
            return [MalformedLine(before, 'the bytes before a silence are no whole line'), *records], len(data)
        self._rejected = len(data)
        return [], 0

    def _whole_records(self, data: bytes) -> list[bytes]:
        """Return the only division of bytes into whole records; [] = none, or more than one."""
        found: list[list[list[bytes]]] = [[[]]]
        for end in range(1, len(data) + 1):
            ways: list[list[bytes]] = []
            for start in range(max(0, end - LONGEST_RECORD), end):
                if found[start] and self._is_whole(data[start:end]):
                    ways += [[*way, data[start:end]] for way in found[start]]
            # Two ways are enough to know that the division is ambiguous; more would grow
            # exponentially with the length.
            found.append(ways[:2])
        return found[-1][0] if data and len(found[-1]) == 1 else []

    def _is_whole(self, record: bytes) -> bool:
        valid = self._codec.parse(record).status is not ReadingStatus.MALFORMED
        # "12.5" could be the beginning of "12.50", so it is not whole; after a unit no digit can
        # follow.
        return valid and self._codec.parse(record + b'0').status is ReadingStatus.MALFORMED
