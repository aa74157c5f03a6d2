"""URScript received over a socket: splits a byte stream into programs and recognizes the known ones.

Source: Universal Robots, "The URScript Programming Language", on the primary, secondary and real-time interfaces.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re

from cell_sim.ur_controller.control_script import ControlScript, PathEntry
from cell_sim.ur_controller.external_control import NAME, ExternalControl
from cell_sim.ur_controller.program import Program, ProgramError

SCRIPT_LIMIT = 4 * 1024 * 1024
"""Upper limit of an incomplete program, bytes."""
_CONTROL = re.compile(r'def rtde_control\(')
_OFFSET = re.compile(r'global reg_offset_(int|float)\s*=\s*(?:#[^\n]*\n)?\s*(\d+)')
"""ur_rtde writes the number on the line after the comment that follows the equals sign."""


class ScriptTooLongError(Exception):
    """A program exceeds SCRIPT_LIMIT; close the connection."""


class ScriptCollector:
    """Splits the bytes of one connection into programs, each as soon as it is complete.

    A program starts with `def` or `sec` at the start of a line and ends with `end` at the start of
    a line. Every other line is a command of its own, as on the real interfaces.
    """

    def __init__(self) -> None:
        self._rest = b''
        self._program: list[str] = []

    def feed(self, data: bytes) -> list[str]:
        """Add received bytes and return the complete programs and single commands.

        Args:
            data: Any piece of the stream; lines may be split anywhere.

        Raises:
            ScriptTooLongError: An incomplete program exceeds the limit.
        """
        *lines, self._rest = (self._rest + data).split(b'\n')
        found = [script for line in lines if (script := self._line(line.decode('utf-8', 'replace').rstrip('\r')))]
        if len(self._rest) + sum(map(len, self._program)) > SCRIPT_LIMIT:
            raise ScriptTooLongError
        return found

    def _line(self, line: str) -> str:
        """Add a line and return the program that it completes, or ""."""
        if not self._program and not line.startswith(('def ', 'sec ')):
            return line.strip()
        self._program.append(line)
        if not re.match(r'end\b', line):
            return ''
        script, self._program = '\n'.join(self._program), []
        return script


_PATH = re.compile(r'def exec_move_path\(\):(.*?)\n {4}end', re.DOTALL)
_MOVE = re.compile(r'move([jl])\((p?)\[([^\]]*)\],\s*a=([\d.eE+-]+),\s*v=([\d.eE+-]+),\s*r=([\d.eE+-]+)\)')


def path_of(script: str) -> tuple[PathEntry, ...]:
    """Return the moves that ur_rtde has put into the path function of its script, () for none.

    Args:
        script: Text of the control script.
    """
    found = _PATH.search(script)
    moves = _MOVE.findall(found[1]) if found else []
    return tuple(
        PathEntry(
            kind == 'l', pose == 'p', tuple(map(float, values.split(','))), float(speed), float(acceleration), float(blend)
        )
        for kind, pose, values, acceleration, speed, blend in moves
    )


def program_of(script: str) -> Program:
    """Return the native program of a script.

    Args:
        script: Text of a complete program. Only its name and the register offsets of ur_rtde's
            control script are read.

    Raises:
        ProgramError: The script is unknown to this controller.
    """
    if script.startswith(f'def {NAME}('):
        return ExternalControl()
    if not _CONTROL.match(script):
        raise ProgramError(f'compile error: this controller does not know the script "{script.splitlines()[0][:60]}"')
    offsets = {name: int(number) for name, number in _OFFSET.findall(script)}
    if set(offsets) != {'int', 'float'}:
        raise ProgramError('compile error: the control script has no register offsets')
    return ControlScript(offsets['int'], offsets['float'], path_of(script))
