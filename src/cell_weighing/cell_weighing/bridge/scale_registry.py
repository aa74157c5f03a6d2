"""What the bridge knows of each indicator. No ROS, no socket, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cell_weighing.domain.reading import ParsedLine, ReadingStatus, WeightReading


@dataclass
class ScaleEntry:
    """One indicator."""

    scale_id: str
    peer: str = ''
    """Its end of the connection; "" when not connected."""
    last_heard_ns: int = 0
    readings: int = 0
    """Valid readings since the bridge was installed."""
    malformed: int = 0
    """Malformed lines since the bridge started."""
    malformed_in_a_row: int = 0
    last_weight: str = ''
    last_unit: str = ''


@dataclass
class ScaleRegistry:
    """All indicators, and the connections that have not yet said whose they are."""

    scales: dict[str, ScaleEntry] = field(default_factory=dict)
    nameless: dict[str, ScaleEntry] = field(default_factory=dict)
    """By peer."""
    open_peers: set[str] = field(default_factory=set)

    @classmethod
    def restore(cls, known: Mapping[str, int]) -> ScaleRegistry:
        """Begin with the scales that the journal knows: number of valid readings by id."""
        return cls({scale: ScaleEntry(scale, readings=valid) for scale, valid in known.items() if scale})

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self.open_peers)

    def connect(self, peer: str) -> None:
        """Note a new connection."""
        self.open_peers.add(peer)
        self.nameless[peer] = ScaleEntry('', peer)

    def disconnect(self, peer: str) -> None:
        """Note that a connection has ended."""
        self.open_peers.discard(peer)
        self.nameless.pop(peer, None)
        for entry in self.scales.values():
            if entry.peer == peer:
                entry.peer = ''

    def update(self, reading: WeightReading) -> ScaleEntry:
        """Take a reading in, which may come after the end of its connection, and return its scale's entry."""
        if reading.scale_id:
            entry = self.scales.setdefault(reading.scale_id, ScaleEntry(reading.scale_id))
            before = self.nameless.pop(reading.peer, None)
            entry.malformed += before.malformed if before else 0
            if reading.peer in self.open_peers:
                entry.peer = reading.peer
        else:
            entry = self.nameless.get(reading.peer) or ScaleEntry('', reading.peer)
        entry.last_heard_ns = reading.received_ns
        if reading.status is ReadingStatus.MALFORMED:
            entry.malformed += 1
            entry.malformed_in_a_row += 1
        else:
            entry.malformed_in_a_row = 0
        if reading.status is ReadingStatus.VALID:
            entry.readings += 1
            entry.last_weight, entry.last_unit = reading.weight, reading.unit
        return entry

    def update_sample(self, scale_id: str, peer: str, received_ns: int, weighing: ParsedLine) -> bool:
        """Take in the latest sample of a streaming scale; return whether it is news."""
        entry = self.scales.setdefault(scale_id, ScaleEntry(scale_id))
        if entry.last_heard_ns >= received_ns:
            return False
        self.nameless.pop(peer, None)
        entry.last_heard_ns = received_ns
        entry.peer = peer if peer in self.open_peers else entry.peer
        if weighing.status is ReadingStatus.VALID:
            entry.last_weight, entry.last_unit = weighing.weight, weighing.unit
        return True

    def entries(self) -> list[ScaleEntry]:
        """Return all entries in order of scale id, digits as numbers, nameless connections first."""
        return [*self.nameless.values(), *sorted(self.scales.values(), key=lambda e: (len(e.scale_id), e.scale_id))]
