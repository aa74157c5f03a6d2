"""What one connection's bytes come to: framing, codec, identity and capture in a row. No socket, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cell_weighing.bridge.codecs import Codec, CodecOptions, make_codec
from cell_weighing.bridge.framing import MAX_LINE_BYTES, LineFramer, MalformedLine
from cell_weighing.bridge.peers import PRINTED, STREAMING, PeerConfig, check_identity
from cell_weighing.bridge.stream_capture import CaptureState, StabilitySettings, StreamCapture
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, WeightReading


@dataclass
class SiteConfig:
    """What all connections share."""

    new_id: Callable[[], str]
    """Makes reading ids."""
    codec: str = 'legacy'
    capture: str = PRINTED
    options: CodecOptions = field(default_factory=CodecOptions)
    peers: Mapping[str, PeerConfig] = field(default_factory=dict)
    """By IP address."""
    settings: StabilitySettings = field(default_factory=StabilitySettings)
    max_line_bytes: int = MAX_LINE_BYTES
    taken: Mapping[str, CaptureState] = field(default_factory=dict)
    """Where each streaming scale stood when the bridge was last ended, by scale id."""
    captures: dict[str, StreamCapture] = field(default_factory=dict)
    """By scale id: they outlive the connection."""
    samples: dict[str, tuple[int, str, ParsedLine]] = field(default_factory=dict)
    """The latest streamed sample by scale id: when it came (UTC, nanoseconds), from where, what."""

    def capture_for(self, scale_id: str) -> StreamCapture:
        """Return the capture of a scale, made when it is first heard of."""
        if scale_id not in self.captures:
            self.captures[scale_id] = StreamCapture(self.settings, self.taken.get(scale_id))
        return self.captures[scale_id]


class LinePipeline:
    """Turns one connection's bytes into readings."""

    def __init__(self, site: SiteConfig, address: str, port: int) -> None:
        """Choose codec and capture by the address (IPv4 or IPv6 text)."""
        self._site = site
        self._address = address.removeprefix('::ffff:')
        self.peer = f'{self._address}:{port}'
        self._rule = site.peers.get(self._address, PeerConfig())
        self.codec: Codec = make_codec(self._rule.codec or site.codec, site.options)
        self._streaming = (self._rule.capture or site.capture) == STREAMING
        self._framer = LineFramer(site.max_line_bytes)
        self._last_id = self._rule.scale_id
        self.scale_ids: set[str] = set()
        """Scales that have spoken on this connection."""
        self.spoofed_ids: set[str] = set()
        """Scale ids that lines on this connection claimed and that are not believed."""
        self.capture_updates: dict[str, CaptureState] = {}
        """Where streaming scales stand now, if it has changed since this was last emptied."""

    def feed(self, data: bytes, received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Take bytes as they came and return the readings that they complete."""
        return self._readings(self._framer.feed(data), received_ns, monotonic_ns)

    def end(self, received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Say that the connection has ended, and return the record of a line that was cut off."""
        return self._readings(self._framer.end(), received_ns, monotonic_ns)

    def _readings(
        self, lines: list[MalformedLine] | list[bytes | MalformedLine], received_ns: int, monotonic_ns: int
    ) -> list[WeightReading]:
        readings = []
        for line in lines:
            raw = line.data if isinstance(line, MalformedLine) else line
            weighing = self._weigh(line)
            if self._streaming and weighing.scale_id:
                captured = self._sample(weighing, received_ns, monotonic_ns)
                if captured is None:
                    continue
                weighing = captured
            readings.append(
                WeightReading(
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

    def _weigh(self, line: bytes | MalformedLine) -> ParsedLine:
        if isinstance(line, MalformedLine):
            return ParsedLine(self._last_id, ReadingStatus.MALFORMED, message=line.reason)
        weighing = self.codec.parse(line)
        if self._site.peers or not weighing.scale_id:
            false = check_identity(weighing, self._rule, self._site.peers, self._address)
            if false:
                self.spoofed_ids.add(false)
        if weighing.status is not ReadingStatus.MALFORMED:
            self.scale_ids.add(weighing.scale_id)
            self._last_id = weighing.scale_id
        elif weighing.scale_id not in self.scale_ids:
            weighing.scale_id = self._last_id
        return weighing

    def _sample(self, weighing: ParsedLine, received_ns: int, monotonic_ns: int) -> ParsedLine | None:
        capture = self._site.capture_for(weighing.scale_id)
        self._site.samples[weighing.scale_id] = received_ns, self.peer, weighing
        before = capture.taken
        captured = capture.feed(weighing, monotonic_ns)
        if capture.taken != before:
            self.capture_updates[weighing.scale_id] = capture.taken
        return captured
