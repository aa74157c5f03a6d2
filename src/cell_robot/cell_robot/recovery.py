"""Recovery rules: whether a stop may be ended, and by which steps; the same for every backend that can recover.

Pure: no ROS, sockets, files or clock.

Source of the sequence: Universal Robots, user manual, "Safety-related functions" and "Dashboard Server e-Series". A resumed
program would continue its interrupted move, so it is always stopped and started again.

Only a protective stop may be unlocked by software, after an operator has confirmed the cause. Safeguard and emergency stops
end at their own devices; violation and fault need the pendant.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from cell_common.alarm_text import sentence
from cell_common.alarm_texts import ROBOT_STOPS

from cell_robot.robot_modes import RobotMode, SafetyMode

UNLOCK_AFTER_S = 5.0
"""The controller refuses to unlock a younger protective stop."""
FREE_TO_MOVE = (SafetyMode.NORMAL, SafetyMode.REDUCED)
SAFEGUARDS = (SafetyMode.SAFEGUARD_STOP, 12, 16, 22)
"""Safety modes of an open safeguard: its input, that of automatic mode, of the injection moulding interface, and of the API."""
_SAFETY_NAMES = {mode.value: mode.name for mode in SafetyMode}
MODES: Mapping[int, str] = {
    RobotMode.NO_CONTROLLER: 'no controller',
    RobotMode.DISCONNECTED: 'disconnected',
    RobotMode.CONFIRM_SAFETY: 'safety not confirmed',
    RobotMode.BOOTING: 'booting',
    RobotMode.POWER_OFF: 'power off',
    RobotMode.POWER_ON: 'power on',
    RobotMode.IDLE: 'brakes on',
    RobotMode.BACKDRIVE: 'backdrive',
    RobotMode.RUNNING: 'running',
    RobotMode.UPDATING_FIRMWARE: 'updating firmware',
}
"""Robot mode -> name for the operator."""
_RECOVERABLE_MODES = (RobotMode.POWER_OFF, RobotMode.POWER_ON, RobotMode.IDLE, RobotMode.RUNNING)


class RecoveryStep(enum.Enum):
    """One step of a recovery; the value is its description for the operator."""

    CAUSE = 'The cause of the stop'
    WAIT = 'Waiting until the protective stop is 5 s old'
    POPUPS = 'Closing the messages on the pendant'
    UNLOCK = 'Unlocking the protective stop'
    POWER = 'Switching the arm on'
    BRAKES = 'Releasing the brakes'
    READY = 'Waiting until safety is NORMAL and the arm RUNNING'
    STOP = 'Stopping the interrupted program'
    UPLOAD = 'Restarting the control program'
    RETRACT = 'Retracting the arm straight up'


@dataclass(frozen=True)
class RecoveryFacts:
    """State of the robot before a recovery."""

    fresh: bool
    """Data arrives."""
    safety: int
    """A value of SafetyMode, or a higher number."""
    mode: int
    """A value of RobotMode."""
    remote: bool
    """The robot is in remote control."""
    unlocks_left: int
    """Number of protective stops that may still be unlocked remotely."""


def refusal_reason(facts: RecoveryFacts) -> str:
    """Return why the robot cannot be recovered from here, with the remedy; "" when it can."""
    if not facts.fresh:
        return 'No data comes from the robot. Switch it on, check the network cable.'
    if facts.safety not in (*FREE_TO_MOVE, SafetyMode.PROTECTIVE_STOP):
        return f'The robot is in {stop_cause(facts.safety)}'
    if not facts.remote:
        return 'The robot is in local mode. Switch it to remote control on the pendant.'
    if facts.safety == SafetyMode.PROTECTIVE_STOP and facts.unlocks_left <= 0:
        return (
            'This is one protective stop too many in a short time. Call maintenance: find the cause, unlock on the '
            'pendant, then recover the robot.'
        )
    if facts.mode not in _RECOVERABLE_MODES:
        return f'The robot is not ready to be recovered: {MODES.get(facts.mode, facts.mode)}. Look at the pendant.'
    return ''


def recovery_steps(facts: RecoveryFacts) -> list[RecoveryStep]:
    """Return the steps of a recovery, in order; requires that `refusal_reason` is ""."""
    stopped = facts.safety not in FREE_TO_MOVE
    off = facts.mode in (RobotMode.POWER_OFF, RobotMode.POWER_ON)
    braked = off or facts.mode == RobotMode.IDLE
    needed = {
        RecoveryStep.WAIT: stopped,
        RecoveryStep.UNLOCK: stopped,
        RecoveryStep.POWER: off,
        RecoveryStep.BRAKES: braked,
    }
    return [step for step in RecoveryStep if needed.get(step, True)]


def stop_cause(safety: int) -> str:
    """Return name and remedy of a stop, for numbers that this release does not know as well."""
    return f'{stop_name(safety)}. {" ".join(_stop_text(safety)[1])}'


def stop_name(safety: int) -> str:
    """Return the name of a stop, e.g. "protective stop"."""
    return _stop_text(safety)[0]


def _stop_text(safety: int) -> tuple[str, tuple[str, ...]]:
    name = _SAFETY_NAMES.get(SafetyMode.SAFEGUARD_STOP if safety in SAFEGUARDS else safety, '')
    return ROBOT_STOPS.get(name, ROBOT_STOPS['OTHER'])


def hold_text(reason: str, look: str = 'Clear the robot area.') -> str:
    """Return why nothing may move before a recovery, with the remedy.

    Args:
        reason: What happened. A remedy that it names itself is kept.
        look: What the operator should look at if the reason names no remedy.
    """
    text = sentence(reason)
    return text if '. ' in text else f'{text} {look} Recover the robot.'


def not_movable_reason(safety: int, mode: int) -> str:
    """Return why the arm cannot move, with the remedy; "" when it can.

    Args:
        safety: Safety status of RTDE, a value of `SafetyMode`; unknown values count as a stop.
        mode: Robot mode of RTDE, a value of `RobotMode`; unknown values count as not running.
    """
    if safety not in FREE_TO_MOVE:
        text = stop_cause(safety)
        return text[0].upper() + text[1:]
    if mode != RobotMode.RUNNING:
        # From other modes no recovery leads out.
        remedy = 'Clear the robot area. Recover the robot.' if mode in _RECOVERABLE_MODES else 'Look at the pendant.'
        return f'The arm is not running ({MODES.get(mode, mode)}). {remedy}'
    return ''


class ProtectiveStopCounter:
    """Limits the number of unlocked protective stops in a sliding time window.

    An arm that hits something again and again needs maintenance, not another unlock.
    """

    def __init__(self, maximum: int, window: float) -> None:
        """Allow `maximum` unlocks in `window` seconds."""
        self._maximum, self._window = maximum, window
        self._times: deque[float] = deque()

    def left(self, now: float) -> int:
        """Return how many unlocks are left; `now` in seconds of a monotonic clock."""
        while self._times and now - self._times[0] > self._window:
            self._times.popleft()
        return self._maximum - len(self._times)

    def add(self, now: float) -> None:
        """Count one unlock."""
        self._times.append(now)
