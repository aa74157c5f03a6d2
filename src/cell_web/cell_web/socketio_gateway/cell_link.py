"""What the Socket.IO servers ask of the cell, and what they learn from it; implemented over ROS in `ros_link`.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ['CaptureEvent', 'CellEvents', 'CellLink', 'CellResult', 'JobRefusal']


@dataclass(frozen=True)
class CellResult:
    """How a command ended."""

    done: bool
    message: str
    """What was done, or what is wrong and what to do."""


@dataclass(frozen=True)
class JobRefusal:
    """A job that was refused before it began."""

    part_number: str
    requested: int
    available: int


@dataclass(frozen=True)
class CaptureEvent:
    """A part that was read and judged."""

    texts: tuple[str, ...]
    match: bool
    score: float
    """0..1"""
    image: bytes
    """JPEG with overlay; empty when the picture is no longer there."""


@dataclass(frozen=True)
class CellEvents:
    """Callbacks for what happens in the cell; called on the servers' event loop."""

    on_stock: Callable[[Mapping[str, Mapping[int, int]]], None]
    """The stock changed: part number -> tray -> pieces."""
    on_frame: Callable[[bytes], None]
    """A camera frame, JPEG."""
    on_capture: Callable[[CaptureEvent], None]
    on_benchmark: Callable[[str, tuple[str, ...], bytes], None]
    """Part number, texts, JPEG with overlay."""
    on_job_refused: Callable[[JobRefusal], None]
    on_reload: Callable[[str], None]
    """Part number whose trays are empty."""


class CellLink(Protocol):
    """Commands to the cell. Each returns its result; none raises for what the cell refuses or does not answer.

    `who` names the client in the audit, e.g. "page 10.0.0.5".
    """

    async def set_job(self, who: str, part_number: str, quantity: int) -> CellResult:
        """Set the next pick job."""
        ...

    async def start(self, who: str, *, run_job: bool) -> CellResult:
        """Start the robot's program, then run the job that is set when `run_job` is true or a job waits."""
        ...

    async def reset_stock(self, who: str) -> CellResult:
        """Set every tray to its first count and clear a job that does not run."""
        ...

    async def set_camera(self, who: str, running: bool) -> CellResult:
        """Start or stop the camera."""
        ...

    async def set_benchmark(self, who: str, part_number: str) -> CellResult:
        """Let the robot show a known-good part and keep its reading."""
        ...

    async def capture(self, who: str) -> CellResult:
        """Read and judge what the camera sees now."""
        ...

    async def trigger(self, who: str, event: str, on_acknowledged: Callable[[], None]) -> CellResult:
        """Trigger an event of the robot node, and report its acknowledgement."""
        ...

    def watch_camera(self, wanted: bool) -> None:
        """Ask for frames, or for none while nobody watches."""
        ...
