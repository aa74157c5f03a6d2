import socket
import threading
import time

import pytest
from cell_common.background import BackgroundLoop, GatheringSelector
from cell_common.testing import wait_until

GATHER_S = 0.2


async def answer(of):
    return of()


@pytest.fixture
def turn():
    return threading.Lock()


@pytest.fixture
def background(turn):
    loop = BackgroundLoop('test', GATHER_S, turn)
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
    with turn, GatheringSelector(GATHER_S, turn) as selector:
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
