from __future__ import annotations

import asyncio
from contextlib import aclosing

from cell_web.mjpeg_hub import FrameHub, MjpegFrame


def frame(number: int) -> MjpegFrame:
    return MjpegFrame(b'', number)


def test_a_slow_viewer_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    async def work() -> tuple[list[int], int]:
        hub = FrameHub(lambda wanted: None)
        async with aclosing(hub.frames()) as frames:
            first = asyncio.create_task(anext(frames))
            await asyncio.sleep(0)
            hub.publish(frame(1))
            seen = [(await first).stamp_ns]
            for number in (2, 3, 4):
                hub.publish(frame(number))
            seen.append((await anext(frames)).stamp_ns)
            return seen, hub.dropped

    assert asyncio.run(work()) == ([1, 4], 2)


def test_each_viewer_has_its_own_rate() -> None:
    async def work() -> tuple[int, int]:
        hub = FrameHub(lambda wanted: None)
        async with aclosing(hub.frames()) as one, aclosing(hub.frames()) as two:
            waiting = [asyncio.create_task(anext(frames)) for frames in (one, two)]
            await asyncio.sleep(0)
            hub.publish(frame(1))
            await asyncio.gather(*waiting)
            hub.publish(frame(2))
            quick = (await anext(one)).stamp_ns
            hub.publish(frame(3))
            return quick, (await anext(two)).stamp_ns

    assert asyncio.run(work()) == (2, 3)


def test_demand_starts_with_the_first_viewer_and_ends_with_the_last() -> None:
    async def work() -> list[bool]:
        calls: list[bool] = []
        hub = FrameHub(calls.append)
        tasks = [asyncio.create_task(anext(hub.frames())) for _ in range(2)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return calls

    assert asyncio.run(work()) == [True, False]


def test_only_a_keeping_hub_shows_the_last_frame_to_a_new_viewer() -> None:
    async def first_of(keep: bool) -> int:
        hub = FrameHub(lambda wanted: None, keep=keep)
        for number in (1, 2):
            async with aclosing(hub.frames()) as frames:
                first = asyncio.create_task(anext(frames))
                await asyncio.sleep(0)
                if number == 1 or not keep:
                    hub.publish(frame(number))
                result = (await first).stamp_ns
        return result

    assert asyncio.run(first_of(keep=True)) == 1
    assert asyncio.run(first_of(keep=False)) == 2
