"""Interface between a program and the controller that runs it.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from typing import Protocol

from cell_sim.ur_controller.motion import Motion
from cell_sim.ur_controller.registers import Registers


class ProgramError(Exception):
    """Runtime error that ends the program; the pendant shows the text."""


class Machine(Protocol):
    """Part of the controller that a program can use.

    Attributes:
        motion: Arm.
        registers: Inputs and outputs.
        payload: kg, then the center of gravity (m).
    """

    motion: Motion
    registers: Registers
    payload: tuple[float, ...]

    def protective_stop(self, now: float, cause: str) -> None:
        """Stop the arm and pause the program."""


class Program(Protocol):
    """A running program. One object is one run; the controller steps it once per cycle while it plays.

    Attributes:
        name: Name that the controller shows.
    """

    name: str

    def step(self, machine: Machine, now: float, seconds: float) -> bool:
        """Run one cycle and return False if the program has ended.

        Args:
            machine: Arm and registers.
            now: Seconds.
            seconds: Duration of the cycle.

        Raises:
            ProgramError: The program ends with an error.
            MotionError: The program ends because the arm cannot execute a move.
        """


class WaitingProgram:
    """Program that loops without moving the arm until it is stopped."""

    name = 'waiting'

    def step(self, _machine: Machine, _now: float, _seconds: float) -> bool:
        """Continue."""
        return True
