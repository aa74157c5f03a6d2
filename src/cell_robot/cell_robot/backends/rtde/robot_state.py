"""What was heard of the robot: the newest data package and how old it is. Runs in the backend's event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.protocols.rtde.codec import Value
from cell_robot.protocols.rtde.view import Continuity, View, view


class Heard:
    """The newest data package of a robot."""

    def __init__(self, options: ArmOptions) -> None:
        """Know nothing yet."""
        self._options = options
        self.address = options.address
        self._loop = asyncio.get_running_loop()
        self.seen: View | None = None
        """The newest package; None while there is no connection."""
        self._before: View | None = None
        self._seen_at = 0.0
        self._seen_at_wall = 0.0
        self.why_lost = f'The robot at {options.address} was not heard yet. Switch it on, check the network cable.'
        self.continuity = Continuity(options.frequency)
        self._next: asyncio.Future[None] = self._loop.create_future()

    def _hear(self, values: dict[str, Value]) -> tuple[View | None, View]:
        """Take a package in; return the former one and this one. Who waits for data goes on when the caller has returned."""
        former, now = self.seen, view(values)
        self._before, self.seen = former, now
        self._seen_at, self._seen_at_wall = self._loop.time(), time.monotonic()
        self.continuity.take(now.timestamp)
        if not self._next.done():
            self._next.set_result(None)
        return former, now

    @property
    def age(self) -> float:
        """Seconds since the newest package; a standstill of this machine does not count."""
        return self._loop.time() - self._seen_at

    @property
    def fresh(self) -> bool:
        """Whether data comes."""
        return self.seen is not None and self.age < self._options.stale

    async def until(self, condition: Callable[[View], bool], seconds: float) -> bool:
        """Wait until the data says something; return False when it did not in time."""
        deadline = self._loop.time() + seconds
        while not (self.seen is not None and self.fresh and condition(self.seen)):
            left = deadline - self._loop.time()
            if left <= 0:
                return False
            if self._next.done():
                self._next = self._loop.create_future()
            await asyncio.wait([self._next], timeout=left)
        return True

    async def hear_anew(self) -> None:
        """Wait for another package when the newest is of before a standstill of this machine: nothing may begin by that one.

        When none comes, the data is not `fresh` afterwards.
        """
        if self.fresh and time.monotonic() - self._seen_at_wall >= self._options.stale:
            old = self.seen
            await self.until(lambda seen: seen is not old, self._options.stale)
