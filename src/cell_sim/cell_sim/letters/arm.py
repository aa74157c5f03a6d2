"""The simulated UR controller with what stands round its arm: a gripper wired to it, pieces, the letters program."""

from __future__ import annotations

from collections.abc import Callable

from cell_common.catalogue import Catalogue
from cell_robot.motion.recipe import Recipe

from cell_sim.letters.client import LettersClient, LettersSettings
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.letters_program import FILE_NAME, ControllerMotions, LettersProgram
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.program import Program, WaitingProgram
from cell_sim.world.gripper import SimulatedGripper
from cell_sim.world.world import World

WAITING = 'waiting.urp'


def controller_server(
    address: str, recipe: Recipe, world: World, *, letters: bool, time_scale: float = 1.0
) -> ControllerServer:
    """Return a controller whose arm works in a world.

    Args:
        address: What it listens on, at the ports of a real one.
        recipe: What the arm is and where it has been taught to go.
        world: Whose pieces it handles.
        letters: Whether a person has started the letters program on it.
        time_scale: How many times faster than in life the arm moves.
    """
    gripper = SimulatedGripper(recipe, world)
    programs: dict[str, Callable[[], Program]] = {WAITING: WaitingProgram, FILE_NAME: lambda: LettersProgram(recipe)}

    def make(now: float) -> Controller:
        controller = Controller(now, arm=recipe.cell.arm, programs=programs, time_scale=time_scale)
        controller.motion.joints = recipe.waypoints['home']
        if letters:
            controller.default_program = controller.loaded = FILE_NAME
            controller.play()
        return controller

    def follow(controller: Controller) -> None:
        holds = gripper.update(controller.motion.joints, controller.motion.speeds, controller.registers.digital_outputs)
        if recipe.gripper.part_input is not None:
            controller.registers.set_input(recipe.gripper.part_input, holds)

    return ControllerServer(make, address=address, every_cycle=follow)


def letters_robot(server: ControllerServer, world: World, catalogue: Catalogue, settings: LettersSettings) -> LettersClient:
    """Return the sockets of the letters program that runs on a controller."""
    motions = ControllerMotions(lambda: server.controller, catalogue, settings.event_letters)
    return LettersClient(
        motions,
        settings.host,
        settings.port,
        framing=settings.framing,
        bare_reply=settings.bare_reply,
        remove_part=world.remove_part,
        state=lambda: motions.state,
    )
