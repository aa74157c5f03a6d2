"""Simulated UR controller whose arm handles the parts of a world and runs the letters program.

This is where arm and world meet: after each controller cycle the gripper model looks at joints and
outputs, and decides which part changes hands.
"""

from __future__ import annotations

from collections.abc import Callable

from cell_common.catalogue import Catalogue
from cell_robot.motion import CellRecipe

from cell_sim.letters.client import LettersClient, LettersSettings
from cell_sim.ur_controller.controller import Controller, ControllerConfig
from cell_sim.ur_controller.letters_program import FILE_NAME, ControllerExecutor, LettersProgram
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.ports.robotiq import RobotiqPort
from cell_sim.ur_controller.program import Program, WaitingProgram
from cell_sim.world.gripper import SimulatedGripper
from cell_sim.world.gripper_wires import RobotiqFingers, make_wiring
from cell_sim.world.world import World

WAITING = 'waiting.urp'


def controller_server(
    address: str, recipe: CellRecipe, gripper: SimulatedGripper, *, letters: bool, time_scale: float = 1.0
) -> ControllerServer:
    """Return a controller whose arm handles the parts of a world.

    Args:
        address: Address to listen on, at the ports of a real controller.
        recipe: Model of the arm and its taught poses.
        gripper: Gripper of the arm.
        letters: Whether the letters program is loaded and running.
        time_scale: Speed of the arm relative to a real one.
    """
    programs: dict[str, Callable[[], Program]] = {WAITING: WaitingProgram, FILE_NAME: lambda: LettersProgram(recipe)}
    config = ControllerConfig(
        arm=recipe.cell.arm,
        programs=programs,
        time_scale=time_scale,
        start_joints=recipe.waypoints['home'],
        running_program=FILE_NAME if letters else '',
    )

    wiring = make_wiring(recipe, gripper)
    server = ControllerServer(lambda now: Controller(now, config), address=address, on_cycle=wiring.step)
    if isinstance(wiring, RobotiqFingers):
        server.add_port(RobotiqPort(wiring.answer, address))
    return server


def letters_client(server: ControllerServer, world: World, catalogue: Catalogue, settings: LettersSettings) -> LettersClient:
    """Return the TCP client of the letters program that runs on a controller."""
    executor = ControllerExecutor(lambda: server.controller, catalogue, settings.event_letters)
    return LettersClient(executor, settings, remove_part=world.remove_part, state=lambda: executor.state)
