"""Walks a robot back after a stop, part by part, as `recovery` says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from cell_interfaces.msg import ResultCode, RobotState
from cell_robot import recovery
from cell_robot.backends.base import Answer, Step
from cell_robot.backends.rtde.arm import Arm
from cell_robot.backends.rtde.steps import StepError
from cell_robot.motion.plan import Planner, ReachError
from cell_robot.protocols.dashboard.codec import DashboardError, truth
from cell_robot.recovery import Facts, Part, Repeats

CONNECT_S = 4.0
"""A connection that has just broken is given so long to come back."""
POWER_S, READY_S = 30.0, 10.0
"""Joints and brakes of a real arm take some seconds."""
AGAIN_S = 1.0
UNLOCK_TRIES = 3


class WalkError(Exception):
    """A part did not work; the text says what to do."""


async def recover(arm: Arm, planner: Planner, repeats: Repeats, step: Step) -> Answer:
    """Bring a robot back; the operator has confirmed that the area is clear."""
    await arm.let_go_done()
    await arm.until(lambda _seen: True, CONNECT_S)
    try:
        facts = await _facts(arm, repeats)
        if why := recovery.refusal(facts):
            return Answer(_code(facts), why)
        await _Walk(arm, planner, repeats, facts).go(step)
    except (DashboardError, StepError, ReachError, WalkError) as problem:
        arm.held = arm.held or 'a recovery did not come to its end'
        return Answer(ResultCode.ROBOT_REFUSED, f'The robot was not recovered: {str(problem).rstrip(".")}.')
    piece = ' The gripper holds a piece.' if arm.sensor else ''
    return Answer(ResultCode.OK, f'The robot is ready; nothing moves before the next command.{piece}')


async def _facts(arm: Arm, repeats: Repeats) -> Facts:
    seen = arm.seen
    if seen is None or not arm.fresh:
        return Facts(False, RobotState.SAFETY_UNKNOWN, RobotState.MODE_UNKNOWN, False, 0)
    left = repeats.left(asyncio.get_running_loop().time())
    facts = Facts(True, seen.safety, seen.mode, True, left)
    if recovery.refusal(facts):
        return facts
    return Facts(True, seen.safety, seen.mode, truth(await arm.ask('is in remote control')), left)


def _code(facts: Facts) -> int:
    if not facts.fresh:
        return int(ResultCode.ROBOT_NOT_CONNECTED)
    return int(ResultCode.ROBOT_STOPPED if facts.safety not in recovery.FREE else ResultCode.ROBOT_REFUSED)


class _Walk:
    """One recovery under way."""

    def __init__(self, arm: Arm, planner: Planner, repeats: Repeats, facts: Facts) -> None:
        self._arm, self._planner, self._repeats, self._facts = arm, planner, repeats, facts
        self._loop = asyncio.get_running_loop()
        self._work: Mapping[Part, Callable[[], Awaitable[None]]] = {
            Part.WAIT: self._wait,
            Part.POPUPS: self._popups,
            Part.UNLOCK: self._unlock,
            Part.POWER: self._power,
            Part.BRAKES: self._brakes,
            Part.READY: self._ready,
            Part.STOP: self._stop,
            Part.UPLOAD: self._upload,
            Part.RETRACT: self._retract,
        }

    async def go(self, step: Step) -> None:
        """Do every part, in order."""
        parts = recovery.parts(self._facts)
        for number, part in enumerate(parts, 1):
            step(self._text(part), number, len(parts))
            if part in self._work:
                await self._work[part]()

    def _text(self, part: Part) -> str:
        if part is not Part.CAUSE:
            return f'{part.value}.'
        stopped = self._facts.safety not in recovery.FREE
        why = recovery.CAUSES.get(self._facts.safety, recovery.OTHER_STOP)[0] if stopped else self._arm.held
        return f'{part.value}: {(why or "none is known; the control program is started anew").rstrip(".")}.'

    async def _wait(self) -> None:
        await asyncio.sleep(max(0.0, self._arm.stopped_at + recovery.UNLOCK_AFTER_S - self._loop.time()))

    async def _popups(self) -> None:
        await self._arm.ask('close popup', 'close safety popup')

    async def _unlock(self) -> None:
        """Unlock; the controller's clock may be a little behind ours."""
        self._repeats.add(self._loop.time())
        for left in reversed(range(UNLOCK_TRIES)):
            try:
                await self._arm.ask('unlock protective stop')
                break
            except DashboardError:
                if not left:
                    raise
                await asyncio.sleep(AGAIN_S)

    async def _power(self) -> None:
        if self._facts.mode == RobotState.MODE_POWER_OFF:
            await self._arm.ask('power on')
        # A person at the pendant may have released the brakes in the meantime.
        await self._until_mode(RobotState.MODE_IDLE, POWER_S, RobotState.MODE_RUNNING)

    async def _brakes(self) -> None:
        await self._arm.ask('brake release')
        await self._until_mode(RobotState.MODE_RUNNING, POWER_S)

    async def _ready(self) -> None:
        if not await self._arm.until(lambda seen: not recovery.trouble(seen.safety, seen.mode), READY_S):
            raise WalkError(self._arm.trouble() or 'safety did not become NORMAL')

    async def _stop(self) -> None:
        await self._arm.close()
        if problem := await self._arm.stop_program():
            raise WalkError(problem)

    async def _upload(self) -> None:
        if problem := await self._arm.open():
            raise WalkError(problem)

    async def _retract(self) -> None:
        seen = self._arm.seen
        if seen is None:
            raise WalkError(self._arm.why_lost)
        self._arm.held = ''
        await self._arm.run([*self._planner.retract(seen.joints)], lambda: None)

    async def _until_mode(self, mode: int, seconds: float, *beyond: int) -> None:
        if not await self._arm.until(lambda seen: seen.mode in (mode, *beyond), seconds):
            raise WalkError(f'the arm did not become {recovery.MODES[mode]} within {seconds:g} s. Look at the pendant')
