"""The program through which the simulated ROS driver moves the arm, carried out natively.

The official driver's program takes joint targets from a socket that it opens to the driver; this one takes them from input
registers. As there, silence ends the program, and with it every motion.
"""

from __future__ import annotations

from cell_sim.ur_controller.program import Machine

NAME = 'external_control'
SCRIPT = f'def {NAME}():\n  # targets: input double registers 24-29, command: input int register 24\nend\n'
INT, DOUBLE = 24, 24
"""First registers; those below belong to fieldbuses and to other clients."""
HOLD, FOLLOW = 0, 1
"""Commands."""
SILENCE_S = 1.0
"""Longer than in life, for driver and controller share the cores of one machine."""
FIRST_S = 3.0
"""The client may take so long to begin."""


class ExternalControl:
    """The running program."""

    name = NAME

    def __init__(self) -> None:
        """Begin."""
        self._writes, self._heard_at = -1, 0.0
        self._patience = FIRST_S

    def step(self, machine: Machine, now: float, seconds: float) -> bool:
        """Do one cycle: follow the target, and tell the client that the program runs."""
        registers = machine.registers
        writes = registers.int_writes[INT]
        if self._writes < 0:
            self._writes, self._heard_at = writes, now
        elif writes != self._writes:
            self._writes, self._heard_at, self._patience = writes, now, SILENCE_S
        elif now - self._heard_at > self._patience:
            return False
        registers.output_ints[INT] = (registers.output_ints[INT] + 1) & 0x7FFFFFFF
        if registers.input_ints[INT] == FOLLOW and self._patience == SILENCE_S:
            machine.motion.place(tuple(registers.input_doubles[DOUBLE : DOUBLE + 6]), seconds)
        elif any(machine.motion.speeds):
            machine.motion.halt()
        return True
