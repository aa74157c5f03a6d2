import asyncio

import pytest
from cell_web.socketio_gateway.packet_queue import MOST_TAKEN, PacketQueue


def test_an_answer_has_a_limit_and_the_rest_stays_in_order():
    async def answers() -> list[list[int]]:
        queue, taken = PacketQueue(), []
        for number in range(2 * MOST_TAKEN + 3):
            queue.put_nowait(number)
        while not queue.empty():
            taken.append([await queue.get()])
            while True:
                try:
                    taken[-1].append(queue.get_nowait())
                except asyncio.QueueEmpty:
                    break
        return taken

    taken = asyncio.run(answers())
    assert [len(answer) for answer in taken] == [MOST_TAKEN, MOST_TAKEN, 3]
    assert [number for answer in taken for number in answer] == list(range(2 * MOST_TAKEN + 3))


def test_an_empty_queue_is_empty():
    async def take() -> None:
        PacketQueue().get_nowait()

    with pytest.raises(asyncio.QueueEmpty):
        asyncio.run(take())
