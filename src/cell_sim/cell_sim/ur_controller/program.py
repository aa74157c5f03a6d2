"""What a program is to the controller that runs it."""

from __future__ import annotations

from typing import Protocol

from cell_sim.ur_controller.motion import Motion
from cell_sim.ur_controller.registers import Registers


class ProgramError(Exception):
    """A runtime error of the program, which ends it; the text is what the pendant shows."""


class Machine(Protocol):
    """What a program can reach."""

    motion: Motion
    registers: Registers
    payload: tuple[float, ...]

    def protective_stop(self, now: float, cause: str) -> None:
        """Stop the arm and pause the program."""


class Program(Protocol):
    """A running program."""

    name: str

    def step(self, machine: Machine, now: float, seconds: float) -> bool:
        """Do one cycle and return whether the program goes on.

        Args:
            machine: What it moves.
            now: Seconds.
            seconds: Length of the cycle.

        Raises:
            ProgramError: The program ends with an error.
            MotionError: So it does, for the arm cannot do what it is told.
        """


class WaitingProgram:
    """A program of the pendant that loops without moving the arm, until it is stopped."""

    name = 'waiting'

    def step(self, _machine: Machine, _now: float, _seconds: float) -> bool:
        """Wait."""
        return True
