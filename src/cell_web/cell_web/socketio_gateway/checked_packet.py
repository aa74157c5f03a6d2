"""Socket.IO packets that no client can break the server with.

The library raises at a malformed packet: the client learns nothing, the log gets a traceback, and after a broken attachment
every later event of that client is lost. Here such a packet becomes the event UNREADABLE, whose payload says what is wrong.
"""

from __future__ import annotations

import re
from typing import Any

from socketio import packet

__all__ = ['LARGEST_EVENT', 'UNREADABLE', 'CheckedPacket']

UNREADABLE = 'unreadable message'
"""Event of a packet that could not be read; its payload is the reason."""
LARGEST_EVENT = 1_000_000
"""Characters of an event, or bytes of one of its binary parts; the contract's own events have some hundred."""
EVENT_NAME = re.compile(r'\d*(?:\d-)?\["([\w ]{1,40})"')
MOST_ATTACHMENTS = 8
"""Binary parts of one event. The contract has none; the library would keep any number of them in memory."""
_TOO_LARGE = 'more than 1 MB: send images and files another way'


class CheckedPacket(packet.Packet):
    """One packet; give the class to the server as its `serializer`."""

    def __init__(self, *arguments: Any, encoded_packet: Any = None, **options: Any) -> None:
        """Make a packet, or read `encoded_packet`: text, or bytes of a binary message."""
        # The library takes an empty message for no message, and makes an event without a name of it.
        text = ' ' if encoded_packet is not None and not encoded_packet else encoded_packet
        super().__init__(*arguments, encoded_packet=text, **options)

    def decode(self, encoded_packet: str | bytes) -> int:
        """Read the packet's fields, and return how many attachments follow."""
        try:
            if isinstance(encoded_packet, bytes):
                raise ValueError('binary data without an event before it')
            if len(encoded_packet) > LARGEST_EVENT:
                name = EVENT_NAME.match(encoded_packet)
                raise ValueError(f'{name[1] if name else "an event"} has {_TOO_LARGE}')
            attachments = int(super().decode(encoded_packet) or 0)
            self._check(attachments)
        # Deeply nested JSON is a RecursionError.
        except (ValueError, RecursionError) as error:
            self._become_unreadable(error)
            return 0
        return attachments

    def add_attachment(self, attachment: str | bytes) -> bool:
        """Add one attachment; return whether it was the last."""
        try:
            if len(attachment) > LARGEST_EVENT:
                raise ValueError(f'a binary part has {_TOO_LARGE}')
            return bool(super().add_attachment(attachment))
        # A placeholder without its number, or with one that no attachment has.
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            self._become_unreadable(error)
            self.packet_type = packet.BINARY_EVENT  # the library takes any other for an acknowledgement
            return True

    def _check(self, attachments: int) -> None:
        """Check what the library takes for granted.

        Raises:
            ValueError: The packet cannot be an event of a client.
        """
        if attachments > MOST_ATTACHMENTS:
            raise ValueError(f'an event has at most {MOST_ATTACHMENTS} attachments')
        if self.packet_type in (packet.EVENT, packet.BINARY_EVENT):
            if not (isinstance(self.data, list) and self.data and isinstance(self.data[0], str)):
                raise ValueError('an event is a list that begins with its name')
        elif self.packet_type not in (packet.CONNECT, packet.DISCONNECT, packet.ACK, packet.BINARY_ACK):
            raise ValueError(f'packet type {self.packet_type} is not one of a client')

    def _become_unreadable(self, error: Exception) -> None:
        self.packet_type, self.namespace, self.id = packet.EVENT, None, None
        self.data = [UNREADABLE, str(error)[:100]]
