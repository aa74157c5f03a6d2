"""RTSP cameras through OpenCV: frames, a lag, and a camera that comes back."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_vision.camera.capture import CaptureThread
from cell_vision.camera.grabbers.opencv import OpenCvGrabber
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import parse_source

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rtsp_camera import RtspCamera

pytestmark = pytest.mark.slow
SIZE = (320, 240)


class Scene:
    """A picture of one gray level."""

    level = 60

    def __call__(self):
        image = np.full((SIZE[1], SIZE[0], 3), self.level, np.uint8)
        return bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


@pytest.fixture
def camera():
    server = RtspCamera(scene := Scene())
    server.scene = scene
    yield server
    server.close()


@pytest.fixture
def capture(camera):
    options = CameraParameters(frame_rate=50.0, stall_timeout=1.0)
    frames, lock = [], threading.Lock()

    def on_frame(frame, stamp):
        with lock:
            frames.append((float(np.mean(frame)), stamp, time.monotonic_ns()))

    thread = CaptureThread(
        lambda: OpenCvGrabber(parse_source(camera.url), options), on_frame, time.monotonic_ns, rate=50.0, log=lambda _: None
    )
    thread.frames = frames
    thread.start()
    yield thread
    thread.stop()


def test_frames_of_an_rtsp_camera_are_new_and_a_lost_camera_is_connected_again(camera, capture):
    wait_until(lambda: len(capture.frames) > 5, 20, 'frames')
    camera.scene.level = 200
    changed = time.monotonic()
    wait_until(lambda: capture.frames[-1][0] > 150, 5, 'the new picture')
    assert time.monotonic() - changed < 2.5
    camera.drop()
    wait_until(lambda: camera.connections == 2, 20, 'the second connection')
    seen = len(capture.frames)
    wait_until(lambda: len(capture.frames) > seen + 3, 20, 'frames after the loss')
    assert capture.state.connected and capture.state.losses == 1


def test_the_streams_own_clock_shows_a_delay_that_begins(camera, capture):
    wait_until(lambda: len(capture.frames) > 40, 20, 'frames')
    camera.lag = 0.8
    wait_until(lambda: time.monotonic_ns() - capture.frames[-1][1] > 0.6e9, 10, 'the delay')
    seen = len(capture.frames)
    wait_until(lambda: len(capture.frames) > seen + 5, 10, 'late frames')
    assert all(received - stamp > 0.6e9 for _, stamp, received in capture.frames[seen + 1 :])


def test_a_slow_stream_is_open_before_the_timeout():
    server = RtspCamera(Scene(), rate=4.0)
    grabber = OpenCvGrabber(parse_source(server.url), CameraParameters(stall_timeout=2.0))
    begin = time.monotonic()
    grabber.open()
    grabber.grab()
    assert grabber.retrieve().shape == (SIZE[1], SIZE[0], 3) and time.monotonic() - begin < 15
    grabber.close()
    server.close()
