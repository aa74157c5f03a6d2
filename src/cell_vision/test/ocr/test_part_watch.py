"""The watch over the camera's stream in the node: measured delay, the stored empty view, waiting for evidence."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest
from cell_common.time import NS_PER_S
from cell_vision.ocr import part_watch
from cell_vision.ocr.arrival import Pick
from cell_vision.ocr.frame_buffer import SerializedFrame
from cell_vision.ocr.part_watch import PartWatch
from cell_vision.types import UNREAD, Reading
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger

PERIOD = NS_PER_S // 10
BENCH = np.full((360, 640), 100, np.uint8)


class Node:
    """As much of a node as the watch uses."""

    def __init__(self):
        self.published, self.services, self.logger = [], {}, logging.getLogger('node')

    def create_publisher(self, _type, _topic, _qos):
        return self

    def publish(self, message):
        self.published.append(message.data)

    def get_logger(self):
        return self.logger


class Cell:
    """A watch with a clock and a camera of its own."""

    def __init__(self, monkeypatch, file=''):
        self.now, self.node, self.ticks, self.count = 10 * NS_PER_S, Node(), [], 0
        monkeypatch.setattr(part_watch, 'now_ns', lambda _node: self.now)
        monkeypatch.setattr(part_watch, 'create_steady_timer', lambda _node, _period, tick: self.ticks.append(tick))
        monkeypatch.setattr(part_watch, 'create_service', self._serve)
        self.watch = PartWatch(self.node, 0.01, str(file), 1.0)
        self.newest = None

    def _serve(self, _node, _type, name, callback):
        self.node.services[name] = callback

    def show(self, piece='', times=4, transit=0):
        for _ in range(times):
            self.now += PERIOD
            self.count += 1
            image = BENCH.copy()
            if piece:
                cv2.rectangle(image, (200, 120), (440, 240), 30, -1)
                cv2.putText(image, piece, (220, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 220, 4)
            noise = np.random.default_rng(self.count).normal(0, 3, image.shape)
            jpeg = cv2.imencode('.jpg', np.clip(image + noise, 0, 255).astype(np.uint8))[1]
            data = serialize_message(CompressedImage(format='jpeg', data=jpeg.tobytes()))
            self.newest = SerializedFrame(self.now - transit, data)
            self.watch.update(self.newest)

    def learn(self):
        return self.node.services['camera/learn_background'](Trigger.Request(), Trigger.Response())

    def pick(self, shown=0):
        return Pick(self.now, self.now, shown)


@pytest.fixture
def cell(monkeypatch):
    return Cell(monkeypatch)


def test_a_reading_waits_until_its_piece_came_into_view_and_stands(cell):
    cell.show()
    found = []
    pick = cell.pick()
    cell.watch.on_evidence(pick, cell.newest, found.append)
    cell.show(times=2)
    assert not found and 'no part' in cell.watch.reason(pick)
    cell.show('A1')
    assert len(found) == 1 and found[0].stamp <= cell.now


def test_a_reading_that_was_canceled_is_not_called(cell):
    cell.show()
    found = []
    cancel = cell.watch.on_evidence(cell.pick(), cell.newest, found.append)
    cancel()
    cancel()
    cell.show('A1')
    assert not found


def test_a_piece_that_stands_already_is_passed_on_at_once(cell):
    cell.show()
    pick = cell.pick()
    cell.show('A1')
    found = []
    cell.watch.on_evidence(pick, cell.newest, found.append)
    assert found == [cell.newest]


def test_pictures_that_are_late_are_measured_published_and_an_error_of_the_diagnostics(cell):
    cell.show()
    pick = cell.pick(shown=cell.now)
    cell.show(times=15)
    cell.show('A1')
    cell.watch.on_evidence(pick, cell.newest, lambda _frame: None)
    cell.ticks[0]()
    assert 1.4 < cell.watch.image_age < 1.8 and cell.node.published == [pytest.approx(cell.watch.image_age)]
    health = cell.watch.health()
    assert health.level == 2 and 's late: use a stream with low latency' in health.message


def test_pictures_in_time_are_healthy_and_the_way_through_the_network_counts(cell):
    cell.show()
    assert cell.watch.health().level == 0
    cell.show(transit=2 * NS_PER_S, times=25)
    assert cell.watch.image_age == pytest.approx(2.0) and cell.watch.health().level == 2


def test_a_camera_that_comes_back_after_a_gap_is_measured_again(cell):
    cell.show()
    pick = cell.pick(shown=cell.now)
    cell.show(times=15)
    cell.show('A1')
    cell.watch.on_evidence(pick, cell.newest, lambda _frame: None)
    cell.now += 5 * NS_PER_S
    cell.show()
    assert cell.watch.image_age == 0


def test_the_learned_empty_view_outlives_a_restart(monkeypatch, tmp_path):
    file = tmp_path / 'state' / 'empty.png'
    cell = Cell(monkeypatch, file)
    assert not cell.learn().success and not file.exists()
    cell.show(times=12)
    assert cell.learn().success and file.exists()
    assert Cell(monkeypatch, file).watch.health().values['empty view known'] == 'yes'
    file.write_bytes(b'no picture')
    assert Cell(monkeypatch, file).watch.health().values['empty view known'] == 'no'


def test_an_empty_view_that_cannot_be_stored_is_not_called_learned(monkeypatch, tmp_path):
    (tmp_path / 'file').write_text('')
    cell = Cell(monkeypatch, tmp_path / 'file' / 'empty.png')
    cell.show(times=12)
    answer = cell.learn()
    assert not answer.success and 'was not learned' in answer.message


@pytest.mark.parametrize('data', [b'', b'\0\1\0\0' + b'\0' * 30, serialize_message(CompressedImage(data=b'no JPEG'))])
def test_a_damaged_frame_is_passed_over(cell, data):
    cell.show()
    cell.watch.update(SerializedFrame(cell.now + PERIOD, data))
    cell.show('A1')
    assert cell.watch.is_alive(cell.now - NS_PER_S)


def box(left, top, right, bottom, size=(1280, 720)):
    (x0, x1), (y0, y1) = ((v * size[0] for v in (left, right)), (v * size[1] for v in (top, bottom)))
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def test_what_stands_in_the_empty_view_is_dropped_and_what_the_part_shows_is_kept(cell):
    cell.show(times=12)
    cell.learn()
    cell.show('A1')
    jpeg = bytes(part_watch.jpeg_of(cell.newest.data))
    corner, middle = box(0.0, 0.0, 0.2, 0.2), box(0.35, 0.35, 0.65, 0.65)
    readings = [Reading(text, 0.9, place) for text in (UNREAD, 'STATION 2') for place in (corner, middle)]
    kept = cell.watch.without_fixture(jpeg, readings, (1280, 720))
    assert [(item.text, item.polygon) for item in kept] == [(UNREAD, middle), ('STATION 2', middle)]


@pytest.mark.parametrize('exposure', [0.85, 1.0, 1.15])
def test_a_label_of_the_fixture_with_a_number_of_the_catalogue_is_no_evidence(cell, exposure):
    label = np.full((360, 640), 120, np.uint8)
    cv2.putText(label, 'MY4N', (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 230, 3)
    with_part = label.copy()
    cv2.rectangle(with_part, (300, 150), (480, 250), 40, -1)
    noise = np.random.default_rng(4)

    def jpeg(image):
        seen = np.clip(image * exposure + noise.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
        return cv2.imencode('.jpg', seen)[1].tobytes()

    for _ in range(30):
        cell.now += PERIOD
        seen = np.clip(label + noise.normal(0, 3, label.shape), 0, 255).astype(np.uint8)
        data = cv2.imencode('.jpg', seen)[1].tobytes()
        cell.watch.update(SerializedFrame(cell.now, serialize_message(CompressedImage(format='jpeg', data=data))))
    assert cell.learn().success
    text = Reading('MY4N', 0.99, box(0.02, 0.08, 0.25, 0.2, (640, 360)))
    assert cell.watch.without_fixture(jpeg(with_part), [text], (640, 360)) == ()
    on_the_part = Reading('MY4N', 0.99, box(0.5, 0.5, 0.7, 0.6, (640, 360)))
    assert cell.watch.without_fixture(jpeg(with_part), [on_the_part], (640, 360)) == (on_the_part,)


def test_without_a_known_empty_view_nothing_is_dropped(cell):
    cell.show('A1')
    jpeg = bytes(part_watch.jpeg_of(cell.newest.data))
    readings = (Reading('STATION 2', 0.9, box(0.0, 0.0, 0.2, 0.2)),)
    assert cell.watch.without_fixture(jpeg, readings, (1280, 720)) == readings
    assert cell.watch.without_fixture(b'no JPEG', readings, (1280, 720)) == readings
