"""A reading that is fused from as many frames as needed.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cell_vision.ocr.voting import fuse_frames, is_certain
from cell_vision.types import Barcode, FrameReading


@dataclass
class MultiFrameReading:
    """Collects the readings of frames until they are certain.

    Attributes:
        wanted: Largest number of frames.
        readings: One for each frame, oldest first.
    """

    wanted: int
    readings: list[FrameReading] = field(default_factory=list)

    @property
    def needs_more(self) -> bool:
        """Whether another frame may improve the reading."""
        return not self.readings or (len(self.readings) < self.wanted and not is_certain(self.fuse().readings))

    @property
    def reference_index(self) -> int:
        """Index of the frame whose coordinates the fused reading has: the newest with text, or the newest."""
        with_text = [number for number, reading in enumerate(self.readings) if reading.readings]
        return with_text[-1] if with_text else len(self.readings) - 1

    def fuse(self) -> FrameReading:
        """Return the fused reading of all frames, of which there is at least one."""
        newest = self.readings[self.reference_index]
        if len(self.readings) == 1:
            return newest
        codes: dict[tuple[str, str], Barcode] = {}
        for reading in self.readings:
            codes |= {(code.format, code.text): code for code in reading.codes}
        fused = fuse_frames([reading.readings for reading in self.readings[: self.reference_index + 1]])
        return replace(
            newest,
            readings=tuple(fused),
            codes=tuple(codes.values()),
            seconds=sum(reading.seconds for reading in self.readings),
        )
