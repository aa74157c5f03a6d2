"""Program through which the simulated ROS driver moves the arm, implemented natively.

The official driver's program reads joint targets from a socket that it opens to the driver. This one reads them from input
registers. In both, a timeout without targets ends the program and its motion.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_sim.ur_controller.program import Machine

NAME = 'external_control'
SCRIPT = f'def {NAME}():\n  # targets: input double registers 24-29, command: input int register 24\nend\n'
INT, DOUBLE = 24, 24
"""First registers; lower ones belong to fieldbuses and other clients."""
HOLD, FOLLOW = 0, 1
"""Commands in the integer register."""
TIMEOUT_S = 1.0
"""Longer than on a real robot, because driver and controller share the cores of one machine."""
START_TIMEOUT_S = 3.0
"""Timeout until the first write of the client."""


class ExternalControl:
    """Follows joint targets in the input registers.

    Source of the idea: the program `external_control` of the Universal Robots ROS 2 driver. Its
    keep-alive is a receive timeout of the socket; here the number of register writes takes its
    place.

    Attributes:
        name: Name of the program; the driver recognizes its own by the counter in output register
            24.
    """

    name = NAME

    def __init__(self) -> None:
        self._writes, self._last_write = -1, 0.0
        self._timeout_s = START_TIMEOUT_S

    def step(self, machine: Machine, now: float, seconds: float) -> bool:
        """Run one cycle: follow the target, and count in a register to show that the program runs.

        Returns:
            False if no target came within the timeout; the arm stops with the program.
        """
        registers = machine.registers
        writes = registers.int_writes[INT]
        if self._writes < 0:
            self._writes, self._last_write = writes, now
        elif writes != self._writes:
            self._writes, self._last_write, self._timeout_s = writes, now, TIMEOUT_S
        elif now - self._last_write > self._timeout_s:
            return False
        # Wraps within a signed 32-bit register.
        registers.output_ints[INT] = (registers.output_ints[INT] + 1) & 0x7FFFFFFF
        # Registers outlive programs: before the first write they hold the targets of an earlier
        # run.
        if registers.input_ints[INT] == FOLLOW and self._timeout_s == TIMEOUT_S:
            machine.motion.place(tuple(registers.input_doubles[DOUBLE : DOUBLE + 6]), seconds)
        elif any(machine.motion.speeds):
            machine.motion.halt()
        return True
