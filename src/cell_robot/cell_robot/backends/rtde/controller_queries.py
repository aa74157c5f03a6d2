"""Questions to the controller that decide whether the cell may use it: remote control, arm model, free registers.

Runs in the backend's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cell_common.alarm_text import sentence

from cell_robot.backends.rtde.data_feed import RobotDataFeed
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.clients.dashboard import RemoteControlQuestion, open_dashboard
from cell_robot.control_process.input_client import taken_inputs
from cell_robot.motion.agreement import flange_disagreement, model_mismatch
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.framing import RtdeError
from cell_robot.protocols.rtde.session import SoftwareVersion


class ControllerQueries(RobotDataFeed):
    """Data of a robot, and the answers of its controller.

    Answers are asked for again before each start, since an operator may change them at the pendant at any time.
    """

    def __init__(self, options: ArmOptions, recipe: CellRecipe) -> None:
        """Store the settings; must run in the event loop.

        Args:
            options: Address and timeouts of the dashboard.
            recipe: Tool, mounting and model that the controller must confirm.
        """
        super().__init__(options)
        self._recipe = recipe
        self.software: Callable[[], SoftwareVersion | None] = lambda: None
        """Returns the software of the controller, None where it is unknown."""
        self._remote = RemoteControlQuestion(options.address, options.dashboard)

    @property
    def has_dashboard(self) -> bool:
        """Whether the controller's dashboard can be used."""
        return self._options.has_dashboard

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 without one."""
        return 0

    async def dashboard(self, *commands: str) -> str:
        """Send commands to the dashboard and return the reply to the last one.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        reply = ''
        async with open_dashboard(self.address, self._options.dashboard) as client:
            for command in commands:
                reply = await client.ask(command)
        return reply

    async def remote_control(self) -> bool:
        """Return whether the robot is in remote control.

        Raises:
            DashboardError: No answer, or a controller that cannot tell.
        """
        return await self._remote.ask()

    async def model_refusal(self) -> str:
        """Return how the arm contradicts the recipe before the program runs, with the remedy; "" when it does not."""
        now = self.latest
        cell, message = self._recipe.cell, ''
        if now is not None and now.tcp_offset is not None:
            message = flange_disagreement(cell, now.joints, now.tool, now.tcp_offset)
        return sentence(message or model_mismatch(cell.arm, await self.reported_model()))

    async def reported_model(self) -> str:
        """Return the arm model that the controller reports, "" when it does not tell."""
        return await self._reported('get robot model')

    async def reported_serial_number(self) -> str:
        """Return the serial number that the controller reports, "" when it does not tell."""
        return await self._reported('get serial number')

    async def _reported(self, question: str) -> str:
        try:
            return await self.dashboard(question)
        except DashboardError:
            return ''

    async def input_refusal(self) -> str:
        """Return which registers or outputs another client owns, with the remedy; "" when none that the cell needs."""
        if self.control_pid or self.latest is None:
            return ''
        try:
            return sentence(await asyncio.to_thread(self._taken_inputs))
        except (OSError, RtdeError) as error:
            return f'The registers of the controller cannot be checked: {error}.'

    def _taken_inputs(self) -> str:
        return taken_inputs(self.address, self.outputs, upper=self._options.upper_registers)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Digital outputs that the recipe names."""
        return self._recipe.gripper.outputs
