"""Latest RTDE packet and its age. Runs in the backend's event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.protocols.rtde.snapshot import PacketLossCounter, RobotSnapshot, parse_snapshot


class RobotDataFeed:
    """Holds the latest data package of a robot and wakes tasks that wait for data.

    Two ages are kept. `age` leaves out stalls of this machine, so a stall does not look like a loss of the robot. The wall
    clock shows a stall, after which no move may start from old data.
    """

    def __init__(self, options: ArmOptions) -> None:
        """Start without a connection; must run in the event loop, whose clock dates the packages.

        Args:
            options: Address for messages, rate of the packages in hertz, and the age at which they are stale.
        """
        self._options = options
        self.address = options.address
        self._loop = asyncio.get_running_loop()
        self.latest: RobotSnapshot | None = None
        """Newest package; None without a connection."""
        self._before: RobotSnapshot | None = None
        self._received_at = 0.0
        self._received_at_wall = 0.0
        self.disconnect_reason = f'The robot at {options.address} is not connected. Switch it on, check the network cable.'
        self.packet_loss = PacketLossCounter(options.frequency)
        self._next: asyncio.Future[None] = self._loop.create_future()

    def _update(self, values: dict[str, RtdeValue]) -> tuple[RobotSnapshot | None, RobotSnapshot]:
        """Store a package; returns the previous one and this one. Waiting tasks continue after the caller returns.

        Args:
            values: RTDE name -> value, of the names that were subscribed.
        """
        former, now = self.latest, parse_snapshot(values)
        self._before, self.latest = former, now
        # Two clocks: the loop's leaves out stalls of this machine, the other one does not.
        self._received_at, self._received_at_wall = self._loop.time(), time.monotonic()
        self.packet_loss.take(now.timestamp)
        if not self._next.done():
            self._next.set_result(None)
        return former, now

    @property
    def age(self) -> float:
        """Age of the newest package in seconds; the loop's clock excludes stalls of this machine."""
        return self._loop.time() - self._received_at

    @property
    def fresh(self) -> bool:
        """Whether the newest package is recent enough for a move."""
        return self.latest is not None and self.age < self._options.stale

    async def wait_until(self, condition: Callable[[RobotSnapshot], bool], timeout_s: float) -> bool:
        """Wait until fresh data satisfies a condition; returns False on timeout.

        Args:
            condition: Called with each package while data is fresh, also with the newest one at once.
            timeout_s: Seconds of the loop's clock.
        """
        deadline = self._loop.time() + timeout_s
        while not (self.latest is not None and self.fresh and condition(self.latest)):
            left = deadline - self._loop.time()
            if left <= 0:
                return False
            # One future serves all waiting tasks; the first that waits again renews it.
            if self._next.done():
                self._next = self._loop.create_future()
            await asyncio.wait([self._next], timeout=left)
        return True

    async def wait_for_fresh(self) -> None:
        """Wait for another package when the newest one is older than a stall of this machine: no move may start from it.

        Without another package within the stale time, the data is not `fresh` afterwards.
        """
        if self.fresh and time.monotonic() - self._received_at_wall >= self._options.stale:
            old = self.latest
            await self.wait_until(lambda now: now is not old, self._options.stale)
