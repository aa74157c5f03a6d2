"""Captures the frames of a source in a thread, and reopens the source when it is lost.

The thread reads every frame of the source, also those that the rate limit drops: a source that is
not read fills its buffers, and its frames grow old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from cell_common.backoff import Backoff
from cell_common.time import NS_PER_S

from cell_vision.camera.camera_clock import CameraClock
from cell_vision.camera.source import EndOfSource, SourceError

if TYPE_CHECKING:
    from cv2.typing import MatLike

EARLY = 0.75
"""A frame is accepted this share of the period after the last one: cameras jitter."""
# Bounds the text for log and page, whatever a library writes into its error.
LONGEST_REASON = 300


class FrameSource(Protocol):
    """A source of frames; used by one thread.

    `grab` and `retrieve` are separate, as in OpenCV, so that dropped frames are not decoded.
    """

    def open(self) -> None:
        """Open the source.

        Raises:
            SourceError: The source cannot be opened; the text has cause and remedy.
        """

    def grab(self) -> None:
        """Wait for the next frame without decoding it; must return or raise within a few seconds.

        Raises:
            SourceError: The source was lost.
            EndOfSource: A file was played to its end.
        """

    def retrieve(self) -> bytes | MatLike:
        """Return the frame for which `grab` waited: JPEG bytes or a BGR image."""

    def taken(self) -> float | None:
        """Return when the retrieved frame was taken by the camera's own clock, seconds; None when it has none."""

    def close(self) -> None:
        """Release the source."""


@dataclass(frozen=True)
class CaptureStatus:
    """State of the capture, for diagnostics.

    Attributes:
        running: The capture is started.
        connected: Frames are received.
        ended: A file was played to its end.
        message: Why no frames are received, for the operator.
        frames: Number of frames since the node started.
        losses: Number of times the source was lost.
        repeated: Frames that were dropped because the camera's clock shows that it sent them or later
            ones before.
        last_frame: Time of the last frame, nanoseconds; 0 = none yet.
    """

    running: bool = False
    connected: bool = False
    ended: bool = False
    message: str = ''
    frames: int = 0
    losses: int = 0
    repeated: int = 0
    last_frame: int = 0


class CaptureThread:
    """Opens a source and passes its frames on, at most at a given rate.

    `start` and `stop` are called by one thread, the node's. `on_frame` and `log` are called in the
    capture thread.

    Attributes:
        state: Status; replaced as a whole, so any thread may read it.
    """

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        on_frame: Callable[[bytes | MatLike, int], None],
        now: Callable[[], int],
        *,
        rate: float,
        log: Callable[[str], None],
    ) -> None:
        """Store the collaborators; `start` starts the thread.

        Args:
            make_source: Returns a source that is not open yet.
            on_frame: Called in the thread with each frame and the time at which it was taken, nanoseconds:
                that of its arrival, unless the camera's own clock shows that it was delayed.
            now: Returns the time, nanoseconds.
            rate: Largest number of frames per second.
            log: Called with a message once when the source is lost and once when it is back.
        """
        self._make_source, self._on_frame, self._now, self._log = make_source, on_frame, now, log
        self._period = round(NS_PER_S / rate)
        self._due = 0
        self._clock = CameraClock()
        self._backoff = Backoff(0.25, 10.0)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = CaptureStatus()

    def start(self) -> None:
        """Start to capture; no effect while it runs."""
        if self._thread is not None:
            return
        self._stop.clear()
        self._backoff.reset()
        self.state = replace(self.state, running=True, ended=False, message='the source is being opened')
        self._thread = threading.Thread(target=self._run, name='camera capture', daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Release the source; no effect while it is stopped.

        Args:
            timeout: Longest wait for the thread, seconds; a driver that hangs keeps its daemon
                thread.
        """
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None:
            thread.join(timeout)
        self.state = replace(self.state, running=False, connected=False, message='')

    def _run(self) -> None:
        """Open the source and read it until `stop`; the body of the thread."""
        stop = self._stop
        while not stop.is_set():
            # A new source object each time: a driver's state after an error is not to be trusted.
            source = self._make_source()
            self._clock = CameraClock()
            try:
                source.open()
                while not stop.is_set():
                    source.grab()
                    self._accept(source)
            # First: it is a SourceError, too, but an end is no loss and is not retried.
            except EndOfSource as error:
                self.state = replace(self.state, connected=False, ended=True, message=str(error))
                self._log(str(error))
                return
            except SourceError as error:
                self._on_lost(str(error))
                stop.wait(self._backoff.next())
            except Exception as error:  # An error of a driver or a file system must not end the thread.
                self._on_lost(f'{type(error).__name__}: {error}'[:LONGEST_REASON])
                stop.wait(self._backoff.next())
            finally:
                source.close()

    def _accept(self, source: FrameSource) -> None:
        """Pass the grabbed frame on, unless the rate limit drops it."""
        now = self._now()
        # The second condition lets a frame through after the clock was set back; it would otherwise
        # stop for that time.
        if now < self._due and self._due - now < self._period:
            return
        self._due = now + round(self._period * EARLY)
        frame = source.retrieve()
        taken = self._clock.time_of(now, source.taken())
        if taken is None:
            self.state = replace(self.state, repeated=self.state.repeated + 1)
            return
        if not self.state.connected:
            self._backoff.reset()
            self._log('frames are received')
        self.state = replace(self.state, connected=True, message='', frames=self.state.frames + 1, last_frame=now)
        self._on_frame(frame, taken)

    def _on_lost(self, message: str) -> None:
        if self.state.connected or message != self.state.message:
            self._log(f'no frames: {message}; retrying')
        self.state = replace(self.state, connected=False, message=message, losses=self.state.losses + self.state.connected)
