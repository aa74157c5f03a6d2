"""State of each indicator: connection, counts, last weight.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cell_weighing.domain.reading import ParsedLine, ReadingStatus, WeightReading

KNOWN_PEERS = 1000
"""Ended connections whose format is known."""


@dataclass
class ScaleEntry:
    """State of one indicator.

    Attributes:
        scale_id: "" for a connection that has sent no line yet.
        peer: Remote end of its connection; "" = not connected.
        last_received_ns: When its last line was received, UTC nanoseconds; 0 = never.
        readings: Valid readings since the bridge was installed.
        malformed: Malformed lines since the bridge started.
        malformed_in_a_row: Malformed lines since the last good one.
        last_weight: Decimal digits; "" = none yet.
        last_unit: Unit of `last_weight`.
    """

    scale_id: str
    peer: str = ''
    last_received_ns: int = 0
    readings: int = 0
    malformed: int = 0
    malformed_in_a_row: int = 0
    last_weight: str = ''
    last_unit: str = ''
    format: str = ''
    """Name of the format that reads its lines."""
    needs_silence: bool = False
    """Whether it sends records without a line end."""


@dataclass
class ScaleRegistry:
    """All indicators, and the connections whose scale is not known yet. Owned by the node's thread.

    Attributes:
        scales: By scale id; a scale stays listed after its disconnection.
        nameless: Connections that have sent no line yet, by peer.
        open_peers: Peers that are connected.
    """

    scales: dict[str, ScaleEntry] = field(default_factory=dict)
    nameless: dict[str, ScaleEntry] = field(default_factory=dict)
    open_peers: set[str] = field(default_factory=set)
    formats: dict[str, str] = field(default_factory=dict)
    """Name of the format by peer."""
    unterminated: set[str] = field(default_factory=set)
    """Peers that send records without a line end."""

    @classmethod
    def restore(cls, valid_readings: Mapping[str, int]) -> ScaleRegistry:
        """Return a registry with the scales of the journal.

        Args:
            valid_readings: Number of valid readings by scale id.
        """
        return cls({scale: ScaleEntry(scale, readings=valid) for scale, valid in valid_readings.items() if scale})

    @property
    def connected(self) -> int:
        """Number of connections."""
        return len(self.open_peers)

    def connect(self, peer: str, format_name: str = '') -> None:
        """Add a connection, shown without an id until its first line names one.

        Args:
            peer: "address:port".
            format_name: Format that reads its lines.
        """
        self.open_peers.add(peer)
        # Readings are counted after their connection may have ended, so the latest peers are kept.
        while len(self.formats) >= KNOWN_PEERS + len(self.open_peers):
            oldest = next(iter(self.formats))
            del self.formats[oldest]
            self.unterminated.discard(oldest)
        self.formats[peer] = format_name
        self.nameless[peer] = ScaleEntry('', peer, format=format_name)

    def disconnect(self, peer: str) -> None:
        """Remove a connection."""
        self.open_peers.discard(peer)
        self.nameless.pop(peer, None)
        for entry in self.scales.values():
            if entry.peer == peer:
                entry.peer = ''

    def update(self, reading: WeightReading) -> ScaleEntry:
        """Count a reading and return the entry of its scale; the reading may follow the end of its connection.

        Args:
            reading: Published reading; one without a scale id counts for its connection.
        """
        if reading.scale_id:
            entry = self.scales.setdefault(reading.scale_id, ScaleEntry(reading.scale_id))
            before = self.nameless.pop(reading.peer, None)
            entry.malformed += before.malformed if before else 0
            if reading.peer in self.open_peers:
                entry.peer = reading.peer
        else:
            # A line without id on a closed connection is counted in an entry that nobody lists.
            entry = self.nameless.get(reading.peer) or ScaleEntry('', reading.peer)
        self._note_peer(entry, reading.peer)
        entry.last_received_ns = reading.received_ns
        if reading.status is ReadingStatus.MALFORMED:
            entry.malformed += 1
            entry.malformed_in_a_row += 1
        else:
            entry.malformed_in_a_row = 0
        if reading.status is ReadingStatus.VALID:
            entry.readings += 1
            entry.last_weight, entry.last_unit = reading.weight, reading.unit
        return entry

    def update_sample(self, scale_id: str, peer: str, received_ns: int, sample: ParsedLine) -> bool:
        """Store the latest sample of a streaming scale; return whether it is new.

        Args:
            scale_id: The scale.
            peer: Remote end of its connection.
            received_ns: When the sample was received, UTC nanoseconds.
            sample: The sample.
        """
        entry = self.scales.setdefault(scale_id, ScaleEntry(scale_id))
        if entry.last_received_ns >= received_ns:
            return False
        self.nameless.pop(peer, None)
        entry.last_received_ns = received_ns
        self._note_peer(entry, peer)
        entry.peer = peer if peer in self.open_peers else entry.peer
        if sample.status is ReadingStatus.VALID:
            entry.last_weight, entry.last_unit = sample.weight, sample.unit
        return True

    def _note_peer(self, entry: ScaleEntry, peer: str) -> None:
        entry.format = self.formats.get(peer, entry.format)
        entry.needs_silence = peer in self.unterminated

    def entries(self) -> list[ScaleEntry]:
        """Return all entries: nameless connections first, then by scale id, shorter ids first."""
        return [*self.nameless.values(), *sorted(self.scales.values(), key=lambda e: (len(e.scale_id), e.scale_id))]
