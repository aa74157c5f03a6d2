"""Which camera source a text means."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

VIDEO_ENDINGS = ('.mp4', '.m3u8', '.ts', '.avi', '.mkv', '.webm', '.mov')
IMAGE_ENDINGS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff')


class Kind(enum.Enum):
    """What a source is."""

    DEVICE = 'device'
    HTTP = 'http'
    NETWORK = 'network'
    GSTREAMER = 'gstreamer'
    VIDEO = 'video'
    FOLDER = 'folder'


@dataclass(frozen=True)
class Source:
    """A camera source."""

    kind: Kind
    target: str
    """Index, path, address or pipeline."""

    @property
    def shown(self) -> str:
        """The source for people: without user name and password."""
        if '://' not in self.target:
            return self.target
        parts = urlsplit(self.target)
        return urlunsplit(parts._replace(netloc=parts.netloc.rsplit('@', 1)[-1]))


class SourceError(Exception):
    """The source cannot be opened or was lost; the text says why."""


class SourceEnded(SourceError):
    """A video or folder has been shown to its end."""


def parse_source(text: str) -> Source:
    """Return the source that a parameter names.

    Args:
        text: "0" (index), "/dev/video0", "rtsp://...", "http://.../camera.mjpg", "gst:<pipeline>", a video file, or a folder of
            images.

    Raises:
        ValueError: It is none of these.
    """
    text = text.strip()
    if text.isdigit() or text.startswith('/dev/'):
        return Source(Kind.DEVICE, text)
    if text.startswith('gst:'):
        return Source(Kind.GSTREAMER, text.removeprefix('gst:').strip())
    scheme = urlsplit(text).scheme
    if scheme in {'http', 'https'}:
        is_file = urlsplit(text).path.lower().endswith(VIDEO_ENDINGS)
        return Source(Kind.NETWORK if is_file else Kind.HTTP, text)
    if scheme in {'rtsp', 'rtsps', 'rtmp', 'udp', 'tcp'}:
        return Source(Kind.NETWORK, text)
    if text and Path(text).expanduser().is_dir():
        return Source(Kind.FOLDER, str(Path(text).expanduser()))
    if text.lower().endswith(VIDEO_ENDINGS) or (text and Path(text).expanduser().is_file()):
        return Source(Kind.VIDEO, str(Path(text).expanduser()))
    raise ValueError(
        f'source "{text}" is no camera index, /dev path, rtsp:// or http:// address, gst: pipeline, video file or '
        'folder of images. Correct parameter source.'
    )
