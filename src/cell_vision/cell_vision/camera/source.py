"""Parses the text of parameter source into a kind of camera source and its target."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

VIDEO_ENDINGS = ('.mp4', '.m3u8', '.ts', '.avi', '.mkv', '.webm', '.mov')
IMAGE_ENDINGS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff')


class SourceKind(enum.Enum):
    """Kinds of sources."""

    DEVICE = 'device'
    HTTP = 'http'
    NETWORK = 'network'
    GSTREAMER = 'gstreamer'
    VIDEO = 'video'
    FOLDER = 'folder'


@dataclass(frozen=True)
class CameraSource:
    """A camera source.

    Attributes:
        kind: Decides which grabber opens it.
        target: Index, path, address or pipeline; an address may contain user name and password.
    """

    kind: SourceKind
    target: str

    @property
    def display_name(self) -> str:
        """The target without user name and password, for messages."""
        if '://' not in self.target:
            return self.target
        parts = urlsplit(self.target)
        return urlunsplit((parts.scheme, parts.netloc.rsplit('@', 1)[-1], parts.path, parts.query, parts.fragment))


class SourceError(Exception):
    """The source cannot be opened or was lost; the text gives the cause."""


class EndOfSource(SourceError):
    """A video or a folder was played to its end."""


def parse_source(text: str) -> CameraSource:
    """Return the source that a text denotes.

    Args:
        text: "0" (index), "/dev/video0", "rtsp://...", "http://.../camera.mjpg", "gst:<pipeline>", a video file, or a folder of
            images.

    Raises:
        ValueError: The text denotes none of these.
    """
    text = text.strip()
    if text.isdigit() or text.startswith('/dev/'):
        return CameraSource(SourceKind.DEVICE, text)
    if text.startswith('gst:'):
        return CameraSource(SourceKind.GSTREAMER, text.removeprefix('gst:').strip())
    scheme = urlsplit(text).scheme
    if scheme in {'http', 'https'}:
        # A video file or playlist on a web server is no MJPEG stream: OpenCV opens it.
        is_file = urlsplit(text).path.lower().endswith(VIDEO_ENDINGS)
        return CameraSource(SourceKind.NETWORK if is_file else SourceKind.HTTP, text)
    if scheme in {'rtsp', 'rtsps', 'rtmp', 'udp', 'tcp'}:
        return CameraSource(SourceKind.NETWORK, text)
    if text and Path(text).expanduser().is_dir():
        return CameraSource(SourceKind.FOLDER, str(Path(text).expanduser()))
    if text.lower().endswith(VIDEO_ENDINGS) or (text and Path(text).expanduser().is_file()):
        return CameraSource(SourceKind.VIDEO, str(Path(text).expanduser()))
    raise ValueError(
        f'source "{text}" is not a camera index, /dev path, rtsp:// or http:// address, gst: pipeline, video file or '
        'folder of images. Correct parameter source.'
    )
