"""Control script of ur_rtde, implemented natively: commands in input registers, results in output registers.

The script loops once per cycle. State 1 = ready, 2 = done. A command is executed once, until the client writes 0.
Source: the script `rtde_control` of the package ur_rtde.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cell_robot.motion import forward_kinematics, matrix_to_pose, pose_to_matrix

from cell_sim.ur_controller.motion import LIMIT, MotionError
from cell_sim.ur_controller.program import Machine, ProgramError

READY, DONE = 1, 2
# Numbers of ur_rtde's control script.
NOTHING, STOP_SCRIPT = 0, 255
REAL_TIME = frozenset((6, 9, 10, 11, 24, 25, 26, 27, 38, 58, *range(66, 72)))
"""Commands that are executed in every cycle and never reported done."""
RUNNING_BIT = 1 << 15
# The e-Series computes at 500 Hz.
CYCLE_S = 0.002

ScriptCommand = Callable[[Machine], bool]
"""Executes a command and returns True if the script waits until the arm stands still."""


class PathEntry(NamedTuple):
    """One move of a path, as ur_rtde writes it into the script.

    Attributes:
        line: movel; otherwise movej.
        is_pose: The target is a pose (meters and a rotation vector); otherwise joints (radians).
        target: Six values.
        speed: m/s, or rad/s of the leading joint.
        acceleration: In the same unit.
        blend: Radius of the rounded corner at its end, meters.
    """

    line: bool
    is_pose: bool
    target: tuple[float, ...]
    speed: float
    acceleration: float
    blend: float


class ControlScript:
    """Program `rtde_control`.

    The protocol is a handshake over registers, because a URScript program cannot reply on a socket:

    1. The client writes arguments into double registers, then the command number into the first
       integer register.
    2. The script executes it and writes state 2 (done), or for queries a result and state 2.
    3. The client writes 0, the script answers with state 1 (ready), and the next command may
       follow.

    Output integer register 2 (from the offset) describes an asynchronous move: operation number,
    change counter and running bit, which is how a client notices the end of a move that it did not
    wait for.

    Attributes:
        name: Name that the controller shows as the running program.
    """

    name = 'rtde_control'

    def __init__(self, int_offset: int = 0, float_offset: int = 0, path: Sequence[PathEntry] = ()) -> None:
        """Store the register offsets.

        Args:
            int_offset: First integer register, 0 or 24. 24 leaves the lower half to fieldbuses.
            float_offset: First double register, 0 or 24.
            path: Moves of command 45.
        """
        self._move_path = tuple(path)
        self._ints, self._floats = int_offset, float_offset
        self._executing = self._waiting = self._asynchronous = self._initialized = False
        self._operation = self._changes = 0
        self._watchdog = 0.0
        """Timeout of the client's writes, seconds; 0 = no watchdog."""
        self._writes, self._written_at = -1, 0.0
        self._commands: dict[int, ScriptCommand] = {**self._moves(), **self._settings(), **self._queries()}

    def step(self, machine: Machine, now: float, seconds: float) -> bool:
        """Run one cycle.

        Returns:
            False after command 255 (stop script).

        Raises:
            ProgramError: Unknown command, invalid argument, or the client's watchdog has expired.
            MotionError: A move is impossible.
        """
        if not self._initialized:
            self._initialized = True
            self._progress(machine, running=False)
        self._check_watchdog(machine, now)
        if self._asynchronous and not machine.motion.moving:
            self._progress(machine, running=False)
        if self._waiting:
            if not machine.motion.moving:
                self._waiting = False
                self._set_state(machine, DONE)
            return True
        command = machine.registers.input_ints[self._ints]
        # A waiting script does not read commands, as in the original: only an asynchronous move can
        # be stopped by the next command.
        if command == STOP_SCRIPT:
            return False
        if command in REAL_TIME:
            self._real_time(machine, command, seconds)
            self._set_state(machine, READY)
        elif command == NOTHING:
            self._executing = False
            self._set_state(machine, READY)
        # The client leaves the number in the register for several cycles; without this flag a move
        # would be started again.
        elif not self._executing:
            self._start(machine, command, now)
        return True

    def _start(self, machine: Machine, command: int, now: float) -> None:
        """Execute a command once; an unknown one ends the program, as URScript would."""
        self._executing = True
        if command == 31:
            machine.protective_stop(now, 'requested by the program')
        elif command not in self._commands:
            raise ProgramError(f'command {command} of the control script is not simulated')
        else:
            self._waiting = self._commands[command](machine)
        self._set_state(machine, READY if self._waiting else DONE)

    def _moves(self) -> dict[int, ScriptCommand]:
        def joints(machine: Machine) -> bool:
            machine.motion.move_joints(self._six(machine), *self._pace(machine))
            return self._started(machine)

        def joints_to_pose(machine: Machine) -> bool:
            machine.motion.move_joints(machine.motion.inverse(self._six(machine)), *self._pace(machine))
            return self._started(machine)

        def line(machine: Machine) -> bool:
            machine.motion.move_line(self._six(machine), *self._pace(machine))
            return self._started(machine)

        def line_to_joints(machine: Machine) -> bool:
            target = matrix_to_pose(forward_kinematics(machine.motion.arm, self._six(machine)) @ machine.motion.tcp)
            machine.motion.move_line(target, *self._pace(machine))
            return self._started(machine)

        def stop(machine: Machine) -> bool:
            machine.motion.brake(self._float(machine, 0))
            return self._started(machine)

        def stop_following(machine: Machine) -> bool:
            machine.motion.brake(self._float(machine, 0))
            return True

        return {
            1: joints,
            2: joints_to_pose,
            3: line,
            4: line_to_joints,
            45: self._start_path,
            33: stop,
            34: stop,
            15: stop_following,
            16: stop_following,
        }

    def _start_path(self, machine: Machine) -> bool:
        """Start the moves of the path; the script counts the operation once for its thread and once for its first move."""
        motion = machine.motion
        entries = self._move_path
        joints, parts = motion.joints, []
        for entry in entries:
            if entry.line:
                pose = entry.target if entry.is_pose else motion.pose_at(entry.target)
                part = motion.line_part(joints, pose, entry.speed, entry.acceleration, entry.blend)
            else:
                target = motion.inverse(entry.target, joints) if entry.is_pose else entry.target
                part = motion.joint_part(joints, target, entry.speed, entry.acceleration, entry.blend)
            parts.append(part)
            joints = part.joints_at(1.0)
        motion.follow_path(parts)
        waits = self._started(machine)
        if not waits:
            self._operation = (self._operation + 1) & 0x7F
            self._progress(machine, running=True)
        return waits

    def _settings(self) -> dict[int, ScriptCommand]:
        def freedrive(machine: Machine, on: bool) -> bool:
            machine.motion.halt()
            machine.motion.freedrive = on
            return False

        def payload(machine: Machine) -> bool:
            machine.payload = self._six(machine)[:4]
            return False

        def tcp(machine: Machine) -> bool:
            machine.motion.tcp = pose_to_matrix(self._six(machine))
            return False

        def watchdog(machine: Machine) -> bool:
            frequency = self._float(machine, 0)
            if not frequency > 0.0:
                raise ProgramError('rtde_set_watchdog: the frequency must be positive')
            self._watchdog = 1.0 / frequency
            return False

        return {
            8: lambda _machine: False,
            17: payload,
            18: lambda machine: freedrive(machine, True),
            19: lambda machine: freedrive(machine, False),
            29: tcp,
            35: watchdog,
            52: lambda machine: freedrive(machine, True),
            53: lambda machine: freedrive(machine, False),
            54: lambda machine: self._boolean(machine, machine.motion.freedrive),
        }

    def _queries(self) -> dict[int, ScriptCommand]:
        def has_inverse(machine: Machine) -> bool:
            try:
                machine.motion.inverse(self._six(machine))
            except MotionError:
                return self._boolean(machine, False)
            return self._boolean(machine, True)

        return {
            30: lambda m: self._result(m, m.motion.inverse(self._six(m), self._six(m, 6))),
            46: lambda m: self._result(m, m.motion.inverse(self._six(m))),
            60: has_inverse,
            61: has_inverse,
            36: has_inverse,
            37: lambda m: self._boolean(m, all(abs(angle) <= LIMIT for angle in self._six(m))),
            39: lambda m: self._result(m, matrix_to_pose(pose_to_matrix(self._six(m)) @ pose_to_matrix(self._six(m, 6)))),
            40: lambda m: self._result(m, m.motion.tcp_offset),
            43: lambda m: self._result(m, m.motion.tcp_pose),
            44: lambda m: self._result(
                m, matrix_to_pose(forward_kinematics(m.motion.arm, self._six(m)) @ pose_to_matrix(self._six(m, 6)))
            ),
            47: lambda m: self._boolean(m, not m.motion.moving),
        }

    def _real_time(self, machine: Machine, command: int, seconds: float) -> None:
        if command == 9:
            machine.motion.follow_speeds(self._six(machine), self._float(machine, 6))
        elif command == 10:
            machine.motion.follow_tool_speed(self._six(machine), self._float(machine, 6))
        elif command == 24:
            machine.motion.place(machine.motion.inverse(self._six(machine)), seconds)
        elif command == 11:
            machine.motion.place(self._six(machine), seconds)
        elif command == 26:
            self._result(machine, (CYCLE_S,))
        elif command == 38:
            self._result(machine, (0.0,) * 6)
        elif command == 58:
            self._result(machine, matrix_to_pose(forward_kinematics(machine.motion.arm, machine.motion.joints)))
        else:
            raise ProgramError(f'command {command} of the control script is not simulated')

    def _started(self, machine: Machine) -> bool:
        """Register a started move or stop in place of the previous one; return True if the script waits for its end."""
        if self._asynchronous:
            self._progress(machine, running=False)
        if not machine.registers.input_ints[self._ints + 1]:
            return True
        self._operation = (self._operation + 1) & 0x7F
        self._progress(machine, running=True)
        return False

    def _progress(self, machine: Machine, *, running: bool) -> None:
        self._asynchronous = running
        self._changes = (self._changes + 1) & 0x7F
        word = self._operation << 24 | self._changes << 16 | (RUNNING_BIT if running else 0)
        machine.registers.output_ints[self._ints + 2] = word

    def _check_watchdog(self, machine: Machine, now: float) -> None:
        """End the program when the client has not written for too long: the arm must not follow a dead client."""
        # Writes are counted, not compared by value: a client that repeats the same command is
        # alive.
        writes = machine.registers.int_writes[self._ints]
        if writes != self._writes:
            self._writes, self._written_at = writes, now
        elif self._watchdog and now - self._written_at > self._watchdog:
            raise ProgramError('rtde_set_watchdog: the client has not written in time')

    def _pace(self, machine: Machine) -> tuple[float, float]:
        """Return speed and acceleration of a move."""
        return self._float(machine, 6), self._float(machine, 7)

    def _float(self, machine: Machine, number: int) -> float:
        return self._floats_from(machine, number, 1)[0]

    def _six(self, machine: Machine, first: int = 0) -> tuple[float, ...]:
        return self._floats_from(machine, first, 6)

    def _floats_from(self, machine: Machine, first: int, count: int) -> tuple[float, ...]:
        begin = self._floats + first
        values = tuple(machine.registers.input_doubles[begin : begin + count])
        # NaN would pass every comparison with a limit and reach the arm.
        if not all(map(math.isfinite, values)):
            raise ProgramError('an argument of the command is not a number')
        return values

    def _set_state(self, machine: Machine, state: int) -> None:
        machine.registers.output_ints[self._ints] = state

    def _result(self, machine: Machine, values: tuple[float, ...]) -> bool:
        machine.registers.output_doubles[self._floats : self._floats + len(values)] = values
        return False

    def _boolean(self, machine: Machine, answer: bool) -> bool:
        machine.registers.output_ints[self._ints + 1] = int(answer)
        return False
