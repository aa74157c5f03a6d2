"""PaddleOCR itself, in its own environment, reading drawn frames through the worker. Needs `make setup-tests`."""

from __future__ import annotations

import queue
import re
import socket
import threading
from pathlib import Path

import cv2
import pytest
from cell_common.testing import wait_until
from cell_vision.ocr.worker.supervisor import ReadFailure, ReadJob, WorkerSupervisor

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[5]
HOME = ROOT / re.findall(r"PADDLE_VENV = ROOT / '(.+)'", (ROOT / 'tools' / 'setup.py').read_text(encoding='utf-8'))[0]
PYTHON = HOME / 'bin' / 'python'


class Proxy:
    """Where every download would have to go through; counts who tries."""

    def __init__(self):
        self.calls = []
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._socket.getsockname()[1]}'
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            self.calls.append(link.recv(200))
            link.close()

    def close(self):
        self._socket.close()


@pytest.fixture(scope='module')
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture(scope='module')
def paddle(proxy):
    """The worker with PaddleOCR 3.7, its network leading to a proxy that lets nothing through."""
    log = ROOT / 'build' / 'setup' / 'paddleocr.log'
    assert PYTHON.exists(), f'{HOME.name} is missing: run "make setup-tests"; if that failed, {log} tells why'
    assert (HOME / 'models').is_dir(), f'{HOME.name} holds no models: the set-up step paddleocr did not end, see {log}'
    with pytest.MonkeyPatch.context() as patch:
        for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'):
            patch.setenv(name, proxy.url)
        host = WorkerSupervisor(['--engine', 'paddleocr'], python=str(PYTHON), deadline=30.0)
        wait_until(lambda: host.state.ready or 'again' in host.state.message, 100, 'PaddleOCR to start')
    assert host.state.ready, host.state.message
    yield host
    host.close()


def read(host, image, **options):
    answers = queue.Queue()
    host.submit(ReadJob(image, answers.put, options))
    return answers.get(timeout=60)


@pytest.mark.parametrize(
    'turn, fast',
    [
        (None, True),
        (cv2.ROTATE_90_CLOCKWISE, True),
        (cv2.ROTATE_180, True),
        (cv2.ROTATE_90_COUNTERCLOCKWISE, True),
        (None, False),
        (cv2.ROTATE_180, False),
    ],
)  # Standing lines of a whole frame it may tear apart.
def test_it_reads_a_drawn_label_in_every_direction(paddle, draw, compress, turn, fast):
    image = draw('EM1-2U4')
    answer = read(paddle, compress(image if turn is None else cv2.rotate(image, turn)), fast=fast)
    assert answer.failure == '', answer.message
    reading = next(reading for reading in answer.reading.readings if reading.text == 'EM1-2U4')
    assert reading.score > 0.9
    expected = {
        None: (0.26, 0.43),
        cv2.ROTATE_90_CLOCKWISE: (0.57, 0.26),
        cv2.ROTATE_180: (0.74, 0.57),
        cv2.ROTATE_90_COUNTERCLOCKWISE: (0.43, 0.74),
    }[turn]
    x, y = reading.polygon[0]
    assert (x / answer.reading.width, y / answer.reading.height) == pytest.approx(expected, abs=0.06)
    assert answer.reading.engine == 'paddleocr 3.7.0'


def test_several_lines_are_several_readings(paddle, draw, compress):
    answer = read(paddle, compress(draw('EM1-2U1', 'G8NB-17SR', '24 VDC')))
    assert {'EM1-2U1', 'G8NB-17SR'} <= {reading.text for reading in answer.reading.readings}


def test_a_frame_without_text_and_one_that_is_none_are_distinguished(paddle, draw, compress):
    assert read(paddle, compress(draw())).reading.readings == ()
    assert read(paddle, b'\xff\xd8 no picture').failure == ReadFailure.BAD_IMAGE
    assert read(paddle, compress(draw('EM1-2U1'))).reading.readings


def test_nothing_was_asked_of_the_network(paddle, proxy):
    assert paddle.state.reads and not proxy.calls


def test_a_missing_model_is_reported_and_not_downloaded(tmp_path, proxy, monkeypatch):
    assert PYTHON.exists(), f'{HOME.name} is missing: run "make setup-tests"'
    monkeypatch.setenv('https_proxy', proxy.url)
    host = WorkerSupervisor(['--engine', 'paddleocr', '--model-dir', str(tmp_path)], python=str(PYTHON))
    wait_until(lambda: 'text detector' in host.state.message, 20, 'the reason')
    host.close()
    assert 'cell models import' in host.state.message and not proxy.calls
