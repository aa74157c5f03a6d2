"""What is no frame, or an unusual one, at ocr/read and at the camera: a clear result, and the nodes stay up."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time

import cv2
import numpy as np
import pytest
from cell_common.qos import sensor_stream
from cell_common.testing import NodeGraph, wait_until
from cell_vision.camera import node as camera_node
from cell_vision.camera.capture import CaptureThread
from cell_vision.camera.grabbers.opencv import FileGrabber
from cell_vision.camera.image_processing import ImageProcessing, process_frame
from cell_vision.camera.node import CameraNode
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import parse_source
from cell_vision.ocr.node import OcrNode
from domain_coordinator import domain_id
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from cell_interfaces.msg import OcrResult, ResultCode
from cell_interfaces.srv import ReadText


@pytest.fixture(scope='module')
def graph():
    with domain_id() as number:
        running = NodeGraph(int(number))
        yield running
        running.close()


@pytest.fixture(scope='module')
def ocr(graph):
    node = graph.add(OcrNode(**graph.options(read_timeout=60.0, engine_deadline=60.0, codes=['QRCode'])))
    wait_until(lambda: node.worker_status.ready, 60, 'the engine')
    return node


def read(graph, data):
    image = CompressedImage(format='jpeg', data=data)
    return graph.call(ReadText, 'ocr/read', ReadText.Request(request_id='r', image=image), timeout=90)


def test_what_is_no_frame_gets_a_clear_answer(graph, ocr, hostile_frame):
    if not hostile_frame:
        pytest.skip("a request without bytes asks for the camera's frame")
    answer = read(graph, hostile_frame)
    assert (answer.code, answer.result.status) == (ResultCode.BAD_IMAGE, OcrResult.FAILED) and answer.message
    assert ocr.worker_status.starts == 1


def test_an_unusual_frame_is_read_or_refused(graph, ocr, unusual_frame):
    answer = read(graph, unusual_frame.data)
    assert answer.code in {ResultCode.OK, ResultCode.BAD_IMAGE} and (answer.code == ResultCode.OK or answer.message)
    if unusual_frame.text:
        assert unusual_frame.text in [text.text for text in answer.result.texts]
    assert ocr.worker_status.starts == 1


@pytest.fixture
def camera(graph):
    """Make a camera node for a source; returns the node, its frames and its health."""
    made = []

    def make(source, **parameters):
        frames = graph.collect(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
        node = graph.add(
            CameraNode(**graph.options(**{'source': str(source), 'frame_rate': 50.0, 'stall_timeout': 0.5, **parameters}))
        )
        made.append(node)
        return node, frames

    yield make
    for node in made:
        graph.remove(node)


def test_a_camera_that_sends_no_frames_is_reported_and_comes_back(graph, camera, ip_camera, hostile_frame):
    good = ip_camera.picture
    ip_camera.picture = hostile_frame
    node, frames = camera(ip_camera.url)
    wait_until(lambda: ip_camera.connections > 1 or node.capture_status.frames > 3)
    health = node.health()
    assert not frames or all(frame.data for frame in frames)
    ip_camera.picture = good
    wait_until(lambda: frames and bytes(frames[-1].data) == good, 20, 'the frames of the mended camera')
    assert health.message or node.capture_status.connected


def test_a_camera_that_is_unplugged_is_reported_and_taken_up_when_it_is_back(graph, camera, fake_camera):
    cam = fake_camera()
    node, frames = camera(cam.url)
    wait_until(lambda: frames)
    port = cam.port
    cam.close()
    wait_until(lambda: node.health().level == 2, 10, 'the loss')
    assert cam.url in node.health().message
    seen = len(frames)
    with contextlib.ExitStack() as stack:
        back = fake_camera(port)
        stack.callback(back.close)
        wait_until(lambda: len(frames) > seen + 2, 20, 'frames after the return')
        assert node.health().level < 2


def test_frames_that_come_while_ros_ends_are_no_loss_of_the_camera(ip_camera):
    with domain_id() as number:
        running = NodeGraph(int(number))
        node = CameraNode(**running.options(source=ip_camera.url, frame_rate=100.0))
        wait_until(lambda: node.capture_status.frames > 3)
        running.close()
        seen = node.capture_status.frames
        wait_until(lambda: node.capture_status.frames > seen + 3)
        assert node.capture_status.connected and node.capture_status.losses == 0
        node.destroy_node()


def test_a_frame_is_decoded_only_while_the_raw_topic_has_subscribers(graph, camera, ip_camera, monkeypatch):
    decoded = []
    monkeypatch.setattr(
        camera_node, 'process_frame', lambda *frame, pixels: [decoded.append(pixels), process_frame(*frame, pixels=pixels)][1]
    )
    _, frames = camera(ip_camera.url)
    wait_until(lambda: len(frames) > 3)
    assert not any(decoded)
    pictures = graph.collect(Image, 'camera/image_raw', sensor_stream())
    infos = graph.collect(CameraInfo, 'camera/camera_info', sensor_stream())
    wait_until(lambda: pictures and infos)
    assert (pictures[0].height, pictures[0].width, pictures[0].encoding) == (720, 1280, 'bgr8')
    assert len(pictures[0].data) == 3 * 1280 * 720 and (infos[0].width, infos[0].height) == (1280, 720)


def test_a_folder_that_vanishes_is_reported_and_shown_again_when_it_is_back(graph, camera, tmp_path, draw):
    folder, away = tmp_path / 'pictures', tmp_path / 'away'
    folder.mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(folder / name), draw(name, size=(320, 240), scale=1.0))
    node, frames = camera(folder)
    wait_until(lambda: len(frames) > 2)
    shutil.move(folder, away)
    wait_until(lambda: node.health().level == 2, 10, 'the loss')
    assert node.health().message
    seen = len(frames)
    shutil.move(away, folder)
    wait_until(lambda: len(frames) > seen + 2, 20, 'frames of the folder that is back')


@pytest.mark.parametrize('content', [b'', b'no picture', b'\xff\xd8\xff\xe0'])
def test_a_picture_of_a_folder_that_is_none_is_named(graph, camera, tmp_path, content):
    (tmp_path / 'a.jpg').write_bytes(content)
    node, frames = camera(tmp_path)
    wait_until(lambda: 'a.jpg' in node.health().message)
    assert node.health().level == 2 and not frames


def film(path, count=60, size=(320, 240)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 50, size)
    for i in range(count):
        writer.write(np.full((size[1], size[0], 3), 60 + 2 * i, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize('loop', [False, True])
def test_a_video_that_ends_says_so_or_begins_again(graph, camera, tmp_path, loop):
    node, frames = camera(film(tmp_path / 'film.avi', 5), loop=loop)
    if loop:
        wait_until(lambda: len(frames) > 12)
    else:
        wait_until(lambda: node.capture_status.ended)
        assert 'ended' in node.health().message and node.health().level == 2


def test_a_video_that_is_cut_short_while_it_is_shown_leaves_the_node_up(graph, camera, tmp_path):
    path = film(tmp_path / 'film.avi')
    node, frames = camera(path)
    wait_until(lambda: len(frames) > 3)
    with path.open('r+b') as file:
        file.truncate(2000)
    wait_until(lambda: node.health().level == 2, 15, 'the loss')
    film(path)
    seen = len(frames)
    wait_until(lambda: len(frames) > seen + 3, 20, 'frames of the mended video')


ARRAYS = {
    '0x0': np.zeros((0, 0, 3), np.uint8),
    'no width': np.zeros((10, 0, 3), np.uint8),
    '1x1': np.zeros((1, 1, 3), np.uint8),
    'gray': np.zeros((48, 64), np.uint8),
    'gray with a channel': np.zeros((48, 64, 1), np.uint8),
    'BGRA': np.zeros((48, 64, 4), np.uint8),
    '16 bit': np.full((48, 64, 3), 65535, np.uint16),
    '16 bit gray': np.full((48, 64), 65535, np.uint16),
    'NaN': np.full((48, 64, 3), np.nan, np.float32),
    'floats': np.full((48, 64, 3), 0.5, np.float64),
    'five channels': np.zeros((48, 64, 5), np.uint8),
    'a row': np.zeros(64, np.uint8),
    'none': None,
    '8k': np.zeros((4320, 7680, 3), np.uint8),
}
"""What a driver may hand out instead of BGR, uint8."""
SHOWN = {'1x1', 'gray', 'gray with a channel', 'BGRA', '16 bit', '16 bit gray', '8k'}


@pytest.mark.parametrize('kind', ARRAYS)
@pytest.mark.parametrize('rotation', ['0', '90'])
def test_every_kind_of_picture_becomes_bgr_or_is_left_out(kind, rotation):
    picture = process_frame(ARRAYS[kind], 1, ImageProcessing([0, 0, 0, 0], rotation, 80), pixels=True)
    if kind in SHOWN:
        assert picture.pixels.dtype == np.uint8 and picture.pixels.ndim == 3 and picture.pixels.shape[2] == 3
        assert cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == picture.pixels.shape
        assert picture.pixels.max() == (255 if '16 bit' in kind else 0)
    else:
        assert picture is None or kind in {'NaN', 'floats'}


def test_a_grabber_that_fails_in_an_unforeseen_way_is_opened_again():
    class Odd:
        tries = 0

        def open(self):
            Odd.tries += 1

        def grab(self):
            raise cv2.error('assertion failed') if Odd.tries < 3 else OSError(5, 'Input/output error')

        def retrieve(self):
            raise AssertionError

        def close(self):
            pass

    said = []
    capture = CaptureThread(Odd, lambda frame, stamp: None, time.monotonic_ns, rate=50.0, log=said.append)
    capture.start()
    wait_until(lambda: Odd.tries > 3, 20)
    assert any('assertion failed' in text for text in said) and capture.state.message
    capture.stop()
    assert not any(thread.name == 'camera capture' and thread.is_alive() for thread in threading.enumerate())


def test_a_video_of_one_picture_goes_round(tmp_path):
    grabber = FileGrabber(parse_source(str(film(tmp_path / 'one.avi', 1))), CameraParameters(frame_rate=200.0))
    grabber.open()
    for _ in range(3):
        grabber.grab()
        assert grabber.retrieve().shape == (240, 320, 3)
    grabber.close()
