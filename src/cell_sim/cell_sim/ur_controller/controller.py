"""The controller behind all ports: power, safety, program, arm. It knows the time only as an argument (seconds)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cell_robot.motion.kinematics import ARMS, Arm

from cell_sim.ur_controller.motion import Motion, MotionError, SingularityError
from cell_sim.ur_controller.power import Power
from cell_sim.ur_controller.program import Program, ProgramError, WaitingProgram
from cell_sim.ur_controller.registers import Registers
from cell_sim.ur_controller.states import EMERGENCY, FREE_TO_MOVE, RobotMode, RuntimeState, SafetyMode, Timings, Version

START = (0.0, -math.pi / 2, -math.pi / 2, -math.pi / 2, math.pi / 2, 0.0)
"""Joints at the beginning, radians."""
FIRST_TIMESTAMP = 60.0
"""Clients of the maker do not believe that a controller has booted before its clock shows 40 s."""
AT_THE_PENDANT_S = 0.2
"""How long a person needs to start a program."""
MESSAGES = 200
"""Messages that are kept for those who listen."""


class PendantMessage(NamedTuple):
    """Something that the controller tells people."""

    number: int
    """Counts them."""
    text: str
    runtime_exception: bool
    """A program ended by it."""


class Controller:
    """One arm with its controller."""

    def __init__(
        self,
        now: float = 0.0,
        *,
        arm: Arm = ARMS['ur5e'],
        timings: Timings = Timings(),
        version: Version = Version(),
        mode: RobotMode = RobotMode.RUNNING,
        remote: bool = True,
        programs: Mapping[str, Callable[[], Program]] | None = None,
        time_scale: float = 1.0,
    ) -> None:
        """Make a controller that has been on for a while.

        Args:
            now: Time of the clock that is given to the methods.
            arm: Model of the arm.
            timings: How long power, brakes and so on take.
            version: What it says about its software.
            mode: Where power and brakes are.
            remote: Whether it is in remote control.
            programs: File name (`X.urp`) -> maker of the program that `load` finds under it.
            time_scale: How many times faster than in life the arm moves; everything else keeps its time.
        """
        self._time_scale = time_scale
        self.arm, self.timings, self.version, self.remote = arm, timings, version, remote
        self.programs = dict(programs if programs is not None else {'waiting.urp': WaitingProgram})
        self.power = Power(timings, mode)
        self.safety = SafetyMode.NORMAL
        self.motion, self.registers = Motion(arm, START), Registers()
        self.payload: tuple[float, ...] = (0.0,) * 4
        """kg, then the centre of gravity (m)."""
        self.runtime = RuntimeState.STOPPED
        self.program: Program | None = None
        self.loaded = ''
        """File name of the program that `play` starts; "" = none."""
        self.default_program = ''
        """What a person at the pendant loads when nothing is loaded."""
        self.popup = ''
        self.messages: list[PendantMessage] = []
        """The newest ones: errors of programs and causes of stops."""
        self._message_count = 0
        self._began = now - FIRST_TIMESTAMP
        self._last = now
        self._stopped_at = -math.inf
        self._played_before_safeguard = False
        self._restart_at: float | None = None
        self._play_at: float | None = None

    @property
    def mode(self) -> RobotMode:
        """The robot mode."""
        return self.power.mode

    @property
    def timestamp(self) -> float:
        """Seconds since the controller started, as of the last step."""
        return self._last - self._began

    @property
    def speed_scaling(self) -> float:
        """Share of the programmed speed, 0..1."""
        return self.registers.speed_slider if self.runtime == RuntimeState.PLAYING else 0.0

    @property
    def may_move(self) -> bool:
        """Whether brakes and safety let the arm move."""
        return self.mode == RobotMode.RUNNING and self.safety in FREE_TO_MOVE

    def step(self, now: float) -> None:
        """Let time pass until `now`: modes change, the program does one cycle, the arm moves."""
        seconds, self._last = max(0.0, now - self._last) * self._time_scale, now
        self.power.advance(now)
        if self._restart_at is not None and now >= self._restart_at:
            self.safety, self._restart_at = SafetyMode.NORMAL, None
        if self._play_at is not None and now >= self._play_at:
            self._play_at = None
            self.play()
        if self.program is None or self.runtime != RuntimeState.PLAYING:
            return
        try:
            self.motion.step(seconds, self.registers.speed_slider)
            if not self.program.step(self, now, seconds):
                self.stop_program()
        except SingularityError as problem:
            self.protective_stop(now, str(problem))
        except (ProgramError, MotionError) as problem:
            self.report(str(problem), runtime_exception=True)
            self.stop_program()

    def power_on(self, now: float) -> bool:
        """Begin to power the joints; return whether that is possible now."""
        return self.safety not in EMERGENCY and self.power.power_on(now)

    def brake_release(self, now: float) -> bool:
        """Begin to release the brakes; return whether that is possible now."""
        return self.safety not in EMERGENCY and self.power.brake_release(now)

    def power_off(self) -> bool:
        """Take the power away; return whether that is possible now."""
        self.stop_program()
        return self.power.power_off()

    def start_program(self, program: Program) -> bool:
        """Run a program in place of the one that runs; return whether the arm may move at all."""
        if not self.may_move:
            return False
        self.stop_program()
        self.program, self.runtime = program, RuntimeState.PLAYING
        return True

    def play(self) -> bool:
        """Go on with the paused program, or start the loaded one; return whether that was possible."""
        if not self.may_move or self.runtime == RuntimeState.PLAYING:
            return False
        if self.runtime == RuntimeState.PAUSED:
            self.runtime = RuntimeState.PLAYING
            return True
        return bool(self.loaded) and self.start_program(self.programs[self.loaded]())

    def pause(self) -> bool:
        """Pause the program; return whether one was running."""
        if self.runtime != RuntimeState.PLAYING:
            return False
        self.runtime = RuntimeState.PAUSED
        self.motion.hold()
        return True

    def stop_program(self) -> bool:
        """End the program and stand still; return whether there was one."""
        self._play_at = None
        ended = self.program is not None
        self.program, self.runtime = None, RuntimeState.STOPPED
        self.motion.halt()
        return ended

    def protective_stop(self, now: float, cause: str) -> None:
        """Stop the arm at once and pause the program, as the safety system does when it finds a contact."""
        if self.safety in FREE_TO_MOVE:
            self.safety, self._stopped_at = SafetyMode.PROTECTIVE_STOP, now
            self.pause()
            self.motion.hold()
            self.report(f'Protective stop: {cause}')

    def unlock_protective_stop(self, now: float) -> bool:
        """Leave a protective stop; return False when it occurred too short a time ago."""
        if self.safety != SafetyMode.PROTECTIVE_STOP:
            return True
        if now - self._stopped_at < self.timings.unlock:
            return False
        self.safety = SafetyMode.NORMAL
        return True

    def safeguard_stop(self) -> None:
        """Open the safeguard: the program pauses."""
        if self.safety in FREE_TO_MOVE:
            self._played_before_safeguard = self.pause()
            self.safety = SafetyMode.SAFEGUARD_STOP

    def reset_safeguard(self) -> None:
        """Close and reset the safeguard: the program goes on when it ran before."""
        if self.safety == SafetyMode.SAFEGUARD_STOP:
            self.safety = SafetyMode.NORMAL
            if self._played_before_safeguard:
                self.play()

    def emergency_stop(self) -> None:
        """Press the emergency stop: the program ends, the arm loses its power."""
        self.power_off()
        self.safety = SafetyMode.ROBOT_EMERGENCY_STOP

    def release_emergency_stop(self) -> None:
        """Turn the button back; the arm stays without power."""
        if self.safety in EMERGENCY:
            self.safety = SafetyMode.NORMAL

    def violate_safety(self) -> None:
        """Bring the safety system into a violation, which only a restart of it ends."""
        self.power_off()
        self.safety = SafetyMode.VIOLATION

    def restart_safety(self, now: float) -> None:
        """Restart the safety system, which takes the power away."""
        self.power_off()
        self._restart_at = now + self.timings.safety_restart

    def acknowledge_at_pendant(self, now: float) -> None:
        """Let a person at the pendant clear every stop, switch power and brakes on and start the program that was loaded."""
        self.safety, self._restart_at, self._stopped_at = SafetyMode.NORMAL, None, now - self.timings.unlock
        self.stop_program()
        self.power = Power(self.timings, RobotMode.RUNNING)
        self.remote, self.popup = True, ''
        self.loaded = self.loaded or self.default_program
        self._play_at = now + AT_THE_PENDANT_S

    def reboot(self, now: float) -> None:
        """Switch off and on: program, registers and the clock begin anew."""
        self.stop_program()
        self.power.reboot(now)
        self.safety, self.registers, self.loaded = SafetyMode.NORMAL, Registers(), ''
        self._began = self._last = now

    def report(self, text: str, *, runtime_exception: bool = False) -> None:
        """Show people a message."""
        self._message_count += 1
        self.messages = [*self.messages[1 - MESSAGES :], PendantMessage(self._message_count, text, runtime_exception)]
