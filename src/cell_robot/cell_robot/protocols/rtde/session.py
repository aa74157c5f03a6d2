"""Client session that only receives: handshake, then data packages.

Pure: no ROS, sockets, files or clock.

The handshake has four requests, each sent after the answer to the one before: protocol version, controller version, output
variables, start. Text messages may come at any time, also in between.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import PacketType, RtdeRecipe, RtdeValue, TextMessage
from cell_robot.protocols.rtde.framing import PacketSplitter, RtdeError, RtdePacket, RtdeRefusedError

NOT_FOUND = 'NOT_FOUND'
KNOWN_KINDS = frozenset(PacketType)
"""Others are skipped: newer firmware may send more."""

SoftwareVersion = tuple[int, int, int, int]
"""Major, minor, bugfix and build number."""
VersionRefusal = Callable[[SoftwareVersion], str]
"""Returns why a software version is not supported, "" when it is."""


def accept_version(_version: SoftwareVersion) -> str:
    """Return "": every version is supported."""
    return ''


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
    """State of one connection that subscribes to output variables; create one per connection.

    Send the bytes of `hello` first, then feed what arrives and send what `feed` returns.
    """

    def __init__(
        self,
        frequency: float,
        names: Sequence[str],
        optional: Sequence[str] = (),
        version_refusal: VersionRefusal | None = None,
    ) -> None:
        """Request output variables.

        Args:
            frequency: Packages per second.
            names: Variables without which there is no connection.
            optional: Variables that the packages hold only where the firmware knows them.
            version_refusal: Returns why a software version is not supported, "" when it is.
        """
        self._version_refusal = version_refusal or accept_version
        self._frequency, self._required, self._names = frequency, frozenset(names), (*names, *optional)
        self._splitter = PacketSplitter()
        self._recipe: RtdeRecipe | None = None
        self.stage = HandshakeStage.VERSION
        self.version: SoftwareVersion | None = None
        """Major, minor, bugfix and build number of the controller; None before its answer."""

    def hello(self) -> bytes:
        """Return the bytes that open the handshake."""
        return codec.version_request()

    def feed(self, data: bytes) -> ReceivedData:
        """Add received bytes.

        Args:
            data: As received, cut anywhere.

        Returns:
            Bytes to send, and what has arrived.

        Raises:
            RtdeError: The controller refused, or the bytes are not RTDE: close the connection.
        """
        received = ReceivedData()
        for packet in self._splitter.feed(data):
            if packet.kind == PacketType.TEXT:
                with contextlib.suppress(RtdeError):  # firmware differs in the layout of texts
                    received.texts.append(codec.parse_text(packet.payload))
            elif packet.kind not in KNOWN_KINDS:
                continue
            elif packet.kind == PacketType.DATA and self._recipe is not None and self._takes_data:
                received.packages.append(self._recipe.unpack(packet.payload))
            else:
                received.send += self._answer(packet)
        return received

    @property
    def _takes_data(self) -> bool:
        return self.stage in (HandshakeStage.RUNNING, HandshakeStage.START)

    def _answer(self, packet: RtdePacket) -> bytes:
        """Check the answer that is due, enter the next stage, and return the next request.

        Raises:
            RtdeError: Another packet came, or the controller refused.
        """
        if packet.kind != self.stage.value:
            raise RtdeError(f'received a packet of kind {packet.kind}, expected {self.stage.name}')
        if self.stage is HandshakeStage.VERSION:
            self._require(packet, f'protocol version {codec.PROTOCOL_VERSION}: the controller is too old')
            self.stage = HandshakeStage.CONTROLLER_VERSION
            return codec.controller_version_request()
        if self.stage is HandshakeStage.CONTROLLER_VERSION:
            self.version = codec.parse_controller_version(packet.payload)
            if message := self._version_refusal(self.version):
                raise RtdeRefusedError(message)
            self.stage = HandshakeStage.OUTPUTS
            return codec.outputs_request(self._frequency, self._names)
        if self.stage is HandshakeStage.OUTPUTS:
            return self._accept_outputs(packet.payload)
        self._require(packet, 'to start the data')
        self.stage = HandshakeStage.RUNNING
        return b''

    def _accept_outputs(self, payload: bytes) -> bytes:
        """Start the data, or ask again without the optional variables that the firmware does not know.

        Raises:
            RtdeRefusedError: The firmware lacks a variable that the cell needs, or refuses the rate; the message has the
                remedy.
        """
        types = codec.parse_types(payload, self._names)
        known = tuple(name for name, kind in zip(self._names, types, strict=True) if kind != NOT_FOUND)
        if missing := [name for name in self._names if name in self._required and name not in known]:
            raise RtdeRefusedError(
                f'the controller ({self._software}) does not know the RTDE variable {", ".join(missing)}: update its software'
            )
        # The controller refuses the whole list for one unknown name, so it is asked again without it.
        if known != self._names:
            self._names = known
            return codec.outputs_request(self._frequency, known)
        if payload[0] == 0 and all(kind in codec.TYPES for kind in types):
            raise RtdeRefusedError(
                f'the controller ({self._software}) refused to send its state {self._frequency:g} times a second: lower '
                'receive_frequency; a CB3 sends at most 125'
            )
        self._recipe = codec.parse_rtde_recipe(payload, self._names)
        self.stage = HandshakeStage.START
        return codec.start_request()

    @property
    def _software(self) -> str:
        return f'PolyScope {".".join(map(str, self.version))}' if self.version is not None else 'software unknown'

    def _require(self, packet: RtdePacket, request: str) -> None:
        if not codec.parse_accepted(packet.payload):
            raise RtdeRefusedError(f'the controller refused {request}')
