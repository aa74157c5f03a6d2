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

GATHER_S = 0.09
DEADLINE_S = 1.0
HEARING = f"""
import asyncio, sys
from cell_common.background import AsyncioThread

async def hear():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print('ready', flush=True)
    try:
        print((await asyncio.wait_for(reader.readline(), {DEADLINE_S})).decode().strip())
    except asyncio.TimeoutError:
        print('nothing')

AsyncioThread('hearing').run(hear(), 30.0)
"""


async def answer(of):
    return of()


@pytest.fixture
def turn():
    return threading.Lock()


@pytest.fixture
def background(turn):
    loop = AsyncioThread('test', GATHER_S, turn)
    yield loop
    loop.close()


def test_a_loop_that_gathers_has_the_turn_while_it_works_and_gives_it_up_while_it_waits(background, turn):
    assert background.run(answer(turn.locked), 5) is True
    wait_until(lambda: not turn.locked())


def test_while_another_thread_has_the_turn_the_loop_does_nothing(background, turn):
    wait_until(lambda: turn.acquire(blocking=False))
    waiting = background.submit(answer(lambda: 'done'))
    with pytest.raises(TimeoutError):
        waiting.result(GATHER_S)
    turn.release()
    assert waiting.result(5) == 'done'


def test_a_loop_that_ends_leaves_the_turn_free(background, turn):
    background.close()
    assert not turn.locked()


def test_what_follows_closely_gathers_and_what_comes_after_a_pause_is_seen_at_once(turn):
    with turn, BatchingSelector(GATHER_S, turn) as selector:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            selector.register(ours, 1)
            theirs.send(b'x')
            took = []
            for timeout in (5.0, 5.0, 0.0):
                start = time.monotonic()
                assert selector.select(timeout)
                took.append(time.monotonic() - start)
    assert took[1] >= GATHER_S * 0.9
    assert took[0] < GATHER_S and took[2] < GATHER_S


class Standstill:
    """The clock that a selector looks at, and a machine that stands still while it waits."""

    def __init__(self, monkeypatch):
        self.at, self.extra = 100.0, 0.0
        monkeypatch.setattr('cell_common.background.time.monotonic', lambda: self.at)

    def wait(self, timeout):
        self.at += (timeout or 0.0) + self.extra
        self.extra = 0.0
        return []


@pytest.fixture
def standing(monkeypatch):
    machine = Standstill(monkeypatch)
    with StallCompensatingSelector() as selector:
        monkeypatch.setattr(selector, '_wait', machine.wait)
        yield machine, selector


def test_the_clock_goes_on_while_a_thread_waits_as_long_as_it_wanted_to(standing):
    _, selector = standing
    began = selector.now()
    for _ in range(5):
        selector.select(POLL_INTERVAL_S)
    assert selector.now() - began == pytest.approx(5 * POLL_INTERVAL_S)


def test_the_clock_stands_while_the_machine_stands_still_in_a_wait(standing):
    machine, selector = standing
    began = selector.now()
    machine.extra = 60.0
    selector.select(0.05)
    assert selector.now() - began == pytest.approx(0.05)


def test_a_wait_for_a_far_deadline_counts_no_more_than_a_look(standing):
    machine, selector = standing
    began = selector.now()
    machine.extra = 60.0
    selector.select(30.0)
    assert selector.now() - began == pytest.approx(POLL_INTERVAL_S)


def test_the_clock_stands_while_the_thread_is_held_up_at_its_work_and_never_goes_back(standing):
    machine, selector = standing
    selector.select(0.0)
    began = selector.now()
    machine.at += 60.0
    assert selector.now() == pytest.approx(began)
    selector.select(0.0)
    assert selector.now() == pytest.approx(began)


def test_a_wait_without_a_deadline_is_no_standstill(standing):
    machine, selector = standing
    selector.select(0.0)
    began = selector.now()
    machine.extra = 60.0
    selector.select(None)
    assert selector.now() - began == pytest.approx(60.0)


def test_an_answer_that_came_while_the_process_stood_still_is_heard_before_the_deadline_of_its_wait():
    """In a process of its own, which the system stops for longer than the deadline."""
    with subprocess.Popen([sys.executable, '-c', HEARING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hearer:
        assert hearer.stdout.readline() == 'ready\n'
        os.kill(hearer.pid, signal.SIGSTOP)
        wait_until(lambda: 'T' in Path(f'/proc/{hearer.pid}/stat').read_text().rsplit(')', 1)[1].split()[0])
        threading.Event().wait(1.5 * DEADLINE_S)
        hearer.stdin.write('answer\n')
        hearer.stdin.flush()
        os.kill(hearer.pid, signal.SIGCONT)
        assert hearer.communicate(timeout=10)[0] == 'answer\n'


def test_an_answer_that_does_not_come_ends_the_wait_at_its_deadline():
    with subprocess.Popen([sys.executable, '-c', HEARING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hearer:
        assert hearer.stdout.read() == 'ready\nnothing\n'
