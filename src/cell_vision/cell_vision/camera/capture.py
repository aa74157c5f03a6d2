"""A thread that always holds the newest frame of a source, and opens the source again when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cell_common.backoff import Backoff

from cell_vision.camera.source import SourceEnded, SourceError

EARLY = 0.75
"""A frame may come this share of the period after the last one and still be taken: cameras jitter."""
NANOSECONDS = 1_000_000_000
LONGEST_REASON = 300


class Grabber(Protocol):
    """A source of frames; used by one thread."""

    def open(self) -> None:
        """Open it; raises SourceError."""

    def grab(self) -> None:
        """Wait for the next frame without decoding it; raises SourceError."""

    def retrieve(self) -> Any:
        """Return the frame that was waited for: JPEG bytes or a BGR picture."""

    def close(self) -> None:
        """Give it free."""


@dataclass(frozen=True)
class CaptureState:
    """What people should know of the capture."""

    running: bool = False
    """Frames are wanted."""
    connected: bool = False
    """Frames come."""
    ended: bool = False
    """A file was shown to its end."""
    problem: str = ''
    """Why no frames come."""
    frames: int = 0
    """Taken since the node started."""
    losses: int = 0
    """How often the source was lost."""
    last_frame: int = 0
    """Clock at the last frame, nanoseconds; 0 = none yet."""


class Capture:
    """Runs the thread."""

    def __init__(
        self,
        make: Callable[[], Grabber],
        take: Callable[[Any, int], None],
        now: Callable[[], int],
        *,
        rate: float,
        log: Callable[[str], None],
    ) -> None:
        """Prepare; `start` begins.

        Args:
            make: Returns a grabber that is not open yet.
            take: Called in the thread with each frame and the clock at its arrival, nanoseconds.
            now: The clock, nanoseconds.
            rate: Frames taken per second, at most.
            log: Called with a sentence once when the source is lost and once when it is back.
        """
        self._make, self._take, self._now, self._log = make, take, now, log
        self._period = round(NANOSECONDS / rate)
        self._due = 0
        self._backoff = Backoff(0.25, 10.0)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = CaptureState()

    def start(self) -> None:
        """Begin to take frames; does nothing when it runs."""
        if self._thread is not None:
            return
        self._stop.clear()
        self._backoff.reset()
        self._change(running=True, ended=False, problem='the source is being opened')
        self._thread = threading.Thread(target=self._run, name='camera capture', daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Give the source free; does nothing when it does not run."""
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None:
            thread.join(timeout)
        self._change(running=False, connected=False, problem='')

    def _run(self) -> None:
        stop = self._stop
        while not stop.is_set():
            grabber = self._make()
            try:
                grabber.open()
                while not stop.is_set():
                    grabber.grab()
                    self._frame(grabber)
            except SourceEnded as problem:
                self._change(connected=False, ended=True, problem=str(problem))
                self._log(str(problem))
                return
            except SourceError as problem:
                self._lost(str(problem))
                stop.wait(self._backoff.next())
            except Exception as problem:  # A driver's or a file system's own: the camera stays lost, the node does not.
                self._lost(f'{type(problem).__name__}: {problem}'[:LONGEST_REASON])
                stop.wait(self._backoff.next())
            finally:
                grabber.close()

    def _frame(self, grabber: Grabber) -> None:
        now = self._now()
        if now < self._due and self._due - now < self._period:
            return
        self._due = now + round(self._period * EARLY)
        frame = grabber.retrieve()
        if not self.state.connected:
            self._backoff.reset()
            self._log('frames are coming')
        self._change(connected=True, problem='', frames=self.state.frames + 1, last_frame=now)
        self._take(frame, now)

    def _lost(self, problem: str) -> None:
        if self.state.connected or problem != self.state.problem:
            self._log(f'no frames: {problem}; trying again')
        self._change(connected=False, problem=problem, losses=self.state.losses + self.state.connected)

    def _change(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
