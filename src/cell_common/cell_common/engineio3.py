"""Packets and payloads of Engine.IO protocol 3, the transport of Socket.IO 1.x and 2.x clients.

Pure: no ROS, sockets, files or clock.

A packet is one digit for its type, then its data. A polling request carries several packets, each as `<length>:<packet>`; the
length counts UTF-16 code units, since the reference implementation is JavaScript
(https://github.com/socketio/engine.io-protocol/tree/v3).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

__all__ = [
    'BINARY_MESSAGE',
    'CLOSE',
    'MESSAGE',
    'NOOP',
    'OPEN',
    'PING',
    'PONG',
    'UPGRADE',
    'EngineIoPayloadError',
    'decode_binary_payload',
    'decode_payload',
    'encode_payload',
]

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = '0', '1', '2', '3', '4', '5', '6'
BINARY_MESSAGE = b'\x04'
"""First byte of a binary message."""
LONGEST_LENGTH = 8
"""Digits of a packet's length."""
END_OF_LENGTH = b'\xff'


class EngineIoPayloadError(ValueError):
    """A polling request is not a payload of Engine.IO 3."""


def encode_payload(packets: Iterable[str]) -> str:
    """Return the body of a polling response with these text packets.

    Args:
        packets: Type digit and data each; protocol 3 has no separator, the length tells where a
            packet ends.
    """
    return ''.join(f'{_utf16_length(packet)}:{packet}' for packet in packets)


def decode_payload(body: str) -> list[str | bytes]:
    """Return the packets of a polling request's body; a packet in base64 as the bytes it stands for.

    Args:
        body: Decoded text of the request.

    Returns:
        Text packets as str (type digit first), binary ones as bytes (type byte first).

    Raises:
        EngineIoPayloadError: A length is missing, not a number, or does not fit the body, or base64
            is broken.
    """
    return [_binary(packet) if packet.startswith('b') else packet for packet in _packets(body)]


def decode_binary_payload(body: bytes) -> list[str | bytes]:
    """Return the packets of a polling request in the binary form, which some clients use for text too.

    Each packet is a byte 0 for text or 1 for binary data, the digits of its length in bytes as bytes 0 to 9, a byte 255,
    and its data.

    Raises:
        EngineIoPayloadError: The form is broken, or a text is not UTF-8.
    """
    packets: list[str | bytes] = []
    place = 0
    while place < len(body):
        end = body.find(END_OF_LENGTH, place, place + LONGEST_LENGTH + 2)
        digits = body[place + 1 : end]
        if body[place] > 1 or end < 0 or not digits or max(digits) > 9:
            raise EngineIoPayloadError('no length before a binary packet')
        data = body[end + 1 : end + 1 + int(''.join(map(str, digits)))]
        packets.append(data if body[place] else _text(data))
        place = end + 1 + int(''.join(map(str, digits)))
    if place != len(body):
        raise EngineIoPayloadError('a binary packet in a body that is too short')
    return packets


def _binary(packet: str) -> bytes:
    """Return the packet that `b`, its type and base64 stand for."""
    try:
        return bytes([int(packet[1:2])]) + base64.b64decode(packet[2:], validate=True)
    except (ValueError, binascii.Error) as error:
        raise EngineIoPayloadError('a binary packet that is not base64') from error


def _text(data: bytes) -> str:
    try:
        return data.decode('utf-8')
    except UnicodeDecodeError as error:
        raise EngineIoPayloadError('a packet that is not UTF-8') from error


def _packets(body: str) -> Iterator[str]:
    # Two bytes per code unit: lengths become offsets, whatever characters the text has.
    rest = body.encode('utf-16-le', 'surrogatepass')
    separator = ':'.encode('utf-16-le')
    while rest:
        place = 0
        while rest[place : place + 2] != separator:
            place += 2
            # Limited, so that a body without a colon is not searched to its end.
            if place > 2 * LONGEST_LENGTH or place >= len(rest):
                raise EngineIoPayloadError('no length before a packet')
        digits = rest[:place].decode('utf-16-le', 'replace')
        if not (digits.isascii() and digits.isdigit()):
            raise EngineIoPayloadError(f'a packet of length {digits!r}')
        end = place + 2 + 2 * int(digits)
        if end > len(rest) or int(digits) == 0:
            raise EngineIoPayloadError(f'a packet of length {digits} in a body that is too short')
        yield rest[place + 2 : end].decode('utf-16-le', 'replace')
        rest = rest[end:]


def _utf16_length(text: str) -> int:
    return len(text.encode('utf-16-le', 'surrogatepass')) // 2
