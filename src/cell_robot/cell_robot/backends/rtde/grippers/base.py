"""Interface between the arm and its gripper. Everything runs in the backend's event loop."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

from cell_robot.motion.recipe import GripperSettings
from cell_robot.protocols.rtde.snapshot import RobotSnapshot


class GripperWires(Protocol):
    """Part of the arm that a gripper uses; both waits end with StepError when the step is aborted."""

    @property
    def latest(self) -> RobotSnapshot | None:
        """Newest data package, None without a connection."""

    async def set_outputs(self, outputs: Mapping[int, bool]) -> None:
        """Switch digital outputs, and wait until the data shows them.

        Raises:
            StepError: An output did not switch, or the step is aborted.
        """

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds; returns False on timeout.

        Args:
            condition: Evaluated with each data package. One that never holds makes this a pause that an abort ends.
            timeout_s: Seconds.

        Raises:
            StepError: The step is aborted.
        """


class Gripper(ABC):
    """Closes and opens, and reports whether a piece is held.

    Properties are read with each data package and must not wait.
    """

    def __init__(self, settings: GripperSettings, wires: GripperWires) -> None:
        self._settings, self._wires = settings, wires

    @property
    @abstractmethod
    def holds(self) -> bool | None:
        """Whether a piece is held; None without a sensor or data."""

    @property
    @abstractmethod
    def closed(self) -> bool | None:
        """Read-back of the gripper: closed, or its vacuum is on; None without data."""

    @property
    def lost(self) -> bool:
        """Whether a piece that was held is gone."""
        return self.holds is False

    @property
    def message(self) -> str:
        """Fault for the operator with its remedy, "" when the gripper can be used."""
        return ''

    @abstractmethod
    async def switch(self, closed: bool, seconds: float) -> bool:
        """Close or open, and return whether the sensor shows a piece afterwards as expected, or cannot tell.

        Args:
            closed: True to close.
            seconds: Time to close or open.

        Raises:
            StepError: The gripper did not switch, or the step is aborted.
        """

    async def run(self) -> None:
        """Keep the gripper's own connection until canceled; nothing to do for one that is wired to the controller."""
        await asyncio.sleep(0)
