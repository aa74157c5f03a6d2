import asyncio
import contextlib

import pytest
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_common.timeouts import with_timeout


@pytest.fixture(params=['asyncio.timeout', 'Python 3.10'], autouse=True)
def implementation(request, monkeypatch):
    if request.param == 'Python 3.10':
        monkeypatch.delattr(asyncio, 'timeout', raising=False)
    elif not hasattr(asyncio, 'timeout'):
        pytest.skip('this Python has no asyncio.timeout')


async def turns_of_the_loop() -> None:
    """Let the other tasks run until each of them waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def forever(ended: list[str] | None = None) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        if ended is not None:
            ended.append('ended')


def test_a_result_in_time_is_returned():
    async def answer() -> int:
        await asyncio.sleep(0)
        return 3

    assert asyncio.run(with_timeout(answer(), 5.0)) == 3
    assert asyncio.run(with_timeout(answer(), None)) == 3


def test_an_error_in_time_is_raised():
    async def fail() -> None:
        raise ConnectionError('lost')

    with pytest.raises(ConnectionError, match='lost'):
        asyncio.run(with_timeout(fail(), 5.0))


def test_the_timeout_cancels_the_awaitable_and_waits_for_its_end():
    ended: list[str] = []

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await with_timeout(forever(ended), 0.01)
        assert ended == ['ended']

    asyncio.run(main())


def test_a_shielded_future_outlives_the_timeout():
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        with pytest.raises(asyncio.TimeoutError):
            await with_timeout(asyncio.shield(future), 0.01)
        assert not future.done()

    asyncio.run(main())


def test_a_cancellation_cancels_the_awaitable():
    ended: list[str] = []

    async def main() -> None:
        task = asyncio.create_task(with_timeout(forever(ended), 60.0))
        await turns_of_the_loop()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ['ended']

    asyncio.run(main())


@pytest.mark.parametrize('outcome', ['result', 'error'])
def test_a_cancellation_that_comes_together_with_the_end_is_not_lost(outcome):
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(with_timeout(future, 60.0))
        await turns_of_the_loop()
        future.set_result(1) if outcome == 'result' else future.set_exception(ConnectionError('lost'))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_cancellation_that_comes_together_with_the_timeout_is_not_lost():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(with_timeout(forever(), 0.05))
        await asyncio.sleep(0)
        # Both timers are due in one turn of the loop, the timeout's first.
        loop.call_at(loop.time() + 0.0501, task.cancel)
        await asyncio.sleep(0)
        deadline = loop.time() + 0.06
        while loop.time() < deadline:
            pass
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_loop_ends_with_its_thread_although_its_answers_come_all_the_time():
    # Each round is canceled at the moment of its answer: with `wait_for` of Python 3.11 the loop survives some of them.
    for _ in range(20):
        background = AsyncioThread('loop of answers')
        rounds: list[int] = []

        async def ask(rounds: list[int] = rounds) -> None:
            while True:
                loop = asyncio.get_running_loop()
                answer = loop.create_future()
                loop.call_soon(answer.set_result, 1)
                with contextlib.suppress(asyncio.TimeoutError):
                    rounds.append(await with_timeout(answer, 1.0))

        background.submit(ask())
        wait_until(lambda rounds=rounds: rounds)
        background.close()
        assert background.loop.is_closed()
