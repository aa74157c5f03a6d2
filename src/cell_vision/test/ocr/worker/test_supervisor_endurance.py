"""The real worker over many readings, killed at random moments, given what is no frame; bench/endurance.py is the long run."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import statistics
import threading
import time
from itertools import cycle, islice

import pytest
from cell_common.testing import FULL, wait_until
from cell_vision.ocr.worker.supervisor import ReadFailure, ReadJob, WorkerSupervisor

pytestmark = pytest.mark.slow

KILLS = 30 if FULL else 15
READS, WARM_UP = 120, 80
LIMIT_S = 3.0


@pytest.fixture(scope='module')
def host(tmp_path_factory):
    host = WorkerSupervisor(['--cache-dir', str(tmp_path_factory.mktemp('networks'))], deadline=60.0)
    wait_until(lambda: host.state.ready, 60, 'the worker')
    yield host
    host.close()


def ask(host, picture, **options):
    answers = queue.Queue()
    host.submit(ReadJob(picture, answers.put, options))
    return answers


def read(host, picture, **options):
    return ask(host, picture, **options).get(timeout=100)


def timed(host, picture):
    began = time.monotonic()
    answer = read(host, picture)
    return time.monotonic() - began, answer


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_memory_is_flat_over_many_readings(host, draw, compress):
    pictures = [
        compress(draw(text, size=size, scale=size[0] / 900))
        for text in ('EM1-2U1', 'G8NB-17SR', '')
        for size in ((1280, 720), (640, 480), (800, 800), (333, 512))
    ] + [b'\xff\xd8 none']
    memory = []
    for picture in islice(cycle(pictures), WARM_UP + READS):
        read(host, picture, crop_side=480)
        memory.append(host.state.memory)
    settled = statistics.median(memory[WARM_UP : WARM_UP + 20])
    assert settled * 0.95 <= min(memory[WARM_UP:]) and max(memory[WARM_UP:]) <= settled * 1.05
    assert host.state.starts == 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_worker_killed_at_any_moment_costs_at_most_that_reading(host, draw, compress):
    picture = compress(draw('EM1-2U1'))
    dice = random.Random(5)
    plain = max(timed(host, picture)[0] for _ in range(5))
    took = []
    for _ in range(KILLS):
        under_way = ask(host, picture, careful=True)
        threading.Event().wait(dice.uniform(0.0, 0.5))  # While it reads, has read, or is still starting.
        with contextlib.suppress(ProcessLookupError):
            if pid := host.state.pid:
                os.kill(pid, signal.SIGKILL)
        first = under_way.get(timeout=60)
        assert first.reading is not None or (first.failure == ReadFailure.ENGINE_FAILED and 'is restarted' in first.message)
        seconds, answer = timed(host, picture)
        took.append(seconds)
        assert answer.reading is not None or (answer.failure == ReadFailure.ENGINE_FAILED and answer.message)
    assert max(took) < LIMIT_S + 2 * plain, sorted(took)  # What a reading costs beside the other load is not the killing's.
    wait_until(lambda: host.state.ready, 60, 'the worker')
    assert [reading.text for reading in read(host, picture).reading.readings] == ['EM1-2U1']


def test_what_is_no_frame_is_refused_with_a_reason(host, hostile_frame):
    answer = read(host, hostile_frame)
    assert answer.failure == ReadFailure.BAD_IMAGE and answer.message, answer
    assert host.state.ready


def test_an_unusual_frame_is_read_or_refused_and_the_worker_lives(host, unusual_frame):
    starts = host.state.starts
    answer = read(host, unusual_frame.data, crop_side=480, codes=['QRCode'])
    assert answer.failure in {'', ReadFailure.BAD_IMAGE}, answer.message
    if unusual_frame.text:
        assert unusual_frame.text in [reading.text for reading in answer.reading.readings]
    assert host.state.starts == starts
