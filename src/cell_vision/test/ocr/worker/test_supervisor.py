"""The worker process and its parent's end: jobs, deadlines, death."""

from __future__ import annotations

import io
import os
import queue
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from cell_common.backoff import Backoff
from cell_common.testing import wait_until
from cell_vision.ocr.frame_buffer import LatestFrame, SerializedFrame, stamp_of
from cell_vision.ocr.worker.protocol import ProtocolError, decode_reading, encode_reading, read_message, write_message
from cell_vision.ocr.worker.supervisor import ReadFailure, ReadJob, WorkerSupervisor
from cell_vision.types import FrameReading, Reading

pytestmark = pytest.mark.slow

READING = FrameReading((Reading('A1', 0.5, ((0, 0), (1, 0), (1, 1), (0, 1))),), 640, 480, 0.25, 'fake')


@pytest.fixture
def fake_worker(tmp_path, monkeypatch):
    """Replace the worker by a small program that does what the picture says."""
    program = tmp_path / 'fake.py'
    program.write_text(
        textwrap.dedent("""
        import os, sys, time
        from cell_vision.ocr.worker.protocol import read_message, write_message
        if '--spare' in sys.argv and read_message(sys.stdin.buffer) is None:
            sys.exit()
        write_message(sys.stdout.buffer, {'ready': 'fake'})
        while True:
            message = read_message(sys.stdin.buffer)
            if message is None:
                break
            header, picture = message
            if picture == b'hang':
                time.sleep(60)
            if picture == b'die':
                sys.exit(3)
            if picture == b'nonsense':
                write_message(sys.stdout.buffer, {'job': 0, 'readings': 'none'})
                continue
            if picture == b'slow':
                time.sleep(0.2)
            write_message(sys.stdout.buffer, {'job': 0, 'readings': [[picture.decode(), 0.5, [[0, 0], [1, 0], [1, 1], [0, 1]]]],
                          'width': 640, 'height': 480, 'seconds': 0.1, 'engine': 'fake', 'memory': 400_000_000})
    """)
    )
    hosts = []

    def start(**options):
        host = WorkerSupervisor([], **options)
        hosts.append(host)
        return host

    monkeypatch.setattr(WorkerSupervisor, 'COMMAND', (str(program),))
    yield start
    for host in hosts:
        host.close()


class Asked:
    """Submits jobs and collects their answers."""

    def __init__(self, host):
        self.host = host
        self.answers = queue.Queue()

    def __call__(self, picture):
        self.host.submit(ReadJob(picture, self.answers.put))

    def answer(self, timeout=10.0):
        return self.answers.get(timeout=timeout)


def test_a_job_is_answered(fake_worker):
    ask = Asked(fake_worker())
    ask(b'EM1-2U1')
    answer = ask.answer()
    assert answer.failure == '' and answer.reading.readings[0].text == 'EM1-2U1'


def test_only_the_newest_of_those_that_wait_is_read(fake_worker):
    host = fake_worker()
    wait_until(lambda: host.state.ready)
    ask = Asked(host)
    for picture in (b'slow', b'second', b'third'):
        ask(picture)
    outcomes = [ask.answer() for _ in range(3)]
    assert [a.failure for a in outcomes].count(ReadFailure.SUPERSEDED) == 1
    assert [a.reading.readings[0].text for a in outcomes if a.reading] == ['slow', 'third']


@pytest.mark.parametrize('picture, failure', [(b'hang', ReadFailure.TOO_SLOW), (b'die', ReadFailure.ENGINE_FAILED)])
def test_a_worker_that_hangs_or_dies_is_started_again(fake_worker, picture, failure):
    host = fake_worker(deadline=0.5)
    ask = Asked(host)
    ask(picture)
    answer = ask.answer()
    assert answer.failure == failure and 'restarted' in answer.message
    ask(b'next')
    assert ask.answer().reading.readings[0].text == 'next' and host.state.starts == 2


def test_a_frozen_worker_that_takes_no_picture_any_more_is_started_again(fake_worker):
    host = fake_worker(deadline=0.5)
    wait_until(lambda: host.state.ready)
    os.kill(host.state.pid, signal.SIGSTOP)
    ask = Asked(host)
    ask(bytes(1_000_000))  # More than a pipe holds: who writes it waits.
    assert ask.answer().failure == ReadFailure.TOO_SLOW
    ask(b'next')
    assert ask.answer().reading.readings[0].text == 'next' and host.state.starts == 2


def test_a_worker_that_grew_too_large_is_started_again_after_its_answer(fake_worker):
    host = fake_worker(most_memory=300_000_000)
    ask = Asked(host)
    ask(b'first')
    assert ask.answer().reading is not None
    wait_until(lambda: host.state.starts == 2 and host.state.ready)
    ask(b'second')
    assert ask.answer().reading is not None


def test_nonsense_from_the_worker_is_a_failure_of_that_job_only(fake_worker):
    ask = Asked(fake_worker())
    ask(b'nonsense')
    assert ask.answer().failure == ReadFailure.ENGINE_FAILED
    ask(b'next')
    assert ask.answer().reading is not None


def test_closing_answers_what_is_pending(fake_worker):
    host = fake_worker()
    wait_until(lambda: host.state.ready)
    ask = Asked(host)
    ask(b'hang')
    ask(b'waits')
    wait_until(lambda: host.queued)
    host.close()
    assert [ask.answer().failure for _ in range(2)] == [ReadFailure.ENGINE_FAILED] * 2


def test_an_engine_that_cannot_start_says_why(tmp_path):
    host = WorkerSupervisor(['--model-dir', str(tmp_path)])
    wait_until(lambda: 'model_dir' in host.state.message, 30)
    assert not host.state.ready
    host.close()


def test_an_interpreter_that_is_not_there_says_so():
    host = WorkerSupervisor([], python='/not/there/python')
    wait_until(lambda: 'engine_python' in host.state.message)
    host.close()


def gone(pid):
    try:
        return Path(f'/proc/{pid}/stat').read_text(encoding='ascii').rsplit(')', 1)[1].split()[0] == 'Z'
    except FileNotFoundError:
        return True


@pytest.fixture
def spared(fake_worker):
    """Start a host and wait until it has a worker and a spare."""

    def start(**options):
        host = fake_worker(spare='light', **options)
        wait_until(lambda: host.state.ready and host.state.spare_pid)
        return host

    return start


def test_the_spare_takes_the_place_of_a_killed_worker_and_is_replaced(spared):
    host = spared()
    worker, spare = host.state.pid, host.state.spare_pid
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: host.state.starts == 2 and host.state.ready and host.state.spare_pid)
    assert host.state.pid == spare and host.state.spare_pid not in {worker, spare}
    ask = Asked(host)
    ask(b'next')
    assert ask.answer().reading.readings[0].text == 'next'


def test_a_worker_whose_spare_was_killed_reads_on_and_is_started_again_itself(spared):
    host = spared()
    os.kill(host.state.spare_pid, signal.SIGKILL)
    wait_until(lambda: not host.state.spare_pid)
    ask = Asked(host)
    ask(b'first')
    assert ask.answer().reading and host.state.starts == 1 and not host.state.spare_pid  # It is not tried again at once.
    os.kill(host.state.pid, signal.SIGKILL)
    wait_until(lambda: host.state.starts == 2 and host.state.ready and host.state.spare_pid)
    ask(b'second')
    assert ask.answer().reading.readings[0].text == 'second'


@pytest.mark.parametrize('order', [('pid', 'spare_pid'), ('spare_pid', 'pid')])
def test_a_reading_comes_after_worker_and_spare_were_killed_together(spared, order):
    host = spared()
    for pid in [getattr(host.state, name) for name in order]:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: host.state.starts >= 2 and host.state.ready and host.state.spare_pid)
    ask = Asked(host)
    ask(b'next')
    assert ask.answer().reading.readings[0].text == 'next'


def test_the_spare_takes_over_from_a_worker_that_grew_too_large(spared):
    host = spared(most_memory=300_000_000)
    spare = host.state.spare_pid
    ask = Asked(host)
    ask(b'first')
    assert ask.answer().reading is not None
    wait_until(lambda: host.state.pid == spare and host.state.ready)


def test_closing_ends_worker_and_spare(spared):
    host = spared()
    both = host.state.pid, host.state.spare_pid
    host.close()
    wait_until(lambda: all(gone(pid) for pid in both))


@pytest.mark.parametrize('spare', ['light', 'warm'])
def test_a_real_spare_reads(tmp_path, compress, draw, spare):
    host = WorkerSupervisor(['--cache-dir', str(tmp_path)], deadline=60.0, spare=spare)
    try:
        wait_until(lambda: host.state.ready and host.state.spare_pid, 60)
        waiting = host.state.spare_pid
        os.kill(host.state.pid, signal.SIGKILL)
        wait_until(lambda: host.state.pid == waiting and host.state.ready, 60)
        ask = Asked(host)
        ask(compress(draw('EM1-2U1')))
        assert [reading.text for reading in ask.answer(60).reading.readings] == ['EM1-2U1']
    finally:
        host.close()


def test_worker_and_spare_die_with_their_parent():
    script = (
        'import time, sys\nfrom cell_vision.ocr.worker.supervisor import WorkerSupervisor\n'
        "host = WorkerSupervisor([], spare='light')\n"
        'while not host.state.spare_pid: time.sleep(0.01)\nprint(host.state.pid, host.state.spare_pid, flush=True)\n'
        'time.sleep(60)\n'
    )
    parent = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, text=True)
    both = [int(pid) for pid in parent.stdout.readline().split()]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert len(both) == 2
    wait_until(lambda: all(gone(pid) for pid in both), 10, 'the end of worker and spare')


def test_messages_go_through_a_pipe_unchanged():
    stream = io.BytesIO()
    write_message(stream, {'job': 1, **encode_reading(READING)}, b'\x00payload\n')
    stream.seek(0)
    header, payload = read_message(stream)
    assert payload == b'\x00payload\n' and decode_reading(header) == READING
    assert read_message(stream) is None


@pytest.mark.parametrize('line', [b'{}\n', b'[]\n', b'no json\n', b'{"size": -1}\n', b'{"size": 1e12}\n'])
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ProtocolError):
        read_message(io.BytesIO(line))


@pytest.mark.parametrize('header', [{}, {'readings': 3}, {**encode_reading(READING), 'readings': [['A', 0.5, [[0, 0]]]]}])
def test_what_is_no_reading_is_refused(header):
    with pytest.raises(ProtocolError):
        decode_reading(header)


def test_a_message_cut_short_is_the_end():
    assert read_message(io.BytesIO(b'{"size": 10}\nabc')) is None


def test_the_delay_doubles_up_to_its_cap_and_begins_again():
    backoff = Backoff(1.0, 5.0)
    assert [backoff.next() for _ in range(4)] == [1.0, 2.0, 4.0, 5.0]
    backoff.reset()
    assert backoff.next() == 1.0


def frame(stamp):
    return SerializedFrame(stamp, b'')


def test_who_waits_for_a_newer_frame_gets_it_and_no_older_one():
    slot, got = LatestFrame(), []
    slot.update(frame(10))
    slot.on_newer(5, got.append)
    slot.on_newer(10, got.append)
    assert got == [frame(10)]
    slot.update(frame(10))
    slot.update(frame(11))
    slot.update(frame(12))
    assert got == [frame(10), frame(11)]


def test_who_no_longer_waits_gets_nothing():
    slot, got = LatestFrame(), []
    slot.on_newer(0, got.append)()
    slot.update(frame(1))
    assert got == []


def test_the_stamp_is_read_from_a_serialized_message():
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import CompressedImage

    message = CompressedImage()
    message.header.stamp.sec, message.header.stamp.nanosec = 1_700_000_000, 123_456_789
    assert stamp_of(serialize_message(message)) == 1_700_000_000_123_456_789
    with pytest.raises(ValueError, match='header'):
        stamp_of(b'short')
