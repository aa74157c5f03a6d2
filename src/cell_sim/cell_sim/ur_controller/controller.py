"""Model of a UR controller behind all its ports: power, safety, program, arm. Time is an argument, seconds.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cell_robot.motion import ARMS, ArmModel
from cell_robot.robot_modes import RobotMode, RuntimeState, SafetyMode

from cell_sim.ur_controller.motion import Motion, MotionError, SingularityError
from cell_sim.ur_controller.power import Power
from cell_sim.ur_controller.program import Program, ProgramError, WaitingProgram
from cell_sim.ur_controller.registers import Registers
from cell_sim.ur_controller.states import EMERGENCY, FREE_TO_MOVE, Timings, Version

__all__ = ['Controller', 'ControllerConfig', 'PendantMessage']

START = (0.0, -math.pi / 2, -math.pi / 2, -math.pi / 2, math.pi / 2, 0.0)
"""Default start joints, radians."""
FIRST_TIMESTAMP = 60.0
"""Clients of the manufacturer treat a controller as booting until its clock shows 40 s."""
PENDANT_DELAY_S = 0.2
"""Time that the operator needs to start a program."""
HAND_RAD_S = 0.8
"""Speed at which an operator guides a joint by hand."""
MESSAGE_LIMIT = 200
"""Number of messages kept for clients."""


class PendantMessage(NamedTuple):
    """Message that the pendant shows to the operator.

    Attributes:
        number: Consecutive number, so that each client can tell which messages are new to it.
        text: English text, as PolyScope shows it.
        runtime_exception: The message is the error that ended a program.
    """

    number: int
    text: str
    runtime_exception: bool


def _waiting_only() -> Mapping[str, Callable[[], Program]]:
    return {'waiting.urp': WaitingProgram}


@dataclass(frozen=True)
class ControllerConfig:
    """Model, software and initial state of a controller.

    Attributes:
        arm: Kinematic model with the maximum joint speeds.
        timings: Delays of power, brakes, boot and safety, seconds.
        version: Software version that the interfaces report.
        mode: Initial state of power and brakes.
        remote: Initially in remote control.
        programs: File name (`X.urp`) -> factory of the program that `load` finds under it.
        time_scale: Speed of the arm relative to a real one; all other delays keep their duration.
        start_joints: Radians.
        running_program: File name of the program that runs from the start and that the operator
            loads by default; "" = none.
    """

    arm: ArmModel = ARMS['ur5e']
    timings: Timings = field(default_factory=Timings)
    version: Version = field(default_factory=Version)
    mode: RobotMode = RobotMode.RUNNING
    remote: bool = True
    programs: Mapping[str, Callable[[], Program]] = field(default_factory=_waiting_only)
    time_scale: float = 1.0
    start_joints: tuple[float, ...] = START
    running_program: str = ''


class Controller:
    """One arm with its controller.

    Everything happens in `step` or in the call of a command; nothing runs by a clock of its own.
    Not thread-safe. Every method that depends on time takes `now`, seconds of one steady clock.

    Safety comes first, as in the real controller: outside NORMAL and REDUCED no program starts and
    no arm moves, whichever interface asks.

    Attributes:
        arm: Kinematic model.
        power: Power and brakes.
        safety: Safety mode.
        motion: Joints and the current move.
        registers: Inputs, outputs and the speed slider.
        payload: kg, then the center of gravity (m).
        runtime: State of the program.
        program: Program that runs or is paused, None if stopped.
        loaded: File name of the program that `play` starts; "" = none.
        popup: Text of the popup on the pendant; "" = none.
        messages: Newest messages: errors of programs and causes of stops.
        remote: Whether the controller is in remote control.
    """

    def __init__(self, now: float = 0.0, config: ControllerConfig = ControllerConfig()) -> None:
        """Create a controller that booted some time ago.

        Args:
            now: Time of the clock that the methods use.
            config: Model and initial state.
        """
        self.time_scale = config.time_scale
        self.arm, self.timings, self.version, self.remote = config.arm, config.timings, config.version, config.remote
        self.programs = dict(config.programs)
        self.power = Power(config.timings, config.mode)
        self.safety = SafetyMode.NORMAL
        self.motion, self.registers = Motion(config.arm, config.start_joints), Registers()
        self.payload: tuple[float, ...] = (0.0,) * 4
        self.runtime = RuntimeState.STOPPED
        self.program: Program | None = None
        self.loaded = config.running_program
        self._default_program = config.running_program
        self.popup = ''
        self.messages: list[PendantMessage] = []
        self._message_count = 0
        self._began = now - FIRST_TIMESTAMP
        self._last = now
        self._stopped_at = -math.inf
        self._played_before_safeguard = False
        self._restart_at: float | None = None
        self._play_at: float | None = None
        self._guided_to: tuple[float, ...] | None = None
        if config.running_program:
            self.play()

    @property
    def mode(self) -> RobotMode:
        """Robot mode."""
        return self.power.mode

    @property
    def timestamp(self) -> float:
        """Seconds since the controller started, as of the last step."""
        return self._last - self._began

    @property
    def speed_scaling(self) -> float:
        """Actual share of the programmed speed, 0..1."""
        return self.registers.speed_slider if self.runtime == RuntimeState.PLAYING else 0.0

    @property
    def may_move(self) -> bool:
        """Whether brakes and safety allow motion."""
        return self.mode == RobotMode.RUNNING and self.safety in FREE_TO_MOVE

    def set_remote(self, remote: bool) -> None:
        """Switch between remote and local control.

        Args:
            remote: In local control the dashboard refuses commands and the script ports ignore
                programs.
        """
        self.remote = remote

    def step(self, now: float) -> None:
        """Advance the time to `now`: modes change, the program runs one cycle, the arm moves.

        An error of the program ends it and is reported on the pendant; a singularity causes a
        protective stop. Neither is raised.

        Args:
            now: Seconds; a value before the last one counts as no progress.
        """
        # Only the arm is faster: timeouts of the interfaces must stay comparable with those of the
        # clients.
        seconds, self._last = max(0.0, now - self._last) * self.time_scale, now
        self.power.advance(now)
        if self._restart_at is not None and now >= self._restart_at:
            self.safety, self._restart_at = SafetyMode.NORMAL, None
        if self._play_at is not None and now >= self._play_at:
            self._play_at = None
            self.play()
        self._step_by_hand(seconds)
        if self.program is None or self.runtime != RuntimeState.PLAYING:
            return
        try:
            # The arm first: the program then sees the end of a move in the cycle in which it ends.
            self.motion.step(seconds, self.registers.speed_slider)
            if not self.program.step(self, now, seconds):
                self.stop_program()
        except SingularityError as error:
            self.protective_stop(now, str(error))
        except (ProgramError, MotionError) as error:
            self.report(str(error), runtime_exception=True)
            self.stop_program()

    def guide(self, joints: Sequence[float]) -> bool:
        """Let an operator guide the arm to joints by hand, at the speed of a hand; return False if it is held.

        Args:
            joints: Radians. The guiding ends when the freedrive of the program ends.
        """
        if not (self.motion.freedrive and self.mode == RobotMode.RUNNING):
            return False
        self._guided_to = tuple(joints)
        return True

    def _step_by_hand(self, seconds: float) -> None:
        if self._guided_to is None:
            return
        if not self.motion.freedrive or self.mode != RobotMode.RUNNING:
            self._guided_to = None
            return
        reach = HAND_RAD_S * seconds
        joints = self.motion.joints
        steps = [max(-reach, min(reach, end - now)) for end, now in zip(self._guided_to, joints, strict=True)]
        self.motion.place([now + step for now, step in zip(joints, steps, strict=True)], seconds)
        if not any(steps):
            self._guided_to = None
            self.motion.hold()

    def power_on(self, now: float) -> bool:
        """Start to power the joints; return False if that is not possible now."""
        return self.safety not in EMERGENCY and self.power.power_on(now)

    def brake_release(self, now: float) -> bool:
        """Start to release the brakes; return False if that is not possible now."""
        return self.safety not in EMERGENCY and self.power.brake_release(now)

    def power_off(self) -> bool:
        """Stop the program and switch the power off; return False if that is not possible now."""
        self.stop_program()
        return self.power.power_off()

    def start_program(self, program: Program) -> bool:
        """Replace the running program; return False if the arm may not move.

        Args:
            program: Fresh instance; a program object runs once.
        """
        if not self.may_move:
            return False
        self.stop_program()
        self.program, self.runtime = program, RuntimeState.PLAYING
        return True

    def play(self) -> bool:
        """Resume the paused program, or start the loaded one; return False if that is not possible."""
        if not self.may_move or self.runtime == RuntimeState.PLAYING:
            return False
        if self.runtime == RuntimeState.PAUSED:
            self.runtime = RuntimeState.PLAYING
            return True
        return bool(self.loaded) and self.start_program(self.programs[self.loaded]())

    def pause(self) -> bool:
        """Pause the program; return False if none was running."""
        if self.runtime != RuntimeState.PLAYING:
            return False
        self.runtime = RuntimeState.PAUSED
        self.motion.hold()
        return True

    def stop_program(self) -> bool:
        """End the program and stop the arm; return False if there was no program."""
        self._play_at = None
        ended = self.program is not None
        self.program, self.runtime = None, RuntimeState.STOPPED
        self.motion.freedrive = False
        self.motion.halt()
        return ended

    def protective_stop(self, now: float, cause: str) -> None:
        """Stop the arm and pause the program, as the safety system does on a contact.

        The program stays loaded and paused: after unlocking, `play` continues the interrupted move.

        Args:
            now: Time, seconds; the stop can be unlocked `timings.unlock` later.
            cause: Text for the pendant.
        """
        if self.safety in FREE_TO_MOVE:
            self.safety, self._stopped_at = SafetyMode.PROTECTIVE_STOP, now
            self.pause()
            self.motion.hold()
            self.report(f'Protective stop: {cause}')

    def unlock_protective_stop(self, now: float) -> bool:
        """Leave a protective stop; return False if it occurred too recently."""
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
        """Close and reset the safeguard: a program that ran before resumes."""
        if self.safety == SafetyMode.SAFEGUARD_STOP:
            self.safety = SafetyMode.NORMAL
            if self._played_before_safeguard:
                self.play()

    def emergency_stop(self) -> None:
        """Press the emergency stop: the program ends, the power goes off."""
        self.power_off()
        self.safety = SafetyMode.ROBOT_EMERGENCY_STOP

    def release_emergency_stop(self) -> None:
        """Release the emergency stop; the power stays off."""
        if self.safety in EMERGENCY:
            self.safety = SafetyMode.NORMAL

    def violate_safety(self) -> None:
        """Cause a safety violation; only `restart_safety` ends it."""
        self.power_off()
        self.safety = SafetyMode.VIOLATION

    def restart_safety(self, now: float) -> None:
        """Restart the safety system; the power goes off."""
        self.power_off()
        self._restart_at = now + self.timings.safety_restart

    def acknowledge_at_pendant(self, now: float) -> None:
        """Do what the operator does at the pendant: clear every stop, switch power and brakes on, start the loaded program."""
        self.safety, self._restart_at, self._stopped_at = SafetyMode.NORMAL, None, now - self.timings.unlock
        self.stop_program()
        self.power = Power(self.timings, RobotMode.RUNNING)
        self.remote, self.popup = True, ''
        self.loaded = self.loaded or self._default_program
        self._play_at = now + PENDANT_DELAY_S

    def reboot(self, now: float) -> None:
        """Restart the controller: program, registers and clock are reset."""
        self.stop_program()
        self.power.reboot(now)
        self.safety, self.registers, self.loaded = SafetyMode.NORMAL, Registers(), ''
        # Clients detect a reboot by the clock that starts again at 0.
        self._began = self._last = now

    def report(self, text: str, *, runtime_exception: bool = False) -> None:
        """Show a message on the pendant.

        Args:
            text: Message.
            runtime_exception: The message is the error that ended a program.
        """
        self._message_count += 1
        # A new list each time: a port may be iterating over the old one.
        self.messages = [*self.messages[1 - MESSAGE_LIMIT :], PendantMessage(self._message_count, text, runtime_exception)]
