"""Teaching over the backends that plan their own motion: freedrive, the arm's pose, facts about the arm.

Freedrive ends after its time: it is extended by another request. A terminal that has crashed leaves no arm that gives way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from cell_common.alarm_text import sentence
from cell_common.background import AsyncioThread
from cell_common.error_code import ErrorCode

from cell_robot.backends.base import ArmDetails, ArmReading, CommandResult, TeachError
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.rtde.steps import StepError
from cell_robot.control_process.codec import SetFreedrive
from cell_robot.motion.agreement import flange_disagreement, flange_distance
from cell_robot.motion.poses import pose_to_matrix
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.rtde.software import software_name

FREEDRIVE_ON = 'Freedrive is on: the arm can be moved by hand.'
MOVES = 'The arm moves. Let it stand still.'


class RtdeTeaching:
    """Teaching of one arm."""

    def __init__(
        self,
        arm: RtdeArm,
        recipe: CellRecipe,
        background: AsyncioThread,
        refusal: Callable[[], str],
        use_recipe: Callable[[CellRecipe], None],
    ) -> None:
        """Store the collaborators.

        Args:
            arm: Arm that is taught.
            recipe: Recipe with its model and tool.
            background: Thread of the backend's event loop.
            refusal: Returns why the arm may not be commanded, "" when it may; called in the event loop.
            use_recipe: Takes a new recipe; called in the event loop.
        """
        self._arm, self._recipe, self._background = arm, recipe, background
        self._refusal, self._use_recipe = refusal, use_recipe
        self._freedrive_pid = 0
        """Control process that has switched freedrive on; 0 = it is off."""
        self._ends: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[CommandResult] | None = None
        self._switching = asyncio.Lock()

    @property
    def freedrive(self) -> bool:
        """The arm can be moved by hand; a new control process begins without."""
        return self._freedrive_pid != 0 and self._freedrive_pid == self._arm.control_pid

    def reading(self) -> ArmReading:
        """Return where the arm stands.

        Raises:
            TeachError: It moves, or its pose cannot be trusted.
        """
        arm, cell, now = self._arm, self._recipe.cell, self._arm.latest
        if now is None or not arm.fresh:
            raise TeachError(arm.fault_message())
        if not arm.at_rest:
            raise TeachError(MOVES)
        if now.tcp_offset is not None:
            if text := flange_disagreement(cell, now.joints, now.tool, now.tcp_offset):
                raise TeachError(sentence(text))
            flange = pose_to_matrix(now.tool) @ np.linalg.inv(pose_to_matrix(now.tcp_offset))
            return ArmReading(now.joints, flange @ cell.tool)
        if text := arm.kinematics_text:
            raise TeachError(sentence(text))
        return ArmReading(now.joints, pose_to_matrix(now.tool))

    def set_freedrive(self, on: bool, seconds: float) -> Future[CommandResult]:
        """Let the arm be moved by hand for some seconds, or hold it again."""
        return self._background.submit(self.switch(on, seconds))

    def use_recipe(self, recipe: CellRecipe) -> None:
        """Plan with another recipe."""
        self._background.loop.call_soon_threadsafe(self._use_recipe, recipe)

    def details(self) -> Future[ArmDetails]:
        """Return facts about arm and controller."""
        return self._background.submit(self._details())

    async def switch(self, on: bool, seconds: float = 0.0) -> CommandResult:
        """Switch freedrive; in the event loop. One request after the other: the last one decides."""
        async with self._switching:
            return await self._begin(seconds) if on else await self._end()

    async def _begin(self, seconds: float) -> CommandResult:
        if not self.freedrive:
            if message := self._refusal() or await self._arm.remote_refusal() or await self._arm.ensure_control():
                return CommandResult(ErrorCode.NOT_READY, f'Freedrive stays off. {message}')
            if error := await self._request(True):
                return CommandResult(ErrorCode.ROBOT_REFUSED, error)
            self._freedrive_pid = self._arm.control_pid
        self._renew(seconds)
        return CommandResult(ErrorCode.OK, f'{FREEDRIVE_ON} It is held again after {seconds:.0f} s.')

    async def _end(self) -> CommandResult:
        if self._ends is not None:
            self._ends.cancel()
        was_on, self._freedrive_pid = self.freedrive, 0
        if was_on and (error := await self._request(False)):
            self._arm.release('freedrive could not be ended')
            return CommandResult(ErrorCode.ROBOT_REFUSED, error)
        return CommandResult(ErrorCode.OK, 'Freedrive is off: the arm is held.')

    async def _request(self, on: bool) -> str:
        """Ask the control process; returns an error message."""
        try:
            await self._arm.request(SetFreedrive(on))
        except StepError as error:
            return f'The robot did not switch freedrive {"on" if on else "off"}: {error}.'
        return ''

    def _renew(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._ends is not None:
            self._ends.cancel()
        self._ends = loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._ending = asyncio.get_running_loop().create_task(self.switch(False))

    async def _details(self) -> ArmDetails:
        arm, recipe, now = self._arm, self._recipe, self._arm.latest
        agree, distance, text = None, math.nan, arm.kinematics_text
        if now is not None and now.tcp_offset is not None:
            text = text or flange_disagreement(recipe.cell, now.joints, now.tool, now.tcp_offset)
            agree, distance = not text, flange_distance(recipe.cell, now.joints, now.tool, now.tcp_offset)
        version = arm.software()
        return ArmDetails(
            now.joints if now is not None else (),
            now.tool if now is not None else (),
            math.nan if now is None or now.tool_speed is None else now.tool_speed,
            math.nan if now is None or now.payload is None else now.payload,
            recipe.payload,
            await arm.reported_model(),
            recipe.cell.arm.name,
            await arm.reported_serial_number(),
            software_name(version) if version else '',
            False if text else agree,
            distance,
            sentence(text),
        )
