"""Arm behind the official ROS driver: the rules of `RtdeArm` on goals, services and topics.

The driver's external-control program takes the place of the control script. It is the driver's, so it is sent by a service and
not uploaded, and a move is a goal of its trajectory controller.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable

from cell_robot.backends.base import Logger
from cell_robot.backends.ros_driver.driver_client import REMOTE, DriverClient, DriverError
from cell_robot.backends.rtde.arm import POLL_S, RtdeArm
from cell_robot.backends.rtde.steps import ArmOptions, StepError
from cell_robot.control_process.codec import (
    ControlRequest,
    MoveJoints,
    MoveLine,
    MovePath,
    RequestDone,
    SetFreedrive,
    SetOutput,
    StopArm,
)
from cell_robot.motion.agreement import driver_disagreement
from cell_robot.motion.kinematics import max_joint_difference
from cell_robot.motion.path_check import MoveError
from cell_robot.motion.poses import pose_distance, pose_to_matrix
from cell_robot.motion.recipe import CellRecipe
from cell_robot.motion.trajectory import TimedWaypoint, blend_path, time_path
from cell_robot.protocols.dashboard.codec import DashboardError, parse_bool
from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.robot_modes import RuntimeState

LOST_S = 2.0
"""Time without joint states after which the driver counts as lost."""
PROGRAM_START_S = 3.0
"""The driver's program runs within this time after it was sent."""
SEND_TRIES = 2
"""After a stop the driver's program sometimes needs a second attempt (Universal_Robots_ROS2_Driver, issue 123)."""
# Below this, a move has no direction that a speed could be computed along.
ZERO_LENGTH = 1e-6
DISAGREEING_PACKAGES = 10
"""The driver's tool pose may be this many joint states older."""


class DriverArm(RtdeArm):
    """One arm behind a driver."""

    def __init__(
        self, options: ArmOptions, recipe: CellRecipe, log: Logger, on_change: Callable[[], None], client: DriverClient
    ) -> None:
        """Store the collaborators; nothing is sent.

        Args:
            options: Timeouts and rates; `address` names the driver in messages.
            recipe: Cell with poses, tool and speeds.
            log: Logger of the node.
            on_change: Called in the event loop's thread when the state has changed.
            client: ROS side of the connection, in the executor's thread.
        """
        super().__init__(options, recipe, log, on_change)
        self._client = client
        self.paths = recipe.speeds.blend > 0.0
        self._standstill = 0
        """Packages in a row that show the arm at rest and at another place than the driver's tool pose says."""
        self._receiving = self._cleared = False
        """The driver publishes; goals left over on it have been canceled."""
        self._requests: set[asyncio.Future[RequestDone]] = set()
        self.disconnect_reason = (
            f'No data from the {options.address}. Is ur_robot_driver running, and is driver_namespace right?'
        )

    async def receive(self) -> None:
        """Receive packages until canceled; first cancels goals that a former run of the node left behind."""
        loop = asyncio.get_running_loop()

        def forward(values: dict[str, RtdeValue]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended because the node is closing
                loop.call_soon_threadsafe(self.package, values)

        self._client.listen(forward)
        snapshot = self._client.snapshot
        while True:
            await asyncio.sleep(POLL_S)
            if self._receiving and not self._cleared:
                with contextlib.suppress(DriverError):  # a controller that is not active has no goals
                    await self._client.reset()
                self._cleared = True
                self.connected()
            elif self.latest is not None and self.age > LOST_S:
                self._receiving = self._cleared = False
                self.lost(f'no joint states of the driver for {LOST_S:g} s')
            elif self.latest is None and snapshot.missing and not snapshot.empty:
                missing = ', '.join(snapshot.missing)
                self.disconnect_reason = f'The {self.address} does not publish {missing}. Is its controller active?'

    def package(self, values: dict[str, RtdeValue]) -> None:
        """Store a data package, once leftover goals have been canceled."""
        self._receiving = True
        if self._cleared:
            super().package(values)
            self._check_kinematics()

    def _check_kinematics(self) -> None:
        """Compare the kinematics with the driver's tool pose, which comes at another time than the joints: at rest only."""
        tool, now = self._client.snapshot.tool, self.latest
        if tool is None or now is None or not self.at_rest:
            self._standstill = 0
            return
        found = driver_disagreement(self._recipe.cell, now.joints, tool)
        self._standstill = self._standstill + 1 if found else 0
        if bool(found) != bool(self._kinematics.contradiction) and (not found or self._standstill > DISAGREEING_PACKAGES):
            self._kinematics.fail(found)
            self._on_change()

    def lost(self, reason: str, remedy: str = '') -> None:
        """The driver is gone; running requests end with an error.

        Args:
            reason: For log and message.
            remedy: Replaced by the driver's own.
        """
        super().lost(reason, remedy)
        for task in [*self._requests]:
            task.cancel()
        self.disconnect_reason = f'The {self.address} is lost: {reason}. Look whether ur_robot_driver and the robot are on.'

    @property
    def ready(self) -> bool:
        """Whether the driver's program runs on the robot."""
        return self.latest is not None and self.fresh and self.latest.runtime == RuntimeState.PLAYING

    async def dashboard(self, *commands: str) -> str:
        """Send commands to the dashboard through the driver and return the reply to the last one.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        reply = ''
        try:
            for command in commands:
                reply = await self._client.dashboard(command)
        except DriverError as error:
            raise DashboardError(str(error)) from error
        return reply

    async def remote_control(self) -> bool:
        """Return whether the robot is in remote control, by the driver's dashboard client.

        Raises:
            DashboardError: No answer, or a controller that cannot tell.
        """
        return not self._options.has_dashboard or parse_bool(await self.dashboard(REMOTE))

    async def stop_program(self) -> str:
        """Stop the program on the robot; without a dashboard no trajectory is executed, and the program waits."""
        if self._options.has_dashboard:
            return await super().stop_program()
        self._used = False
        self._kinematics.forget()
        return ''

    async def reported_model(self) -> str:
        """Return "": the driver has checked the model with its own description."""
        return ''

    async def reported_serial_number(self) -> str:
        """Return "": the driver does not pass it on."""
        return ''

    async def input_refusal(self) -> str:
        """Return "": the driver owns the registers and outputs."""
        return ''

    async def close(self) -> None:
        """Cancel the goals of the driver."""
        self._used = False
        self._client.cancel()

    async def _start_control(self) -> str:
        """Let the driver send its program; return an error message, "" when it runs."""
        advice = 'Look at the pendant: is external control possible there?'
        for _ in range(SEND_TRIES):
            try:
                await self._client.resend_program()
            except DriverError as error:
                advice = f'{error}.'
                continue
            if await self.wait_until(lambda now: now.runtime == RuntimeState.PLAYING, PROGRAM_START_S):
                self._used = True  # it runs: a program that is ended from here on is not started again
                self._on_change()
                return ''
        return f"The driver's program does not run on the robot. {advice}"

    def _send(self, request: ControlRequest) -> asyncio.Future[RequestDone]:
        if not self.ready:
            raise StepError("the driver's program has ended")
        task: asyncio.Future[RequestDone] = self._loop.create_task(self._execute(request))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        return task

    async def _execute(self, request: ControlRequest) -> RequestDone:
        """Execute one request, and return its end as the control process would."""
        try:
            if isinstance(request, MoveJoints | MoveLine | MovePath):
                if waypoints := self._waypoints(request):
                    await self._client.follow_trajectory(waypoints, self._on_started)
            elif isinstance(request, SetOutput):
                await self._client.set_output(request.pin, request.on)
            elif isinstance(request, StopArm):
                self._client.cancel()
            elif isinstance(request, SetFreedrive):
                return RequestDone(0, False, 'the driver cannot do that; use the freedrive button at the pendant')
        except (DriverError, MoveError) as error:
            return RequestDone(0, False, str(error))
        return RequestDone(0, True, '')

    def _waypoints(self, request: MoveJoints | MoveLine | MovePath) -> list[TimedWaypoint]:
        if isinstance(request, MovePath):
            return blend_path(self._recipe.cell, self._joints(), request.entries, self._speed_limits())
        return self._joint_path(request) if isinstance(request, MoveJoints) else self._linear_path(request)

    def _joint_path(self, move: MoveJoints) -> list[TimedWaypoint]:
        """Return timed waypoints of a joint move, [] for no move."""
        start = self._joints()
        length = max_joint_difference(start, move.joints)
        if length <= ZERO_LENGTH:
            return []
        return time_path([start, move.joints], length, move.speed, move.acceleration, self._speed_limits())

    def _linear_path(self, move: MoveLine) -> list[TimedWaypoint]:
        """Return waypoints along a line; a pure rotation is timed by its angle, as on the controller."""
        start, end, cell = self._joints(), pose_to_matrix(move.pose), self._recipe.cell
        meters, radians = pose_distance(cell.tcp(start), end)
        length = meters if meters > math.sqrt(ZERO_LENGTH) else radians
        if length <= ZERO_LENGTH:
            return []
        path = cell.linear_move(start, end)
        return time_path(path, length, move.speed, move.acceleration, self._speed_limits())

    def _joints(self) -> tuple[float, ...]:
        """Return the newest joint angles, radians.

        Raises:
            DriverError: No joint states received.
        """
        if self.latest is None:
            raise DriverError('no joint states received')
        return self.latest.joints

    def _speed_limits(self) -> tuple[float, ...]:
        return self._recipe.cell.arm.speed

    async def _release(self, reason: str) -> None:
        with contextlib.suppress(DriverError):
            await self._client.reset()
        await super()._release(reason)
