"""One reading made of as many frames as it takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cell_vision.ocr.voting import is_certain, vote
from cell_vision.types import Code, FrameReading


@dataclass
class SeveralFrames:
    """Collects the readings of frames until they are certain."""

    wanted: int
    """Frames at most."""
    readings: list[FrameReading] = field(default_factory=list)

    @property
    def more(self) -> bool:
        """Whether another frame may tell more."""
        return not self.readings or (len(self.readings) < self.wanted and not is_certain(self.result().readings))

    @property
    def judged(self) -> int:
        """Index of the frame that the result's places belong to: the newest with text, or the newest."""
        with_text = [number for number, reading in enumerate(self.readings) if reading.readings]
        return with_text[-1] if with_text else len(self.readings) - 1

    def result(self) -> FrameReading:
        """Return what all frames say together; at least one was read."""
        newest = self.readings[self.judged]
        if len(self.readings) == 1:
            return newest
        codes: dict[tuple[str, str], Code] = {}
        for reading in self.readings:
            codes |= {(code.format, code.text): code for code in reading.codes}
        voted = vote([reading.readings for reading in self.readings[: self.judged + 1]])
        return replace(
            newest,
            readings=tuple(voted),
            codes=tuple(codes.values()),
            seconds=sum(reading.seconds for reading in self.readings),
        )
