"""Sources, streams that misbehave, files."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_vision.camera.calibration import CalibrationError, load_calibration
from cell_vision.camera.capture import Capture
from cell_vision.camera.grabbers.http import HttpGrabber
from cell_vision.camera.grabbers.opencv import MJPG, FileGrabber, OpenCvGrabber
from cell_vision.camera.image_processing import Treatment, prepare
from cell_vision.camera.image_quality import Limits, PictureWatch, measure
from cell_vision.camera.jpeg import is_complete, size_of
from cell_vision.camera.mjpeg import MultipartError, MultipartReader, boundary_of
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import Kind, Source, SourceError, parse_source

PLAIN = Treatment([0, 0, 0, 0], '0', 90)


@pytest.mark.parametrize(
    'text, kind',
    [
        ('0', Kind.DEVICE),
        ('/dev/video2', Kind.DEVICE),
        ('rtsp://cam/1', Kind.NETWORK),
        ('http://cam/video.mjpg', Kind.HTTP),
        ('https://cam/a.m3u8', Kind.NETWORK),
        ('gst: videotestsrc ! appsink', Kind.GSTREAMER),
        ('/films/a.mp4', Kind.VIDEO),
        ('/tmp', Kind.FOLDER),
    ],
)
def test_a_source_is_told_by_its_text(text, kind):
    assert parse_source(text).kind is kind


@pytest.mark.parametrize('text', ['', 'nonsense', 'ftp://cam/1', '/not/there'])
def test_a_source_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match='parameter source'):
        parse_source(text)


def test_a_source_is_shown_without_its_password():
    assert parse_source('http://user:secret@cam:81/v').shown == 'http://cam:81/v'


def part(body, length=None, boundary=b'--b'):
    head = b'' if length is None else b'Content-Length: %d\r\n' % length
    return boundary + b'\r\nContent-Type: image/jpeg\r\n' + head + b'\r\n' + body + b'\r\n'


PICTURE = b'\xff\xd8' + bytes(range(200)) + b'\xff\xd9'


@pytest.mark.parametrize('chunk', [1, 7, 10_000])
@pytest.mark.parametrize('stated', [True, False])
def test_pictures_come_out_whole_however_the_bytes_are_cut(chunk, stated):
    stream = b'preamble\r\n' + part(PICTURE, len(PICTURE) if stated else None) * 3 + b'--b'
    reader = MultipartReader(b'--b')
    pictures = [p for i in range(0, len(stream), chunk) for p in reader.feed(stream[i : i + chunk])]
    assert pictures == [PICTURE] * 3 and reader.damaged == 0


@pytest.mark.parametrize(
    'damage', [part(PICTURE[:50], len(PICTURE)), part(PICTURE[:50]), part(b'no picture'), b'\x00garbage' * 30]
)
def test_damage_costs_that_picture_only(damage):
    reader = MultipartReader(b'--b')
    pictures = reader.feed(part(PICTURE, len(PICTURE)) + damage + part(PICTURE, len(PICTURE)) * 2 + b'--b')
    assert len(pictures) >= 2 and set(pictures) == {PICTURE}


def test_a_stream_without_end_is_refused():
    reader = MultipartReader(b'--b')
    reader.feed(b'--b\r\n\r\n\xff\xd8')
    with pytest.raises(MultipartError):
        for _ in range(40):
            reader.feed(bytes(1_000_000))


@pytest.mark.parametrize(
    'kind, boundary',
    [('multipart/x-mixed-replace; boundary=frame', b'--frame'), ('multipart/x-mixed-replace;boundary="--frame"', b'--frame')],
)
def test_the_boundary_is_found(kind, boundary):
    assert boundary_of(kind) == boundary


@pytest.mark.parametrize('kind', ['text/html', '', 'multipart/x-mixed-replace'])
def test_a_page_is_no_stream(kind):
    with pytest.raises(MultipartError):
        boundary_of(kind)


def test_a_jpegs_size_and_end_are_told_without_decoding(compress, draw):
    data = compress(draw('A', size=(640, 480)))
    assert size_of(data) == (640, 480) and is_complete(data)
    assert size_of(b'\x89PNG') is None and not is_complete(data[:-10])


class Taken:
    """A capture of a source, and what it took."""

    def __init__(self, make, rate=100.0):
        self.frames = []
        self.said = []
        self.capture = Capture(
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
    picture = prepare(taken.frames[0][0], 5, PLAIN, pixels=False)
    assert (picture.jpeg, picture.width, picture.height, picture.stamp) == (ip_camera.picture, 1280, 720, 5)


@pytest.mark.parametrize('fault', ['drop', 'half', 'garbage', 'stall'])
@pytest.mark.parametrize('with_length', [True, False])
def test_a_camera_that_misbehaves_is_taken_up_again(ip_camera, taking, fault, with_length):
    ip_camera.with_length = with_length
    taken = taking(lambda: HttpGrabber(ip_camera.url, 0.4))
    wait_until(lambda: len(taken.frames) > 2)
    ip_camera.faults.append(fault)
    wait_until(lambda: not ip_camera.faults)
    seen = len(taken.frames)
    wait_until(lambda: len(taken.frames) > seen + 5, what=f'frames after {fault}')
    assert all(is_complete(frame) for frame, _ in taken.frames)
    assert taken.capture.state.connected and taken.capture.state.losses == (fault in {'drop', 'stall'})


def test_the_loss_and_the_return_are_said_once_each(ip_camera, taking):
    taken = taking(lambda: HttpGrabber(ip_camera.url, 3.0))
    wait_until(lambda: taken.frames)
    ip_camera.refuse = 401
    ip_camera.faults.append('drop')
    wait_until(lambda: ip_camera.connections > 3)
    assert not taken.capture.state.connected and '401' in taken.capture.state.problem
    ip_camera.refuse = 0
    wait_until(lambda: taken.capture.state.connected)
    assert len(taken.said) == 4, taken.said  # coming, ended, 401, coming


def test_a_user_name_in_the_address_is_sent_as_basic_authentication(ip_camera):
    grabber = HttpGrabber(ip_camera.url.replace('//', '//user:p%40ss@'), 1.0)
    grabber.open()
    grabber.grab()
    grabber.close()
    assert b'Authorization: Basic dXNlcjpwQHNz' in ip_camera.requests[0]


def test_nobody_at_the_address_is_a_source_error():
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


@pytest.mark.parametrize('rotation, size', [('0', (60, 40)), ('90', (40, 60)), ('180', (60, 40)), ('270', (40, 60))])
def test_a_region_is_cut_out_and_turned(draw, compress, rotation, size):
    image = draw('A', size=(320, 240))
    for frame in (image, compress(image)):
        picture = prepare(frame, 1, Treatment([10, 20, 60, 40], rotation, 80), pixels=True)
        assert (picture.width, picture.height) == size == size_of(picture.jpeg)
        assert picture.pixels.shape == (size[1], size[0], 3)


def test_what_cannot_be_decoded_is_left_out(draw):
    assert prepare(b'\xff\xd8nothing', 1, PLAIN, pixels=True) is None
    assert prepare(b'nothing', 1, PLAIN, pixels=False) is None
    assert prepare(draw('A', size=(64, 64)), 1, Treatment([200, 200, 5, 5], '0', 80), pixels=False) is None


CALIBRATION = """
image_width: 1280
image_height: 720
camera_name: cell
distortion_model: plumb_bob
camera_matrix: {rows: 3, cols: 3, data: [900, 0, 640, 0, 900, 360, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [900, 0, 640, 0, 0, 900, 360, 0, 0, 0, 1, 0]}
"""


def test_a_calibration_is_read(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION)
    known = load_calibration(str(path))
    assert (known.width, known.k[0], len(known.p), known.d[1]) == (1280, 900.0, 12, -0.2)


@pytest.mark.parametrize('text', [': [', 'image_width: 3', CALIBRATION.replace('900, 0, 640, 0, 900, 360, 0, 0, 1', '1, 2')])
def test_a_spoilt_calibration_is_refused(tmp_path, text):
    path = tmp_path / 'camera.yaml'
    path.write_text(text)
    with pytest.raises(CalibrationError):
        load_calibration(str(path))


SECOND = 1_000_000_000


def watch(**limits):
    return PictureWatch(Limits(**{'frozen_after': 5.0, 'brightness': 12.0, 'sharpness': 0.0, **limits}))


def test_a_picture_that_never_changes_is_frozen(compress, draw):
    seen, picture = watch(), compress(draw('A'))
    for second in range(7):
        seen.see(picture, second * SECOND)
    assert 'frozen' in seen.problem(6 * SECOND)
    seen.see(compress(draw('B')), 7 * SECOND)
    assert seen.problem(7 * SECOND) == ''
    assert watch(frozen_after=0.0).problem(99 * SECOND) == ''


def test_a_dark_and_a_blurred_picture_are_told(compress, draw):
    sharp, blurred = draw('EM1-2U1'), cv2.GaussianBlur(draw('EM1-2U1'), (0, 0), 8)
    assert measure(compress(sharp))[1] > 5 * measure(compress(blurred))[1]
    dark, soft = watch(), watch(sharpness=measure(compress(sharp))[1] / 2)
    dark.see(compress(sharp // 40), 0)
    soft.see(compress(blurred), 0)
    assert 'too dark' in dark.problem(0) and 'blurred' in soft.problem(0)
    soft.see(compress(sharp), 2 * SECOND)
    assert soft.problem(2 * SECOND) == ''


def test_what_is_no_picture_has_no_brightness():
    assert all(np.isnan(measure(b'nothing')))


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
    grabber = OpenCvGrabber(Source(Kind.DEVICE, '0'), parameters())
    grabber.open()
    grabber.grab()
    frame = grabber.retrieve()
    assert device.settings[cv2.CAP_PROP_FOURCC] == MJPG and device.settings[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert is_complete(frame) and size_of(frame) == (1280, 720)
    grabber.close()
    assert device.settings['released']


def test_exposure_focus_and_white_balance_are_set_only_when_given(device):
    OpenCvGrabber(Source(Kind.DEVICE, '0'), parameters()).open()
    manual = {cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_FOCUS, cv2.CAP_PROP_WB_TEMPERATURE, cv2.CAP_PROP_GAIN}
    assert not manual & set(device.settings)
    OpenCvGrabber(Source(Kind.DEVICE, '0'), parameters(exposure=80.0, focus=30.0, white_balance=4600.0, gain=2.0)).open()
    assert device.settings[cv2.CAP_PROP_EXPOSURE] == 80.0 and device.settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert device.settings[cv2.CAP_PROP_FOCUS] == 30.0 and device.settings[cv2.CAP_PROP_AUTOFOCUS] == 0
    assert device.settings[cv2.CAP_PROP_WB_TEMPERATURE] == 4600.0 and device.settings[cv2.CAP_PROP_GAIN] == 2.0


def test_a_device_that_is_unplugged_is_a_source_error(device):
    grabber = OpenCvGrabber(Source(Kind.DEVICE, '0'), parameters())
    grabber.open()
    device.frame = None
    with pytest.raises(SourceError, match='cable'):
        grabber.grab()


def test_a_reader_that_lags_behind_gets_the_newest_picture_of_a_network_camera(ip_camera, compress, draw):
    pictures = [compress(draw(str(i), size=(640, 360))) for i in range(30)]
    ip_camera.period = 0.001
    ip_camera.picture = pictures[0]
    grabber = HttpGrabber(ip_camera.url, 5.0)
    grabber.open()
    grabber.grab()
    for picture in pictures:
        ip_camera.picture = picture
        time.sleep(0.01)
    wait_until(lambda: [grabber.grab(), grabber.retrieve() == pictures[-1]][1], 2)
    ip_camera.period = 0.2
    time.sleep(0.3)
    ip_camera.picture = compress(draw('new', size=(640, 360)))
    time.sleep(0.5)
    grabber.grab()
    assert grabber.retrieve() == ip_camera.picture  # Those that came before it were passed over.
    grabber.close()
