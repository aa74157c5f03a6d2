"""Interface between the Socket.IO servers and the cell; implemented over ROS in `ros_link`.

Commands go in through `CellLink`, events come out through the callbacks of `CellEvents`. Both sides
see plain values only.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ['CaptureEvent', 'CellEvents', 'CellLink', 'CellResult', 'JobRefusal']


@dataclass(frozen=True)
class CellResult:
    """Outcome of a command.

    Attributes:
        done: Whether the cell has executed it, or for a motion: whether it ended well.
        message: Result, or error and remedy, for the operator.
        stock: Counts after the command, if it changes them: part number -> tray -> pieces. Their event may come later.
    """

    done: bool
    message: str
    stock: Mapping[str, Mapping[int, int]] | None = None


@dataclass(frozen=True)
class JobRefusal:
    """A job that was refused before it began.

    Attributes:
        part_number: Requested part.
        requested: Requested pieces.
        available: Pieces in stock.
    """

    part_number: str
    requested: int
    available: int


@dataclass(frozen=True)
class CaptureEvent:
    """A part that was read and judged.

    Attributes:
        texts: Texts that OCR found.
        match: Whether they identify the wanted part.
        score: Similarity, 0..1.
        image: JPEG with overlay; empty when the frame is no longer cached.
    """

    texts: tuple[str, ...]
    match: bool
    score: float
    image: bytes


@dataclass(frozen=True)
class CellEvents:
    """Callbacks for events of the cell; called on the servers' event loop.

    Attributes:
        on_stock: The stock changed: part number -> tray -> pieces.
        on_frame: A camera frame, JPEG.
        on_capture: A part was read and judged.
        on_benchmark: A benchmark was set: part number, texts, JPEG with overlay.
        on_job_refused: A job was refused.
        on_reload: Part number whose trays are empty.
    """

    on_stock: Callable[[Mapping[str, Mapping[int, int]]], None]
    on_frame: Callable[[bytes], None]
    on_capture: Callable[[CaptureEvent], None]
    on_benchmark: Callable[[str, tuple[str, ...], bytes], None]
    on_job_refused: Callable[[JobRefusal], None]
    on_reload: Callable[[str], None]


class CellLink(Protocol):
    """Commands to the cell. Each returns its result; none raises when the cell refuses or does not respond.

    `who` names the client in the audit, e.g. "page 10.0.0.5".
    """

    async def set_job(self, who: str, part_number: str, quantity: int) -> CellResult:
        """Set the next pick job.

        Args:
            who: Client, for the audit.
            part_number: Part of the catalogue.
            quantity: Pieces, above 0.
        """
        ...

    async def start(self, who: str, *, run_job: bool) -> CellResult:
        """Run the job that is set when `run_job` is true or a job waits, else start the robot's program only.

        Args:
            who: Client, for the audit.
            run_job: A job has just been set, even if its state has not arrived yet.
        """
        ...

    async def reset_stock(self, who: str) -> CellResult:
        """Set every tray to its first count and clear a job that does not run; the result has the counts."""
        ...

    async def set_camera(self, who: str, running: bool) -> CellResult:
        """Start or stop the camera.

        Args:
            who: Name of the client, for log and audit.
            running: Wanted state.
        """
        ...

    async def set_benchmark(self, who: str, part_number: str) -> CellResult:
        """Let the robot show a known-good part and keep its reading.

        Args:
            who: Name of the client, for log and audit.
            part_number: A part of the catalogue.
        """
        ...

    async def capture(self, who: str) -> CellResult:
        """Read and judge what the camera sees now."""
        ...

    async def trigger(self, who: str, event: str, on_acknowledged: Callable[[], None]) -> CellResult:
        """Trigger an event of the robot node, and report its acknowledgement.

        Args:
            who: Client, for the audit.
            event: Event of the robot node, e.g. `PART_<part number>`.
            on_acknowledged: Called on the servers' event loop when the robot's program has taken
                the command, before the movement ends.
        """
        ...

    def watch_camera(self, wanted: bool) -> None:
        """Subscribe to camera frames, or stop while nobody watches.

        Args:
            wanted: Repeated calls have no effect.
        """
        ...
