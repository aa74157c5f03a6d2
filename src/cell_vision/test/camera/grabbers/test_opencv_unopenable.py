"""Devices, streams and pipelines that cannot be opened: what to do is reported in time, and the node can end."""

from __future__ import annotations

import socket
import time

import cv2
import pytest
from cell_common.testing import wait_until
from cell_vision.camera.capture import CaptureThread
from cell_vision.camera.grabbers.opencv import OpenCvGrabber
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import SourceError, parse_source


@pytest.mark.parametrize(
    'text, advice',
    [
        ('99', 'plugged in'),
        ('/dev/video99', 'plugged in'),
        ('/dev/null', 'plugged in'),
        ('rtsp://user:secret@127.0.0.1:{closed}/1', 'check the address'),
        ('rtsp://user:secret@127.0.0.1:{silent}/1', 'check the address'),
        ('http://127.0.0.1:{closed}/live.m3u8', 'check the address'),
    ],
)
def test_a_source_that_cannot_be_opened_says_what_to_do_in_time_and_lets_the_node_end(text, advice):
    with socket.socket() as closed, socket.create_server(('127.0.0.1', 0)) as silent:
        closed.bind(('127.0.0.1', 0))  # Nobody listens; the other one listens and never answers.
        source = parse_source(text.format(closed=closed.getsockname()[1], silent=silent.getsockname()[1]))
        began = time.monotonic()
        said = []
        capture = CaptureThread(
            lambda: OpenCvGrabber(source, CameraParameters(stall_timeout=0.5)),
            lambda *_: None,
            time.monotonic_ns,
            rate=30.0,
            log=said.append,
        )
        capture.start()
        wait_until(lambda: advice in capture.state.message)
        assert time.monotonic() - began < 25.0
        assert not capture.state.connected and not any('secret' in text for text in said)
        began = time.monotonic()
        capture.stop()
        assert time.monotonic() - began < 15.0 and not capture.state.running


@pytest.mark.parametrize('built_in, advice', [(False, 'built without GStreamer'), (True, 'appsink')])
def test_a_pipeline_that_cannot_be_opened_says_whether_opencv_lacks_gstreamer(monkeypatch, built_in, advice):
    monkeypatch.setattr(cv2.videoio_registry, 'hasBackend', lambda _: built_in)
    with pytest.raises(SourceError, match=advice):
        OpenCvGrabber(parse_source('gst: nonsense ! appsink'), CameraParameters()).open()
