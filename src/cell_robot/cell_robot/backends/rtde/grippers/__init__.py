"""Grippers of the backends that plan their own motion, behind one interface.

digital   one or two outputs, waits a fixed time; part sensor on an input, or none
vacuum    a valve, waits for the vacuum
robotiq   fingers behind the socket of a URCap
"""

from cell_robot.backends.rtde.grippers.base import Gripper, GripperWires
from cell_robot.backends.rtde.grippers.digital import DigitalGripper
from cell_robot.backends.rtde.grippers.robotiq import RobotiqGripper
from cell_robot.backends.rtde.grippers.vacuum import VacuumGripper
from cell_robot.motion.recipe import GripperSettings

__all__ = ['DigitalGripper', 'Gripper', 'GripperWires', 'RobotiqGripper', 'VacuumGripper', 'make_gripper']


def make_gripper(settings: GripperSettings, wires: GripperWires, address: str) -> Gripper:
    """Return the gripper of a recipe.

    Args:
        settings: Gripper of the recipe.
        wires: Outputs and data of the controller.
        address: Address of the robot, for grippers with a socket of their own.
    """
    if settings.robotiq is not None:
        return RobotiqGripper(settings, wires, address)
    return DigitalGripper(settings, wires) if settings.vacuum is None else VacuumGripper(settings, wires)
