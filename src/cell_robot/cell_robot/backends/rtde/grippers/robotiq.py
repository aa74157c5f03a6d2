"""Robotiq gripper behind the socket of its URCap; its fingers are the part sensor.

The gripper stops at a piece and says so. A piece that slips out lets the fingers close completely. The cell never activates the
gripper, because its fingers then move over their whole stroke: an operator does that on the pendant.
"""

from __future__ import annotations

import asyncio

from cell_robot.backends.rtde.grippers.base import Gripper, GripperWires
from cell_robot.backends.rtde.steps import StepError
from cell_robot.clients.robotiq import RobotiqClient
from cell_robot.motion.recipe import GripperSettings, RobotiqSettings
from cell_robot.protocols.robotiq.codec import GripperStatus, ObjectStatus, RobotiqError

OLD_S = 0.5
"""Age from which a status no longer counts."""
SETTLE_S = 0.15
"""The object status may still be that of the former request this long after a new one."""


class RobotiqGripper(Gripper):
    """Moves the fingers and waits until they have stopped."""

    def __init__(self, settings: GripperSettings, wires: GripperWires, address: str) -> None:
        """Store the settings; must run in the event loop, whose clock dates the status.

        Args:
            settings: Gripper of the recipe; times in seconds.
            wires: Waits that an abort ends.
            address: Host of the URCap's socket.
        """
        super().__init__(settings, wires)
        self._fingers = settings.robotiq or RobotiqSettings()
        self._client = RobotiqClient(address, self._on_status)
        self._status: GripperStatus | None = None
        self._received_at = self._moved_at = float('-inf')
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Keep the connection to the gripper until canceled."""
        await self._client.run()

    @property
    def status(self) -> GripperStatus | None:
        """Newest status, None when it is too old."""
        return self._status if self._loop.time() - self._received_at < OLD_S else None

    @property
    def holds(self) -> bool | None:
        """Whether the fingers have stopped at a piece while they closed; None while they move."""
        status = self.status
        if status is None or status.message or status.object == ObjectStatus.MOVING:
            return None
        return self.closed is True and status.object == ObjectStatus.STOPPED_CLOSING

    @property
    def closed(self) -> bool | None:
        """Whether the fingers were sent to their closed position."""
        status = self.status
        if status is None:
            return None
        return status.requested == self._fingers.close_position

    @property
    def lost(self) -> bool:
        """Whether nothing shows that the gripper holds a piece: closed completely, moving on, or silent."""
        return self.holds is not True

    @property
    def message(self) -> str:
        """Fault of the gripper or of its connection, with the remedy."""
        status = self.status
        if status is None:
            return f'The gripper is not connected: {self._client.error}. Is its URCap installed, and the gripper powered?'
        return status.message

    async def switch(self, closed: bool, seconds: float) -> bool:
        """Move the fingers, and compare whether they hold a piece.

        Args:
            closed: True to close.
            seconds: Time for the whole stroke at the recipe's speed.

        Raises:
            StepError: The gripper has a fault, is not connected, or did not stop in time.
        """
        fingers = self._fingers
        position = fingers.close_position if closed else fingers.open_position
        if message := self.message:
            raise StepError(message)
        self._moved_at = self._loop.time()
        try:
            await self._client.move(position, fingers.speed, fingers.force)
        except RobotiqError as error:
            raise StepError(f'the gripper was not moved: {error}') from error
        if not await self._wires.wait_for(lambda: self._has_stopped(position), seconds + OLD_S):
            raise StepError(self.message or 'the fingers of the gripper did not stop in time')
        expected = ObjectStatus.STOPPED_CLOSING if closed else ObjectStatus.ARRIVED
        return self._status is not None and self._status.object == expected

    def _has_stopped(self, position: int) -> bool:
        """Return whether the fingers have ended the move to a position."""
        status = self.status
        # Right after a request the gripper still reports the end of the former one.
        early = self._loop.time() - self._moved_at < SETTLE_S
        return not early and status is not None and status.requested == position and status.object != ObjectStatus.MOVING

    def _on_status(self, status: GripperStatus | None) -> None:
        self._status, self._received_at = status, self._loop.time()
