import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cell_common.background import POLL_INTERVAL_S, AsyncioThread, BatchingSelector, StallCompensatingSelector
from cell_common.testing import wait_until

BATCH_WINDOW_S = 0.09
DEADLINE_S = 1.0
LISTENER = f"""
import asyncio, sys
from cell_common.background import AsyncioThread

async def listen():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print('ready', flush=True)
    try:
        print((await asyncio.wait_for(reader.readline(), {DEADLINE_S})).decode().strip())
    except asyncio.TimeoutError:
        print('nothing')

AsyncioThread('listening').run(listen(), 30.0)
"""


def listener():
    return subprocess.Popen([sys.executable, '-c', LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def answer(of):
    return of()


@pytest.fixture
def gil_lock():
    return threading.Lock()


@pytest.fixture
def background(gil_lock):
    loop = AsyncioThread('test', BATCH_WINDOW_S, gil_lock)
    yield loop
    loop.close()


def test_a_batching_loop_holds_the_lock_while_it_works_and_releases_it_while_it_waits(background, gil_lock):
    assert background.run(answer(gil_lock.locked), 30.0) is True
    wait_until(lambda: not gil_lock.locked())


def test_the_loop_does_nothing_while_another_thread_holds_the_lock(background, gil_lock):
    wait_until(lambda: gil_lock.acquire(blocking=False))
    waiting = background.submit(answer(lambda: 'done'))
    with pytest.raises(TimeoutError):
        waiting.result(BATCH_WINDOW_S)
    gil_lock.release()
    assert waiting.result(30.0) == 'done'


def test_a_closed_loop_releases_the_lock(background, gil_lock):
    background.close()
    assert not gil_lock.locked()


def test_events_in_quick_succession_are_batched_and_one_after_a_pause_is_not_delayed(gil_lock):
    with gil_lock, BatchingSelector(BATCH_WINDOW_S, gil_lock) as selector:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            selector.register(ours, 1)
            theirs.send(b'x')
            took = []
            for timeout in (5.0, 5.0, 0.0):
                start = time.monotonic()
                assert selector.select(timeout)
                took.append(time.monotonic() - start)
    assert took[1] >= BATCH_WINDOW_S * 0.9
    assert took[0] < BATCH_WINDOW_S and took[2] < BATCH_WINDOW_S


class StalledMachine:
    """A clock for the selector, and a machine that stalls during a select."""

    def __init__(self, monkeypatch):
        self.at, self.extra = 100.0, 0.0
        monkeypatch.setattr('cell_common.background.time.monotonic', lambda: self.at)

    def wait(self, timeout):
        self.at += (timeout or 0.0) + self.extra
        self.extra = 0.0
        return []


@pytest.fixture
def standing(monkeypatch):
    machine = StalledMachine(monkeypatch)
    with StallCompensatingSelector() as selector:
        monkeypatch.setattr(selector, '_wait', machine.wait)
        yield machine, selector


def test_the_clock_runs_during_a_select_that_ends_in_time(standing):
    _, selector = standing
    began = selector.now()
    for _ in range(5):
        selector.select(POLL_INTERVAL_S)
    assert selector.now() - began == pytest.approx(5 * POLL_INTERVAL_S)


def test_the_clock_stops_during_a_stall_in_a_select(standing):
    machine, selector = standing
    began = selector.now()
    machine.extra = 60.0
    selector.select(0.05)
    assert selector.now() - began == pytest.approx(0.05)


def test_a_stall_in_a_long_select_counts_at_most_one_poll_interval(standing):
    machine, selector = standing
    began = selector.now()
    machine.extra = 60.0
    selector.select(30.0)
    assert selector.now() - began == pytest.approx(POLL_INTERVAL_S)


def test_the_clock_stops_during_a_stall_between_selects_and_never_goes_back(standing):
    machine, selector = standing
    selector.select(0.0)
    began = selector.now()
    machine.at += 60.0
    assert selector.now() == pytest.approx(began)
    selector.select(0.0)
    assert selector.now() == pytest.approx(began)


def test_a_select_without_a_timeout_is_no_stall(standing):
    machine, selector = standing
    selector.select(0.0)
    began = selector.now()
    machine.extra = 60.0
    selector.select(None)
    assert selector.now() - began == pytest.approx(60.0)


def test_data_that_arrived_during_a_stop_of_the_process_is_read_before_the_timeout():
    with subprocess.Popen(
        [sys.executable, '-c', LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == 'ready\n'
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(lambda: 'T' in Path(f'/proc/{process.pid}/stat').read_text().rsplit(')', 1)[1].split()[0])
        threading.Event().wait(1.5 * DEADLINE_S)
        process.stdin.write('answer\n')
        process.stdin.flush()
        os.kill(process.pid, signal.SIGCONT)
        assert process.communicate(timeout=60)[0] == 'answer\n'


def test_without_data_the_wait_ends_at_its_timeout():
    with subprocess.Popen(
        [sys.executable, '-c', LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.read() == 'ready\nnothing\n'
