"""Freedrive of backend rtde: one request after the other."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from cell_common.error_code import ErrorCode
from cell_robot.backends.rtde.teaching import RtdeTeaching


class FakeArm:
    """An arm whose control process starts when the test says so."""

    control_pid = 7

    def __init__(self) -> None:
        self.may_start = asyncio.Event()
        self.starting = asyncio.Event()
        self.requests: list[bool] = []

    async def remote_refusal(self) -> str:
        return ''

    async def ensure_control(self) -> str:
        self.starting.set()
        await self.may_start.wait()
        return ''

    async def request(self, asked: Any) -> None:
        self.requests.append(asked.on)


def test_freedrive_that_is_switched_off_while_it_is_switched_on_is_off_in_the_end() -> None:
    async def both() -> tuple[list[bool], list[ErrorCode], bool]:
        arm = FakeArm()
        background: Any = SimpleNamespace()
        teaching = RtdeTeaching(arm, background, background, lambda: '', lambda recipe: None)  # type: ignore[arg-type]
        switched_on = asyncio.ensure_future(teaching.switch(True, 30.0))
        await arm.starting.wait()
        switched_off = asyncio.ensure_future(teaching.switch(False))
        await asyncio.sleep(0)
        arm.may_start.set()
        answers = await asyncio.gather(switched_on, switched_off)
        return arm.requests, [answer.code for answer in answers], teaching.freedrive

    assert asyncio.run(both()) == ([True, False], [ErrorCode.OK, ErrorCode.OK], False)
