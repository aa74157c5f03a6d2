"""Capture from network cameras, videos and folders, with every fault."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_vision.camera.capture import CaptureThread
from cell_vision.camera.grabbers.http import HttpGrabber
from cell_vision.camera.grabbers.opencv import FileGrabber
from cell_vision.camera.image_processing import ImageProcessing, process_frame
from cell_vision.camera.jpeg import is_complete
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import SourceError, parse_source

pytestmark = pytest.mark.slow

PLAIN = ImageProcessing([0, 0, 0, 0], '0', 90)


class Taken:
    """A capture of a source, and what it took."""

    def __init__(self, make, rate=100.0):
        self.frames = []
        self.said = []
        self.capture = CaptureThread(
            make, lambda frame, stamp: self.frames.append((frame, stamp)), time.monotonic_ns, rate=rate, log=self.said.append
        )
        self.capture.start()


@pytest.fixture
def taking():
    running = []

    def take(make, **options):
        running.append(Taken(make, **options))
        return running[-1]

    yield take
    for taken in running:
        taken.capture.stop()


def test_jpegs_of_a_network_camera_pass_unchanged(ip_camera, taking):
    taken = taking(lambda: HttpGrabber(ip_camera.url, 1.0))
    wait_until(lambda: len(taken.frames) > 3)
    assert {frame for frame, _ in taken.frames} == {ip_camera.picture}
    picture = process_frame(taken.frames[0][0], 5, PLAIN, pixels=False)
    assert (picture.jpeg, picture.width, picture.height, picture.stamp) == (ip_camera.picture, 1280, 720, 5)


@pytest.mark.parametrize('fault', ['drop', 'half', 'garbage', 'stall'])
@pytest.mark.parametrize('with_length', [True, False])
def test_a_camera_that_misbehaves_is_connected_again(ip_camera, taking, fault, with_length):
    ip_camera.with_length = with_length
    taken = taking(lambda: HttpGrabber(ip_camera.url, 0.4))
    wait_until(lambda: len(taken.frames) > 2)
    ip_camera.faults.append(fault)
    wait_until(lambda: not ip_camera.faults)
    seen = len(taken.frames)
    wait_until(lambda: len(taken.frames) > seen + 5, what=f'frames after {fault}')
    assert all(is_complete(frame) for frame, _ in taken.frames)
    assert taken.capture.state.connected and taken.capture.state.losses == (fault in {'drop', 'stall'})


def test_the_loss_and_the_return_are_logged_once_each(ip_camera, taking):
    taken = taking(lambda: HttpGrabber(ip_camera.url, 3.0))
    wait_until(lambda: taken.frames)
    ip_camera.refuse = 401
    ip_camera.faults.append('drop')
    wait_until(lambda: ip_camera.connections > 3)
    assert not taken.capture.state.connected and '401' in taken.capture.state.message
    ip_camera.refuse = 0
    wait_until(lambda: taken.capture.state.connected)
    assert len(taken.said) == 4, taken.said  # coming, ended, 401, coming


@pytest.mark.parametrize(
    ('challenge', 'authorization'),
    [
        ('Basic realm="camera"', b'Authorization: Basic dXNlcjpwQHNz'),
        ('Digest realm="camera", nonce="abc", qop="auth", algorithm=MD5', b'Authorization: Digest username="user"'),
    ],
)
def test_a_user_name_in_the_address_answers_the_challenge_of_the_camera(ip_camera, challenge, authorization):
    ip_camera.challenge = challenge
    grabber = HttpGrabber(ip_camera.url.replace('//', '//user:p%40ss@'), 1.0)
    grabber.open()
    grabber.grab()
    grabber.close()
    assert grabber.retrieve() == ip_camera.picture
    assert authorization in ip_camera.requests[-1]
    assert b'Authorization' not in ip_camera.requests[0]


def test_an_address_without_a_server_is_a_source_error():
    with pytest.raises(SourceError, match='refused'):
        HttpGrabber('http://127.0.0.1:9/', 0.5).open()


def test_frames_are_taken_no_faster_than_asked_for(ip_camera, taking):
    ip_camera.period = 0.005
    taken = taking(lambda: HttpGrabber(ip_camera.url, 1.0), rate=10.0)
    wait_until(lambda: len(taken.frames) > 5)
    gaps = np.diff([stamp for _, stamp in taken.frames]) / 1e9
    assert gaps.min() >= 0.07


def test_a_stopped_capture_takes_nothing_and_starts_again(ip_camera, taking):
    taken = taking(lambda: HttpGrabber(ip_camera.url, 1.0))
    wait_until(lambda: taken.frames)
    taken.capture.stop()
    seen = len(taken.frames)
    assert not taken.capture.state.running and not taken.capture.state.connected
    taken.capture.start()
    wait_until(lambda: len(taken.frames) > seen)


def parameters(**changes):
    return CameraParameters(**{'frame_rate': 200.0, **changes})


@pytest.fixture
def folder(tmp_path, draw):
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / name), draw(name, size=(320, 240), scale=1.0))
    (tmp_path / 'truth.json').write_text('[]')
    return tmp_path


@pytest.fixture
def video(tmp_path, draw):
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 100, (320, 240))
    for i in range(5):
        writer.write(draw(str(i), size=(320, 240), scale=1.0))
    writer.release()
    return path


@pytest.mark.parametrize('kind', ['folder', 'video'])
def test_files_are_shown_round_and_round(kind, folder, video, taking):
    source = parse_source(str(folder if kind == 'folder' else video))
    taken = taking(lambda: FileGrabber(source, parameters()), rate=200.0)
    wait_until(lambda: len(taken.frames) > 7)
    assert taken.frames[0][0].shape == (240, 320, 3)


@pytest.mark.parametrize('kind, count', [('folder', 2), ('video', 5)])
def test_files_that_do_not_loop_end_and_say_so(kind, count, folder, video, taking):
    source = parse_source(str(folder if kind == 'folder' else video))
    taken = taking(lambda: FileGrabber(source, parameters(loop=False)), rate=240.0)
    wait_until(lambda: taken.capture.state.ended)
    assert len(taken.frames) <= count and not taken.capture.state.connected
    assert threading.active_count() < 50


@pytest.mark.parametrize('content', [b'', b'this is no film'])
def test_a_broken_video_is_a_source_error(tmp_path, content):
    path = tmp_path / 'film.mp4'
    path.write_bytes(content)
    with pytest.raises(SourceError):
        FileGrabber(parse_source(str(path)), parameters()).open()


def test_an_empty_folder_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match='no image'):
        FileGrabber(parse_source(str(tmp_path)), parameters()).open()


def test_a_reader_that_lags_behind_gets_the_newest_picture_of_a_network_camera(ip_camera, compress, draw):
    pictures = [compress(draw(str(i), size=(640, 360))) for i in range(30)]
    ip_camera.period = 0.001
    ip_camera.picture = pictures[0]
    grabber = HttpGrabber(ip_camera.url, 5.0)
    grabber.open()
    grabber.grab()
    for picture in pictures:
        ip_camera.show(picture)
    wait_until(lambda: [grabber.grab(), grabber.retrieve() == pictures[-1]][1], 2)
    ip_camera.period = 0.2
    ip_camera.show(compress(draw('new', size=(640, 360))), frames=2)
    grabber.grab()
    assert grabber.retrieve() == ip_camera.picture  # Older frames were skipped.
    grabber.close()
