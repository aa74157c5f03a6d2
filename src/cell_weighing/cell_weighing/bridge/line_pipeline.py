"""Turns the bytes of one connection into readings: framing, codec, identity check, capture.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cell_weighing.bridge.codecs import Codec, CodecOptions
from cell_weighing.bridge.formats import Format, parse_formats
from cell_weighing.bridge.framing import MAX_LINE_BYTES, MalformedLine
from cell_weighing.bridge.peers import PRINTED, STREAMING, PeerConfig, check_identity
from cell_weighing.bridge.stream_capture import StabilitySettings, StreamCapture, StreamCaptureState
from cell_weighing.bridge.unterminated import SilenceSplitter
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, Stability, WeightReading


@dataclass
class SiteConfig:
    """Settings and state that all connections share.

    Used in the thread of the TCP server only, except `samples`, which the node's thread reads.

    Attributes:
        new_id: Returns a new reading id.
        codec: Default codec, key of CODECS.
        capture: Default capture, printed or streaming.
        options: Options of the codecs.
        peers: Settings by IP address, by "host:port" of indicators that are called, or by ":port" of a
            further port.
        settings: When a streamed weight is stable.
        max_line_bytes: Length limit of a line.
        silence: Seconds without a byte that end a record without a line end; 0 = never.
        formats: By name; a codec without an entry has `options`.
        restored: Capture state of each streaming scale when the bridge was last stopped, by scale
            id.
        captures: By scale id; a capture outlives its connection.
        samples: The latest streamed sample by scale id: time (UTC, nanoseconds), peer, sample.
    """

    new_id: Callable[[], str]
    codec: str = 'legacy'
    capture: str = PRINTED
    options: CodecOptions = field(default_factory=CodecOptions)
    peers: Mapping[str, PeerConfig] = field(default_factory=dict)
    settings: StabilitySettings = field(default_factory=StabilitySettings)
    max_line_bytes: int = MAX_LINE_BYTES
    silence: float = 0.2
    formats: Mapping[str, Format] = field(default_factory=dict)
    restored: Mapping[str, StreamCaptureState] = field(default_factory=dict)
    captures: dict[str, StreamCapture] = field(default_factory=dict)
    samples: dict[str, tuple[int, str, ParsedLine]] = field(default_factory=dict)

    def format_of(self, config: PeerConfig) -> Format:
        """Return the format of an indicator.

        Raises:
            ValueError: There is no such format.
        """
        name = config.codec or self.codec
        return self.formats.get(name) or parse_formats((), self.options)[name]

    def capture_for(self, scale_id: str) -> StreamCapture:
        """Return the capture of a scale, created at its first sample."""
        if scale_id not in self.captures:
            self.captures[scale_id] = StreamCapture(self.settings, self.restored.get(scale_id))
        return self.captures[scale_id]


class LinePipeline:
    """Converts the bytes of one connection to readings.

    Attributes:
        peer: Address and port of the indicator.
        format: Name of the format of this connection.
        codec: Codec of this connection.
        poll_command: Bytes sent periodically; b'' = none.
        without_line_end: Whether this connection has sent records without an end.
        scale_ids: Scales that have sent a line on this connection.
        spoofed_ids: Scale ids that lines claimed and that belong to another address.
        capture_updates: Changed capture states of streaming scales; the caller empties it.
    """

    def __init__(self, site: SiteConfig, address: str, port: int, config: PeerConfig | None = None) -> None:
        """Select format and capture by the peer's address.

        Args:
            site: Shared settings.
            address: IPv4 or IPv6 address.
            port: Port of the peer.
            config: Settings of the peer; None = those of its address.
        """
        self._site = site
        # A socket that listens on IPv6 sees IPv4 peers as mapped addresses; parameter peers has
        # plain ones.
        self._address = address.removeprefix('::ffff:')
        self.peer = f'{self._address}:{port}'
        self._config = config or site.peers.get(self._address, PeerConfig())
        chosen = site.format_of(self._config)
        self.format = self._config.codec or site.codec
        self.codec: Codec = chosen.make()
        self.poll_command = chosen.ask or self.codec.poll_command
        self._streaming = (self._config.capture or site.capture) == STREAMING
        self._framer = self.codec.make_framer(site.max_line_bytes)
        self._splitter = SilenceSplitter(self.codec)
        self._silence_ends = site.silence > 0
        self.without_line_end = False
        self._last_id = self._config.scale_id
        self.scale_ids: set[str] = set()
        self.spoofed_ids: set[str] = set()
        self.capture_updates: dict[str, StreamCaptureState] = {}

    def feed(self, data: bytes, received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Feed received bytes and return the readings that they complete.

        Args:
            data: Any part of the stream.
            received_ns: UTC, nanoseconds since 1970.
            monotonic_ns: The machine's monotonic clock, nanoseconds.
        """
        return self._readings(self._framer.feed(data), received_ns, monotonic_ns)

    @property
    def incomplete(self) -> bool:
        """Whether bytes wait that a silence may end, see `silence`."""
        return bool(self._framer.unterminated)

    def silence(self, received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Signal that no byte came for a while; return the readings of indicators that send no line end.

        Args:
            received_ns: UTC, nanoseconds since 1970.
            monotonic_ns: The machine's monotonic clock at the last byte, nanoseconds.
        """
        records, count = self._splitter.split(self._framer.unterminated)
        self._framer.take_unterminated(count)
        self.without_line_end = self.without_line_end or count > 0
        return self._readings(records, received_ns, monotonic_ns)

    def end(self, received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Signal the end of the connection and return the reading of an incomplete line, if any.

        Args:
            received_ns: UTC, nanoseconds since 1970.
            monotonic_ns: The machine's monotonic clock, nanoseconds.
        """
        # An indicator without line ends may close right after its record: the end of the connection
        # is the silence.
        if self._silence_ends and self.incomplete and (readings := self.silence(received_ns, monotonic_ns)):
            return readings
        return self._readings(self._framer.end(), received_ns, monotonic_ns)

    def _readings(self, lines: Sequence[bytes | MalformedLine], received_ns: int, monotonic_ns: int) -> list[WeightReading]:
        """Make readings of lines; samples of a streaming scale give a reading only when they complete a bag or are faulty."""
        readings = []
        for line in lines:
            raw = line.data if isinstance(line, MalformedLine) else line
            parsed = self._parse(line)
            if self._streaming and parsed.scale_id:
                captured = self._capture(parsed, received_ns, monotonic_ns)
                if captured is None:
                    continue
                parsed = captured
            elif not self._streaming and parsed.status is ReadingStatus.VALID:
                parsed.message = _not_taken(parsed)
            readings.append(
                WeightReading(
                    self._site.new_id(),
                    parsed.scale_id,
                    0,
                    received_ns,
                    monotonic_ns,
                    raw,
                    parsed.status,
                    parsed.weight,
                    parsed.unit,
                    parsed.stability,
                    parsed.mode,
                    parsed.tare,
                    parsed.message,
                    self.peer,
                )
            )
        return readings

    def _parse(self, line: bytes | MalformedLine) -> ParsedLine:
        """Parse a line and decide which scale it belongs to."""
        if isinstance(line, MalformedLine):
            return ParsedLine(self._last_id, ReadingStatus.MALFORMED, message=line.reason)
        parsed = self.codec.parse(line)
        # Without `peers` any id may come from any address, and the check would only cost time.
        if self._site.peers or not parsed.scale_id:
            spoofed = check_identity(parsed, self._config, self._site.peers, self._address)
            if spoofed:
                self.spoofed_ids.add(spoofed)
        if parsed.status is not ReadingStatus.MALFORMED:
            self.scale_ids.add(parsed.scale_id)
            self._last_id = parsed.scale_id
        # The id of a malformed line is only a guess. It is believed if this connection has sent it
        # before, so that noise creates no scales.
        elif parsed.scale_id not in self.scale_ids:
            parsed.scale_id = self._last_id
        return parsed

    def _capture(self, sample: ParsedLine, received_ns: int, monotonic_ns: int) -> ParsedLine | None:
        capture = self._site.capture_for(sample.scale_id)
        self._site.samples[sample.scale_id] = received_ns, self.peer, sample
        before = capture.state
        captured = capture.feed(sample, monotonic_ns)
        if capture.state != before:
            self.capture_updates[sample.scale_id] = capture.state
        return captured


def _not_taken(printed: ParsedLine) -> str:
    """Return why a printed weight makes no bag; "" when it makes one."""
    if printed.stability is Stability.IN_MOTION:
        return 'the scale was in motion: wait until it stands still, then print again'
    if not printed.weight.strip('0.'):
        return 'the weight is zero: put the bag on the scale, then print again'
    return ''
