import threading

import cv2
import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_legacy.camera import capture
from cell_legacy.camera.capture import Camera, CameraError


class FakeCapture:
    """Stands in for cv2.VideoCapture: counts its frames up, fails when told to."""

    opened = True

    def __init__(self, index: int, backend: int) -> None:
        self.index, self.backend = index, backend
        self.count = 0
        self.fail, self.raises = False, None
        self.failed = threading.Event()
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return self.opened

    def read(self):
        if self.fail:
            self.failed.set()
            if self.raises:
                raise self.raises('the driver has lost its device')
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


@pytest.mark.parametrize('raises', [None, cv2.error, RuntimeError, OSError])
def test_a_failed_read_is_tried_again(camera, raises):
    camera.start()
    wait_until(lambda: camera.get_frame() is not None, 5.0, 'a frame')
    camera.cap.raises, camera.cap.fail = raises, True
    assert camera.cap.failed.wait(30.0)
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


class HangingCapture(FakeCapture):
    """A driver whose read does not return until `go_on` is set."""

    def __init__(self, index: int, backend: int) -> None:
        super().__init__(index, backend)
        self.reading, self.go_on = threading.Event(), threading.Event()

    def read(self):
        self.reading.set()
        self.go_on.wait(10)
        return super().read()


def test_a_hanging_read_keeps_its_camera_and_no_second_thread_is_started(camera, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', HangingCapture)
    monkeypatch.setattr(capture, 'JOIN_TIMEOUT_S', 0.05)
    camera.start()
    cap = camera.cap
    assert cap.reading.wait(30.0)
    camera.stop()
    assert not cap.released.is_set() and not camera.is_running and camera.cap is None
    with pytest.raises(CameraError, match='hangs in a read'):
        camera.start()
    cap.go_on.set()
    assert cap.released.wait(30.0)
    assert camera.get_frame() is None, 'a frame of after the stop is not kept'
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    monkeypatch.setattr(capture, 'JOIN_TIMEOUT_S', 5.0)
    camera.start()
    wait_until(lambda: camera.get_frame() is not None, 5.0, 'a frame after the second start')


def test_a_loop_that_ends_by_itself_is_no_running_camera(monkeypatch):
    class Own(Camera):
        def update(self):
            return

    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    camera = Own()
    camera.start()
    wait_until(lambda: not camera.is_running, 5.0, 'the end of the loop')
    camera.stop()
