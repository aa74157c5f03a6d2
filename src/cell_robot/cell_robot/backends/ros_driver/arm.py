"""The arm as the official ROS driver moves it: the rules of `Arm`, with goals, services and topics under them."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable

from cell_robot.backends.letters.backend import Log
from cell_robot.backends.ros_driver.driver_client import DriverError, DriverLink
from cell_robot.backends.ros_driver.joint_snapshot import Picture
from cell_robot.backends.rtde.arm import LOOK_S, Arm
from cell_robot.backends.rtde.steps import ArmOptions, StepError
from cell_robot.control_process.codec import Done, MoveJoints, MoveLine, Request, SetOutput, Stop
from cell_robot.motion.kinematics import farthest
from cell_robot.motion.path_check import MoveError
from cell_robot.motion.poses import distance, matrix
from cell_robot.motion.recipe import Recipe
from cell_robot.motion.trajectory import Waypoint, timed
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.codec import Value
from cell_robot.protocols.rtde.view import PLAYING

LOST_S = 2.0
"""Without joint states for so long the driver counts as lost."""
RUNS_S = 3.0
"""The driver's program runs within this time after it was sent."""
SEND_TRIES = 2
"""The driver's program is sometimes only taken the second time after a stop (Universal_Robots_ROS2_Driver, issue 123)."""
STILL = 1e-6


class DriverArm(Arm):
    """One arm behind a driver."""

    def __init__(
        self, options: ArmOptions, recipe: Recipe, log: Log, changed: Callable[[], None], link: DriverLink, picture: Picture
    ) -> None:
        """Know nothing yet."""
        super().__init__(options, recipe, log, changed)
        self._link, self._picture = link, picture
        self._heard = self._cleared = False
        """The driver is there; goals that were left behind on it have ended."""
        self._tasks: set[asyncio.Future[Done]] = set()
        self.why_lost = f'The {options.address} was not heard yet. Is ur_robot_driver running, is driver_namespace right?'

    async def listen(self) -> None:
        """Take packages in until cancelled; goals that a former run of the node left behind are ended first."""
        loop = asyncio.get_running_loop()

        def hear(values: dict[str, Value]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: the node is about to
                loop.call_soon_threadsafe(self.package, values)

        self._link.listen(hear)
        while True:
            await asyncio.sleep(LOOK_S)
            if self._heard and not self._cleared:
                with contextlib.suppress(DriverError):  # a controller that is not active has no goals
                    await self._link.clear()
                self._cleared = True
                self.connected()
            elif self.seen is not None and self.age > LOST_S:
                self._heard = self._cleared = False
                self.lost(f'no joint states of the driver for {LOST_S:g} s')
            elif self.seen is None and (missing := self._picture.missing) and len(missing.split(',')) < 4:
                self.why_lost = f'The {self.address} does not publish {missing}. Is its controller active?'

    def package(self, values: dict[str, Value]) -> None:
        """Take a package in."""
        self._heard = True
        if self._cleared:
            super().package(values)

    def lost(self, why: str) -> None:
        """Data comes no more."""
        super().lost(why)
        for task in [*self._tasks]:
            task.cancel()
        self.why_lost = f'The {self.address} is not heard any more: {why}. Look whether ur_robot_driver and the robot are on.'

    @property
    def ready(self) -> bool:
        """Whether the driver's program runs on the robot."""
        return self.seen is not None and self.fresh and self.seen.runtime == PLAYING

    async def ask(self, *commands: str) -> str:
        """Ask the dashboard through the driver, and return its reply to the last command.

        Raises:
            DashboardError: It did not answer, or refused.
        """
        reply = ''
        try:
            for command in commands:
                reply = await self._link.ask(command)
        except DriverError as problem:
            raise DashboardError(str(problem)) from problem
        return reply

    async def close(self) -> None:
        """End what the driver still does."""
        self._link.cancel()

    async def _start_control(self) -> str:
        problem = 'Look at the pendant: is external control possible there?'
        for _ in range(SEND_TRIES):
            try:
                await self._link.resend_program()
            except DriverError as refused:
                problem = f'{refused}.'
                continue
            if await self.until(lambda seen: seen.runtime == PLAYING, RUNS_S):
                self._changed()
                return ''
        return f"The driver's program does not run on the robot. {problem}"

    def _send(self, request: Request) -> asyncio.Future[Done]:
        if not self.ready:
            raise StepError("the driver's program has ended")
        task: asyncio.Future[Done] = self._loop.create_task(self._serve(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, request: Request) -> Done:
        try:
            if isinstance(request, MoveJoints | MoveLine):
                waypoints = self._joint_way(request) if isinstance(request, MoveJoints) else self._straight_way(request)
                if waypoints:
                    await self._link.follow(waypoints, self._begun)
            elif isinstance(request, SetOutput):
                await self._link.set_output(request.pin, request.on)
            elif isinstance(request, Stop):
                self._link.cancel()
        except (DriverError, MoveError) as problem:
            return Done(0, False, str(problem))
        return Done(0, True, '')

    def _joint_way(self, move: MoveJoints) -> list[Waypoint]:
        start = self._stand()
        way = farthest(start, move.joints)
        return timed([start, move.joints], way, move.speed, move.acceleration, self._limits()) if way > STILL else []

    def _straight_way(self, move: MoveLine) -> list[Waypoint]:
        """Return the joints along the line; a mere turn of the tool goes by its angle, as on the controller."""
        start, end, cell = self._stand(), matrix(move.pose), self._recipe.cell
        metres, radians = distance(cell.tcp(start), end)
        way = metres if metres > math.sqrt(STILL) else radians
        return timed(cell.line(start, end), way, move.speed, move.acceleration, self._limits()) if way > STILL else []

    def _stand(self) -> tuple[float, ...]:
        if self.seen is None:
            raise DriverError('no joint states come')
        return self.seen.joints

    def _limits(self) -> tuple[float, ...]:
        return self._recipe.cell.arm.speed

    async def _let_go(self, why: str) -> None:
        with contextlib.suppress(DriverError):
            await self._link.clear()
        await super()._let_go(why)
