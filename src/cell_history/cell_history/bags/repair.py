"""Makes an MCAP file readable whose end is missing: power was cut, or the disk was full, while it was written.

An MCAP file is a sequence of records: one byte of operation code, eight bytes of length, content. The index stands at the end.
Without it a reader scans the records, so it is enough to drop the incomplete last one and to add an end without an index.
Source: the format specification at mcap.dev, version 0.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

__all__ = ['RepairError', 'is_complete', 'write_repaired']

MAGIC = b'\x89MCAP0\r\n'
END = b'\x02' + struct.pack('<QQQI', 20, 0, 0, 0) + MAGIC
"""A footer that says: there is no index."""
KEPT = frozenset({0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09, 0x0C})
"""Header, schema, channel, message, chunk, message index, attachment, metadata: the records of the data section."""
HEAD = 9
BLOCK = 1 << 20


class RepairError(Exception):
    """The file holds nothing that could be read."""


def is_complete(path: Path) -> bool:
    """Return whether an MCAP file has its end."""
    with path.open('rb') as file:
        size = file.seek(0, 2)
        if size < len(MAGIC) + len(END):
            return False
        file.seek(-len(MAGIC), 2)
        return file.read() == MAGIC


def write_repaired(path: Path, copy: Path) -> int:
    """Write a readable copy of a file without an end.

    Args:
        path: The damaged file, which stays as it is.
        copy: File to write.

    Returns:
        Bytes at the end that are lost.

    Raises:
        RepairError: It is no MCAP file, or not even its beginning is whole.
        OSError: The copy cannot be written.
    """
    with path.open('rb') as file:
        size = file.seek(0, 2)
        whole = _whole_length(file, size)
        file.seek(0)
        with copy.open('wb') as repaired:
            _copy(file, repaired, whole)
            repaired.write(END)
    return size - whole


def _whole_length(file: BinaryIO, size: int) -> int:
    """Return the length of the file up to the end of its last whole record of the data section.

    Raises:
        RepairError: There is none.
    """
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise RepairError('it does not begin as an MCAP file')
    end, records = len(MAGIC), 0
    while end + HEAD <= size:
        file.seek(end)
        operation, length = struct.unpack('<BQ', file.read(HEAD))
        if operation not in KEPT or end + HEAD + length > size:
            break
        end += HEAD + length
        records += operation in (0x05, 0x06)
    if not records:
        raise RepairError('no whole message is left in it')
    return end


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    left = length
    while left:
        block = source.read(min(left, BLOCK))
        target.write(block)
        left -= len(block)
