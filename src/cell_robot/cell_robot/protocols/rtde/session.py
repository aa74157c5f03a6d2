"""The handshake of a client that only listens, then its data: what to send next, given what came."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import Kind, Recipe, Text, Value
from cell_robot.protocols.rtde.framing import Frame, FrameSplitter, RtdeError


class Stage(enum.Enum):
    """How far the handshake is: the answer that is awaited."""

    VERSION = Kind.VERSION
    CONTROLLER_VERSION = Kind.CONTROLLER_VERSION
    OUTPUTS = Kind.OUTPUTS
    START = Kind.START
    RUNNING = Kind.DATA


@dataclass
class Received:
    """What some bytes brought."""

    send: bytes = b''
    """To be sent now."""
    packages: list[dict[str, Value]] = field(default_factory=list)
    """Data, oldest first."""
    texts: list[Text] = field(default_factory=list)


class ReceiveSession:
    """One connection that asks for variables and listens; make a new one for each connection."""

    def __init__(self, frequency: float, names: Sequence[str]) -> None:
        """Prepare to ask for `names` at `frequency` packages a second."""
        self._frequency, self._names = frequency, tuple(names)
        self._splitter = FrameSplitter()
        self._recipe: Recipe | None = None
        self.stage = Stage.VERSION
        self.version: tuple[int, int, int, int] | None = None
        """Major, minor, bugfix, build of the controller; None until it has told."""

    def begin(self) -> bytes:
        """Return what to send first."""
        return codec.ask_version()

    def feed(self, data: bytes) -> Received:
        """Take bytes as they came.

        Raises:
            RtdeError: The controller refused, or what came is not RTDE: close the connection.
        """
        received = Received()
        for frame in self._splitter.feed(data):
            if frame.kind == Kind.TEXT:
                received.texts.append(codec.text(frame.payload))
            elif frame.kind == Kind.DATA and self.stage in (Stage.RUNNING, Stage.START) and self._recipe is not None:
                received.packages.append(self._recipe.unpack(frame.payload))
            else:
                received.send += self._answer(frame)
        return received

    def _answer(self, frame: Frame) -> bytes:
        if frame.kind != self.stage.value:
            raise RtdeError(f'a frame of kind {frame.kind} came while {self.stage.name} was awaited')
        if self.stage is Stage.VERSION:
            self._must(frame, f'protocol version {codec.PROTOCOL}: the controller is too old')
            self.stage = Stage.CONTROLLER_VERSION
            return codec.ask_controller_version()
        if self.stage is Stage.CONTROLLER_VERSION:
            self.version = codec.controller_version(frame.payload)
            self.stage = Stage.OUTPUTS
            return codec.ask_outputs(self._frequency, self._names)
        if self.stage is Stage.OUTPUTS:
            self._recipe = codec.recipe(frame.payload, self._names)
            self.stage = Stage.START
            return codec.ask_start()
        self._must(frame, 'to start the data')
        self.stage = Stage.RUNNING
        return b''

    def _must(self, frame: Frame, what: str) -> None:
        if not codec.accepted(frame.payload):
            raise RtdeError(f'the controller refused {what}')
