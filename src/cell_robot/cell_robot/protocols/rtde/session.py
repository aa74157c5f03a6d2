"""Client session that only receives: handshake, then data packages.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import PacketType, RtdeRecipe, RtdeValue, TextMessage
from cell_robot.protocols.rtde.framing import PacketSplitter, RtdeError, RtdePacket


class HandshakeStage(enum.Enum):
    """Handshake progress: the type of the answer that is due next."""

    VERSION = PacketType.VERSION
    CONTROLLER_VERSION = PacketType.CONTROLLER_VERSION
    OUTPUTS = PacketType.OUTPUTS
    START = PacketType.START
    RUNNING = PacketType.DATA


@dataclass
class ReceivedData:
    """Result of feeding received bytes."""

    send: bytes = b''
    """Bytes to send now."""
    packages: list[dict[str, RtdeValue]] = field(default_factory=list)
    """Data packages, oldest first."""
    texts: list[TextMessage] = field(default_factory=list)


class ReceiveSession:
    """State of one connection that subscribes to output variables; create one per connection."""

    def __init__(self, frequency: float, names: Sequence[str]) -> None:
        """Request the output variables `names` at `frequency` packages per second."""
        self._frequency, self._names = frequency, tuple(names)
        self._splitter = PacketSplitter()
        self._recipe: RtdeRecipe | None = None
        self.stage = HandshakeStage.VERSION
        self.version: tuple[int, int, int, int] | None = None
        """Major, minor, bugfix and build number of the controller; None before its answer."""

    def hello(self) -> bytes:
        """Return the bytes that open the handshake."""
        return codec.version_request()

    def feed(self, data: bytes) -> ReceivedData:
        """Add received bytes.

        Raises:
            RtdeError: The controller refused, or the bytes are not RTDE: close the connection.
        """
        received = ReceivedData()
        for packet in self._splitter.feed(data):
            if packet.kind == PacketType.TEXT:
                received.texts.append(codec.parse_text(packet.payload))
            elif packet.kind == PacketType.DATA and self._recipe is not None and self._takes_data:
                received.packages.append(self._recipe.unpack(packet.payload))
            else:
                received.send += self._answer(packet)
        return received

    @property
    def _takes_data(self) -> bool:
        return self.stage in (HandshakeStage.RUNNING, HandshakeStage.START)

    def _answer(self, packet: RtdePacket) -> bytes:
        if packet.kind != self.stage.value:
            raise RtdeError(f'received a packet of kind {packet.kind}, expected {self.stage.name}')
        if self.stage is HandshakeStage.VERSION:
            self._require(packet, f'protocol version {codec.PROTOCOL_VERSION}: the controller is too old')
            self.stage = HandshakeStage.CONTROLLER_VERSION
            return codec.controller_version_request()
        if self.stage is HandshakeStage.CONTROLLER_VERSION:
            self.version = codec.parse_controller_version(packet.payload)
            self.stage = HandshakeStage.OUTPUTS
            return codec.outputs_request(self._frequency, self._names)
        if self.stage is HandshakeStage.OUTPUTS:
            self._recipe = codec.parse_rtde_recipe(packet.payload, self._names)
            self.stage = HandshakeStage.START
            return codec.start_request()
        self._require(packet, 'to start the data')
        self.stage = HandshakeStage.RUNNING
        return b''

    def _require(self, packet: RtdePacket, request: str) -> None:
        if not codec.parse_accepted(packet.payload):
            raise RtdeError(f'the controller refused {request}')
