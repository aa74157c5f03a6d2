"""Grabs frames from devices, streams, videos and folders of images with OpenCV."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import IMAGE_ENDINGS, CameraSource, EndOfSource, SourceError, SourceKind

if TYPE_CHECKING:
    from cv2.typing import MatLike

LEAST_RATE = 0.1
MILLISECONDS = 1000
OPEN_TIMEOUT_MS = 4_000
"""FFmpeg examines a stream for up to a second before it is open."""
FFMPEG_OPTIONS = 'OPENCV_FFMPEG_CAPTURE_OPTIONS'
LOW_LATENCY = 'rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|analyzeduration;500000|fpsprobesize;0'
"""TCP loses no packets. Without low_delay each decoding thread holds a frame back. The default examines some 20 frames, which
at 5 frames per second takes 4 s."""
MJPG = cv2.VideoWriter.fourcc(*'MJPG')
NO_GSTREAMER = (
    'this OpenCV was built without GStreamer: install one that has it (the system package python3-opencv), or '
    'give the camera as an index, a /dev path, or an rtsp:// or http:// address'
)
V4L2_EXPOSURE_MANUAL = 1
"""V4L2_EXPOSURE_MANUAL of linux/v4l2-controls.h; OpenCV passes the number to the driver."""


@contextlib.contextmanager
def _low_latency() -> Iterator[None]:
    """Let FFmpeg pass frames on without a buffer, unless the site has set options of its own.

    OpenCV reads the variable at each opening. It is taken back, because a short video file loses its frames with it.
    """
    own = FFMPEG_OPTIONS not in os.environ
    os.environ.setdefault(FFMPEG_OPTIONS, LOW_LATENCY)
    try:
        yield
    finally:
        if own:
            del os.environ[FFMPEG_OPTIONS]


class OpenCvGrabber:
    """A device, network stream or GStreamer pipeline, which sets the frame rate.

    `close` is safe before `open`: an OpenCV capture that was never opened is released without
    effect.
    """

    def __init__(self, source: CameraSource, parameters: CameraParameters) -> None:
        """Store the settings; `open` opens the device.

        Args:
            source: Device or address.
            parameters: Requested size and rate; a device may deliver others.
        """
        self._source = source
        self._parameters = parameters
        self._capture = cv2.VideoCapture()

    def open(self) -> None:
        """Open the device.

        Raises:
            SourceError: OpenCV cannot open it.
        """
        target: int | str = int(self._source.target) if self._source.target.isdigit() else self._source.target
        timeout = int(self._parameters.stall_timeout * MILLISECONDS)
        options: list[int] = []
        if self._source.kind is SourceKind.NETWORK:
            opening = max(timeout, OPEN_TIMEOUT_MS)
            options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, opening, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout]
        backend = cv2.CAP_GSTREAMER if self._source.kind is SourceKind.GSTREAMER else cv2.CAP_ANY
        if backend == cv2.CAP_GSTREAMER and not cv2.videoio_registry.hasBackend(backend):
            raise SourceError(NO_GSTREAMER)
        with _low_latency() if self._source.kind is SourceKind.NETWORK else contextlib.nullcontext():
            self._capture = cv2.VideoCapture(target, backend, options)
        if not self._capture.isOpened():
            raise SourceError(_OPEN_ERRORS[self._source.kind])
        if self._source.kind is SourceKind.DEVICE:
            self._set_up()

    def grab(self) -> None:
        """Wait for the next frame.

        Raises:
            SourceError: The device was lost.
        """
        if not self._capture.grab():
            raise SourceError('the device sends no more frames; check its cable')

    def retrieve(self) -> bytes | MatLike:
        """Return the frame for which `grab` waited: BGR, or the bytes of the device's JPEG.

        Raises:
            SourceError: The frame cannot be decoded.
        """
        good, image = self._capture.retrieve()
        if not good:
            raise SourceError('a frame of the device cannot be decoded')
        # With CAP_PROP_CONVERT_RGB off V4L2 returns the compressed bytes as an image of one row,
        # padded with zeros to the size of the buffer.
        if min(image.shape[:2]) == 1 or image.ndim == 1:
            return image.tobytes().rstrip(b'\0')
        return image

    def taken(self) -> float | None:
        """Return the time of the frame by the device's or the stream's own clock, seconds; None when there is none.

        V4L2: timestamp of the buffer. RTSP: timestamp of the packets, from the begin of the stream.
        """
        milliseconds = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return milliseconds / MILLISECONDS if milliseconds > 0 else None

    def close(self) -> None:
        """Release the device."""
        self._capture.release()

    def _set_up(self) -> None:
        """Request MJPG, size, rate and lens settings from a device; a driver ignores those it does not know."""
        wanted = self._parameters
        if wanted.width and wanted.height:
            # The format first: V4L2 offers large frames at full rate as MJPG only, and a new format
            # may reset the size.
            self._capture.set(cv2.CAP_PROP_FOURCC, MJPG)
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
        self._capture.set(cv2.CAP_PROP_FPS, wanted.frame_rate)
        # One buffer, where the driver allows it: more of them would delay each frame.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if self._capture.get(cv2.CAP_PROP_FOURCC) == MJPG:
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)  # Pass the JPEGs of the device on unchanged.
        for automatic, off, value, number in (
            (cv2.CAP_PROP_AUTO_EXPOSURE, V4L2_EXPOSURE_MANUAL, cv2.CAP_PROP_EXPOSURE, wanted.exposure),
            (None, 0, cv2.CAP_PROP_GAIN, wanted.gain),
            (cv2.CAP_PROP_AUTOFOCUS, 0, cv2.CAP_PROP_FOCUS, wanted.focus),
            (cv2.CAP_PROP_AUTO_WB, 0, cv2.CAP_PROP_WB_TEMPERATURE, wanted.white_balance),
        ):
            # Drivers refuse a manual value while the automatic control is on.
            if number >= 0 and automatic is not None:
                self._capture.set(automatic, off)
            if number >= 0:
                self._capture.set(value, number)


class FileGrabber:
    """A video file or a folder of images, played at a steady rate.

    For tests, demonstrations and recorded streams; a loop makes it behave like a camera.
    """

    def __init__(self, source: CameraSource, parameters: CameraParameters) -> None:
        """Store the settings; `open` opens the file or lists the folder.

        Args:
            source: Video file or folder of images.
            parameters: `frame_rate` in hertz sets the pace, `loop` whether to begin again at the end.
        """
        self._source = source
        self._loop = parameters.loop
        self._rate = parameters.frame_rate
        self._capture = cv2.VideoCapture()
        self._files: list[Path] = []
        self._at = 0
        self._due = 0.0
        self._closed = threading.Event()
        self._image: MatLike | None = None

    def open(self) -> None:
        """Open the file or list the folder.

        Raises:
            SourceError: The file or folder has no images.
        """
        if self._source.kind is SourceKind.FOLDER:
            folder = Path(self._source.target)
            if not folder.is_dir():
                raise SourceError('the folder does not exist; check its path, or that its disk is mounted')
            self._files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_ENDINGS)
            if not self._files:
                raise SourceError(f'the folder has no image ({", ".join(IMAGE_ENDINGS)})')
            return
        self._capture = cv2.VideoCapture(self._source.target)
        if not self._capture.isOpened():
            raise SourceError('the video file cannot be opened; check that it exists and is a video')
        self._rate = min(self._rate, self._capture.get(cv2.CAP_PROP_FPS) or self._rate)

    def grab(self) -> None:
        """Wait until the next frame is due.

        Raises:
            EndOfSource: The last frame was played.
            SourceError: A file cannot be decoded.
        """
        now = time.monotonic()
        self._closed.wait(max(0.0, self._due - now))
        self._due = max(now, self._due) + 1 / max(
            LEAST_RATE, self._rate
        )  # The period includes the time of reading and compressing.
        self._image = self._next_file() if self._files else self._next_frame()
        self._at += 1

    def retrieve(self) -> bytes | MatLike:
        """Return the frame for which `grab` waited, BGR."""
        assert self._image is not None
        return self._image

    def taken(self) -> float | None:
        """Return None: a file has no clock."""
        return None

    def close(self) -> None:
        """Stop waiting and close the file."""
        self._closed.set()
        self._capture.release()

    def _next_file(self) -> MatLike:
        """Return the next image of the folder, shape (height, width, 3) or (height, width), 8 or 16 bits.

        Raises:
            EndOfSource: All images were played, and `loop` is off.
            SourceError: A file is no image that OpenCV can decode.
        """
        if self._at >= len(self._files) and not self._loop:
            raise EndOfSource('the last image of the folder was played')
        path = self._files[self._at % len(self._files)]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if image is None:
            raise SourceError(f'{path.name} cannot be decoded')
        return image

    def _next_frame(self) -> MatLike:
        """Return the next frame of the video, shape (height, width, 3), BGR.

        Raises:
            EndOfSource: The video has ended, and `loop` is off.
            SourceError: Its first frame cannot be read.
        """
        good, image = self._capture.read()
        if not good and not self._loop:
            raise EndOfSource('the video has ended')
        if not good:
            self._capture.open(self._source.target)  # Not every video supports seeking to its start.
            good, image = self._capture.read()
        if not good:
            raise SourceError('the video file cannot be read; check that it exists and is complete')
        return image


_OPEN_ERRORS = {
    SourceKind.DEVICE: 'cannot open the device; check that it is plugged in, readable, and not used by another program',
    SourceKind.NETWORK: 'the stream cannot be opened; check the address, user name and password, and that the camera is on',
    SourceKind.GSTREAMER: 'the pipeline cannot be opened; it must end in appsink; test it with gst-launch-1.0 and fakesink',
}
