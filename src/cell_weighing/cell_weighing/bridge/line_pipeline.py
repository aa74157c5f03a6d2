"""What one connection's bytes come to: framing, codec, identity and capture in a row. No socket, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cell_weighing.bridge.codecs import Codec, CodecOptions, make_codec
from cell_weighing.bridge.framing import MAX_LINE_BYTES, BadLine, LineFramer
from cell_weighing.bridge.peers import PRINTED, STREAMING, Peer, identify
from cell_weighing.bridge.stream_capture import Capture, CaptureSettings, Taken
from cell_weighing.domain.reading import Reading, Status, Weighing


@dataclass
class Site:
    """What all connections share."""

    new_id: Callable[[], str]
    """Makes reading ids."""
    codec: str = 'legacy'
    capture: str = PRINTED
    options: CodecOptions = field(default_factory=CodecOptions)
    peers: Mapping[str, Peer] = field(default_factory=dict)
    """By IP address."""
    settings: CaptureSettings = field(default_factory=CaptureSettings)
    max_line_bytes: int = MAX_LINE_BYTES
    taken: Mapping[str, Taken] = field(default_factory=dict)
    """Where each streaming scale stood when the bridge was last ended, by scale id."""
    captures: dict[str, Capture] = field(default_factory=dict)
    """By scale id: they outlive the connection."""
    samples: dict[str, tuple[int, str, Weighing]] = field(default_factory=dict)
    """The latest streamed sample by scale id: when it came (UTC, nanoseconds), from where, what."""

    def capture_of(self, scale_id: str) -> Capture:
        """Return the capture of a scale, made when it is first heard of."""
        if scale_id not in self.captures:
            self.captures[scale_id] = Capture(self.settings, self.taken.get(scale_id))
        return self.captures[scale_id]


class Intake:
    """Turns one connection's bytes into readings."""

    def __init__(self, site: Site, address: str, port: int) -> None:
        """Choose codec and capture by the address (IPv4 or IPv6 text)."""
        self._site = site
        self._address = address.removeprefix('::ffff:')
        self.peer = f'{self._address}:{port}'
        self._rule = site.peers.get(self._address, Peer())
        self.codec: Codec = make_codec(self._rule.codec or site.codec, site.options)
        self._streaming = (self._rule.capture or site.capture) == STREAMING
        self._framer = LineFramer(site.max_line_bytes)
        self._last_id = self._rule.scale_id
        self.scale_ids: set[str] = set()
        """Scales that have spoken on this connection."""
        self.false_ids: set[str] = set()
        """Scale ids that lines on this connection claimed and that are not believed."""
        self.kept: dict[str, Taken] = {}
        """Where streaming scales stand now, if it has changed since this was last emptied."""

    def feed(self, data: bytes, received_ns: int, monotonic_ns: int) -> list[Reading]:
        """Take bytes as they came and return the readings that they complete."""
        return self._readings(self._framer.feed(data), received_ns, monotonic_ns)

    def end(self, received_ns: int, monotonic_ns: int) -> list[Reading]:
        """Say that the connection has ended, and return the record of a line that was cut off."""
        return self._readings(self._framer.end(), received_ns, monotonic_ns)

    def _readings(self, lines: list[BadLine] | list[bytes | BadLine], received_ns: int, monotonic_ns: int) -> list[Reading]:
        readings = []
        for line in lines:
            raw = line.data if isinstance(line, BadLine) else line
            weighing = self._weigh(line)
            if self._streaming and weighing.scale_id:
                captured = self._sample(weighing, received_ns, monotonic_ns)
                if captured is None:
                    continue
                weighing = captured
            readings.append(
                Reading(
                    self._site.new_id(),
                    weighing.scale_id,
                    0,
                    received_ns,
                    monotonic_ns,
                    raw,
                    weighing.status,
                    weighing.weight,
                    weighing.unit,
                    weighing.stability,
                    weighing.mode,
                    weighing.tare,
                    weighing.message,
                    self.peer,
                )
            )
        return readings

    def _weigh(self, line: bytes | BadLine) -> Weighing:
        if isinstance(line, BadLine):
            return Weighing(self._last_id, Status.MALFORMED, message=line.reason)
        weighing = self.codec.parse(line)
        if self._site.peers or not weighing.scale_id:
            false = identify(weighing, self._rule, self._site.peers, self._address)
            if false:
                self.false_ids.add(false)
        if weighing.status is not Status.MALFORMED:
            self.scale_ids.add(weighing.scale_id)
            self._last_id = weighing.scale_id
        elif weighing.scale_id not in self.scale_ids:
            weighing.scale_id = self._last_id
        return weighing

    def _sample(self, weighing: Weighing, received_ns: int, monotonic_ns: int) -> Weighing | None:
        capture = self._site.capture_of(weighing.scale_id)
        self._site.samples[weighing.scale_id] = received_ns, self.peer, weighing
        before = capture.taken
        captured = capture.feed(weighing, monotonic_ns)
        if capture.taken != before:
            self.kept[weighing.scale_id] = capture.taken
        return captured
