import threading

import cv2
import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_legacy.camera.capture import Camera, CameraError


class FakeCapture:
    """Stands in for cv2.VideoCapture: counts its frames up, fails when told to."""

    opened = True

    def __init__(self, index: int, backend: int) -> None:
        self.index, self.backend = index, backend
        self.count = 0
        self.fail = self.raises = False
        self.failed = threading.Event()
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return self.opened

    def read(self):
        if self.fail:
            self.failed.set()
            if self.raises:
                raise cv2.error('the driver has lost its device')
            return False, None
        self.count += 1
        return True, np.full((4, 6, 3), self.count % 256, np.uint8)

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    monkeypatch.setattr(FakeCapture, 'opened', True)
    camera = Camera()
    yield camera
    camera.stop()


def test_the_index_is_1_unless_given():
    assert Camera().camera_index == 1 and Camera(camera_index=3).camera_index == 3


def test_there_is_no_frame_before_the_first(camera):
    assert camera.get_frame() is None and not camera.is_running


def test_a_started_camera_gives_copies_of_its_newest_frame(camera):
    camera.start()
    wait_until(lambda: camera.get_frame() is not None, 5.0, 'a frame')
    frame = camera.get_frame()
    assert frame.shape == (4, 6, 3)
    frame[:] = 77
    assert camera.get_frame() is not frame
    first = camera.cap.count
    wait_until(lambda: camera.cap.count > first, 5.0, 'another frame')


def test_starting_twice_opens_the_camera_once(camera):
    camera.start()
    cap = camera.cap
    camera.start()
    assert camera.cap is cap


@pytest.mark.parametrize('raises', [False, True])
def test_a_failed_read_is_tried_again(camera, raises):
    camera.start()
    wait_until(lambda: camera.get_frame() is not None, 5.0, 'a frame')
    camera.cap.raises, camera.cap.fail = raises, True
    assert camera.cap.failed.wait(5.0)
    count = camera.cap.count
    camera.cap.fail = False
    wait_until(lambda: camera.cap.count > count, 5.0, 'a frame after the failure')


def test_stopping_releases_the_camera_and_may_be_repeated(camera):
    camera.start()
    cap = camera.cap
    camera.stop()
    camera.stop()
    assert cap.released.is_set() and not camera.is_running and camera.cap is None


def test_a_camera_that_cannot_be_opened_is_an_error_with_a_remedy(camera, monkeypatch):
    monkeypatch.setattr(FakeCapture, 'opened', False)
    with pytest.raises(CameraError, match='camera 1 cannot be opened: check'):
        camera.start()
    assert not camera.is_running and camera.cap is None


def test_direct_show_is_used_on_windows(camera, monkeypatch):
    monkeypatch.setattr('sys.platform', 'win32')
    camera.start()
    assert camera.cap.backend == cv2.CAP_DSHOW
