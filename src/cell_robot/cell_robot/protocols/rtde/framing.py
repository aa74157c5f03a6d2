"""Splits the byte stream of an RTDE connection into packets: uint16 total size, uint8 type, payload.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct('>HB')
# The size field has 16 bits.
MAX_PACKET = 0xFFFF


class RtdeError(Exception):
    """The controller violated the protocol or refused a request; the text gives the reason."""


class RtdeRefusedError(RtdeError):
    """The controller refused a request, so the network is fine; the text gives the reason and the remedy."""


@dataclass(frozen=True)
class RtdePacket:
    """One RTDE packet."""

    kind: int
    """A value of codec.PacketType, or an unknown one."""
    payload: bytes


class PacketSplitter:
    """Incremental splitter; buffers at most one packet of at most 65,535 bytes."""

    def __init__(self) -> None:
        self._rest = b''

    @property
    def pending(self) -> int:
        """Number of buffered bytes of an incomplete packet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[RtdePacket]:
        """Add received bytes and return the complete packets.

        Raises:
            RtdeError: A size is invalid, so the start of the next packet is unknown: close the connection.
        """
        data, at, packets = self._rest + data, 0, []
        while len(data) - at >= HEADER.size:
            size, kind = HEADER.unpack_from(data, at)
            # The size counts its own header. Less would never advance.
            if size < HEADER.size:
                raise RtdeError(f'packet with invalid size of {size} bytes: the peer is no RTDE server')
            if len(data) - at < size:
                break
            packets.append(RtdePacket(kind, data[at + HEADER.size : at + size]))
            at += size
        self._rest = data[at:]
        return packets


def encode_packet(kind: int, payload: bytes = b'') -> bytes:
    """Return the bytes of a packet: size (2 bytes, itself included) and type (1 byte), then the payload.

    Args:
        kind: Type of the packet, one ASCII character as a number.
        payload: Up to 65532 bytes.

    Raises:
        RtdeError: The payload is too long for one packet.
    """
    size = HEADER.size + len(payload)
    if size > MAX_PACKET:
        raise RtdeError(f'a packet of {size} bytes exceeds {MAX_PACKET} bytes')
    return HEADER.pack(size, kind) + payload
