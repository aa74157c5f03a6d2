"""Devices through OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.camera.grabbers.opencv import MJPG, OpenCvGrabber
from cell_vision.camera.jpeg import is_complete, size_of
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import CameraSource, SourceError, SourceKind


class FakeDevice:
    """What OpenCV gives for a V4L2 device that sends JPEGs."""

    def __init__(self, frame):
        self.frame = frame
        self.settings = {}

    def isOpened(self):
        return True

    def set(self, name, value):
        self.settings[name] = value
        return True

    def get(self, name):
        return self.settings.get(name, 0)

    def grab(self):
        return self.frame is not None

    def retrieve(self):
        return True, self.frame

    def release(self):
        self.settings['released'] = True


@pytest.fixture
def device(monkeypatch, compress, draw):
    fake = FakeDevice(np.frombuffer(compress(draw('A')) + bytes(64), np.uint8).reshape(1, -1))
    monkeypatch.setattr(cv2, 'VideoCapture', lambda *_: fake)
    return fake


def test_a_devices_own_jpegs_pass_unchanged(device):
    grabber = OpenCvGrabber(CameraSource(SourceKind.DEVICE, '0'), CameraParameters(frame_rate=200.0))
    grabber.open()
    grabber.grab()
    frame = grabber.retrieve()
    assert device.settings[cv2.CAP_PROP_FOURCC] == MJPG and device.settings[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert is_complete(frame) and size_of(frame) == (1280, 720)
    grabber.close()
    assert device.settings['released']


def test_a_device_that_is_unplugged_is_a_source_error(device):
    grabber = OpenCvGrabber(CameraSource(SourceKind.DEVICE, '0'), CameraParameters(frame_rate=200.0))
    grabber.open()
    device.frame = None
    with pytest.raises(SourceError, match='cable'):
        grabber.grab()


def test_exposure_focus_and_white_balance_are_set_only_when_given(device):
    OpenCvGrabber(
        CameraSource(SourceKind.DEVICE, '0'),
        CameraParameters(
            frame_rate=200.0,
        ),
    ).open()
    manual = {cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_FOCUS, cv2.CAP_PROP_WB_TEMPERATURE, cv2.CAP_PROP_GAIN}
    assert not manual & set(device.settings)
    OpenCvGrabber(
        CameraSource(SourceKind.DEVICE, '0'),
        CameraParameters(frame_rate=200.0, exposure=80.0, focus=30.0, white_balance=4600.0, gain=2.0),
    ).open()
    assert device.settings[cv2.CAP_PROP_EXPOSURE] == 80.0 and device.settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert device.settings[cv2.CAP_PROP_FOCUS] == 30.0 and device.settings[cv2.CAP_PROP_AUTOFOCUS] == 0
    assert device.settings[cv2.CAP_PROP_WB_TEMPERATURE] == 4600.0 and device.settings[cv2.CAP_PROP_GAIN] == 2.0
