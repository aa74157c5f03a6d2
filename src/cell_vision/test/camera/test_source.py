"""Camera sources as text."""

from __future__ import annotations

import pytest
from cell_vision.camera.source import SourceKind, parse_source


@pytest.mark.parametrize(
    'text, kind',
    [
        ('0', SourceKind.DEVICE),
        ('/dev/video2', SourceKind.DEVICE),
        ('rtsp://cam/1', SourceKind.NETWORK),
        ('http://cam/video.mjpg', SourceKind.HTTP),
        ('https://cam/a.m3u8', SourceKind.NETWORK),
        ('gst: videotestsrc ! appsink', SourceKind.GSTREAMER),
        ('/films/a.mp4', SourceKind.VIDEO),
        ('/tmp', SourceKind.FOLDER),
    ],
)
def test_a_source_is_recognized_by_its_text(text, kind):
    assert parse_source(text).kind is kind


@pytest.mark.parametrize('text', ['', 'nonsense', 'ftp://cam/1', '/not/there'])
def test_a_source_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match='parameter source'):
        parse_source(text)


def test_a_source_is_shown_without_its_password():
    assert parse_source('http://user:secret@cam:81/v').display_name == 'http://cam:81/v'
