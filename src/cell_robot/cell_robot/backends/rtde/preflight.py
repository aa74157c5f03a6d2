"""Pre-flight of the backends that plan their own motion: whether a job may start. Nothing moves.

Each check returns one line, also when all is well: the page shows the list. A line that cannot be checked says so and does not
fail.
"""

from __future__ import annotations

import asyncio

from cell_common.error_code import ErrorCode
from cell_common.gripper_sensor import CHECK_NAME as SENSOR_CHECK
from cell_common.gripper_sensor import GripperSensor

from cell_robot import recovery
from cell_robot.backends.base import PreflightCheck
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.trigger import TriggerOutcome, not_sent
from cell_robot.motion.plan import GripperContent, PlanError, Planner, ReachError, UnknownEventError
from cell_robot.motion.plan_steps import untaught_text
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.software import software_name
from cell_robot.robot_modes import RuntimeState

SPEED_TOLERANCE = 1.02
"""Moves are planned with a coarser step than they are checked with."""


async def preflight(
    arm: RtdeArm, recipe: CellRecipe, planner: Planner, hold_message: str, content: GripperContent
) -> list[PreflightCheck]:
    """Return all lines of the pre-flight, in the order they were checked.

    Args:
        arm: Arm with its data.
        recipe: Recipe that the arm executes.
        planner: Planner of the recipe.
        hold_message: Why the arm is held, "" when it is not.
        content: Content of the gripper.
    """
    latest = arm.latest
    if latest is None or not arm.fresh:
        return [PreflightCheck('data fresh', False, arm.fault_message())]
    stopped = '' if latest.safety in recovery.FREE_TO_MOVE else arm.fault_message()
    return [
        PreflightCheck('data fresh', True, f'{1e3 * arm.age:.0f} ms old'),
        await _check_remote(arm),
        await _check_model(arm, recipe),
        PreflightCheck('safety', not stopped, stopped or 'NORMAL'),
        PreflightCheck('mode', bool(stopped) or not arm.fault_message(), stopped or arm.fault_message() or 'RUNNING'),
        PreflightCheck('robot stop', not arm.hold_reason, hold_message or 'none'),
        _check_program(arm, latest.runtime),
        await _check_inputs(arm),
        _check_speed_slider(latest.slider_at_zero),
        _check_recipe(recipe),
        await _check_tool_speed(recipe, planner),
        _show_payload(recipe),
        _check_gripper(arm.gripper.message, content),
        PreflightCheck(SENSOR_CHECK, True, _sensor_state(arm).value),
    ]


async def _check_remote(arm: RtdeArm) -> PreflightCheck:
    """Check remote control; a dashboard that does not answer fails, because no move could start either."""
    try:
        remote = await arm.remote_control()
    except DashboardError as error:
        return PreflightCheck('remote control', False, f'{error}. Look at the controller.')
    return PreflightCheck('remote control', remote, 'yes' if remote else 'Switch it to remote control on the pendant.')


async def _check_model(arm: RtdeArm, recipe: CellRecipe) -> PreflightCheck:
    """Check the arm against the recipe; the line names model and serial number as the controller reports them."""
    message = await arm.model_refusal()
    reported = await arm.reported_model() or recipe.cell.arm.name
    serial = await arm.reported_serial_number()
    facts = [
        reported,
        f'serial number {serial}' if serial else '',
        software_name(version) if (version := arm.software()) else '',
    ]
    return PreflightCheck('arm model', not message, message or ', '.join(filter(None, facts)))


async def _check_inputs(arm: RtdeArm) -> PreflightCheck:
    """Check that no other client owns the registers and outputs that the cell needs."""
    message = await arm.input_refusal()
    return PreflightCheck('registers', not message, message or 'free, or owned by the cell')


def _check_recipe(recipe: CellRecipe) -> PreflightCheck:
    untaught = recipe.untaught
    return PreflightCheck('recipe', not untaught, untaught_text(untaught) if untaught else 'complete')


def _check_speed_slider(slider_at_zero: bool) -> PreflightCheck:
    message = 'The speed slider on the pendant is at 0 %. Raise it.' if slider_at_zero else ''
    return PreflightCheck('speed slider', not message, message or 'not at 0 %')


async def _check_tool_speed(recipe: CellRecipe, planner: Planner) -> PreflightCheck:
    """Check the highest speed of the tool on the joint moves of the recipe against speeds: linear."""
    limit = recipe.speeds.linear
    highest, slowed = await asyncio.to_thread(planner.tool_speeds)  # the data of the robot must not wait for it
    note = f', {slowed} moves slower than speeds: joint for it' if slowed else ''
    facts = f'joint moves reach {highest:.2f} m/s of {limit:.2f} m/s{note}'
    ok = highest <= limit * SPEED_TOLERANCE
    return PreflightCheck('tool speed', ok, facts if ok else f'{facts}. Lower speeds: joint in the recipe.')


def _show_payload(recipe: CellRecipe) -> PreflightCheck:
    """Show tool center point and payload, which backend rtde sends with its control program."""
    x, y, z = (1e3 * float(value) for value in recipe.cell.tool[:3, 3])
    facts = f'tool center point ({x:.0f}, {y:.0f}, {z:.0f}) mm from the flange, {recipe.payload:g} kg'
    return PreflightCheck('tool and payload', True, facts)


def _check_program(arm: RtdeArm, runtime: int) -> PreflightCheck:
    """Check that the program on the robot is the cell's, or none."""
    if arm.ready:
        ok = runtime == RuntimeState.PLAYING
        message = 'the control program runs' if ok else 'The control program is paused. Recover the robot.'
        return PreflightCheck('program', ok, message)
    ok = runtime == RuntimeState.STOPPED
    other = 'Another program runs on the robot. Stop it on the pendant, or recover the robot.'
    return PreflightCheck('program', ok, 'the control program is sent when the job begins' if ok else other)


def _check_gripper(message: str, content: GripperContent) -> PreflightCheck:
    """Check that the gripper works and is empty; without a sensor only the operator can tell."""
    if message:
        return PreflightCheck('gripper empty', False, message)
    if content is GripperContent.UNKNOWN:
        return PreflightCheck('gripper empty', True, 'the gripper has no sensor: look at it')
    empty = content is GripperContent.NONE
    return PreflightCheck('gripper empty', empty, 'yes' if empty else f'It holds {content.value}. Take it out by hand.')


def _sensor_state(arm: RtdeArm) -> GripperSensor:
    if arm.sensor is None:
        return GripperSensor.UNKNOWN
    return GripperSensor.HOLDS if arm.sensor else GripperSensor.EMPTY


def plan_refusal(error: PlanError) -> TriggerOutcome:
    """Return the outcome of an event that could not be planned."""
    code = (
        ErrorCode.UNKNOWN_EVENT
        if isinstance(error, UnknownEventError)
        else ErrorCode.OUT_OF_REACH
        if isinstance(error, ReachError)
        else ErrorCode.ROBOT_REFUSED
    )
    return not_sent(code, str(error))
