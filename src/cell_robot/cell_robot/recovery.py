"""May a stop be ended, and by which steps? The same rules for every link that can do it. No ROS, no sockets, no clock.

Source of the sequence: Universal Robots, user manual, "Safety-related functions" and "Dashboard Server e-Series". A program
that is resumed would continue its interrupted move: it is always stopped, and begun anew.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from cell_interfaces.msg import RobotState

UNLOCK_AFTER_S = 5.0
"""The controller refuses to unlock a protective stop earlier."""
FREE = (RobotState.SAFETY_NORMAL, RobotState.SAFETY_REDUCED)
RESTART = 'Call maintenance: read the log on the pendant and restart safety there.'
CAUSES: Mapping[int, tuple[str, str]] = {
    RobotState.SAFETY_PROTECTIVE_STOP: (
        'protective stop',
        'Look what the arm has met, make the area clear, then recover the robot.',
    ),
    RobotState.SAFETY_RECOVERY: ('recovery mode', 'Move the joints back into their limits on the pendant.'),
    RobotState.SAFETY_SAFEGUARD_STOP: ('safeguard stop', 'Close and reset the safeguard, then recover the robot.'),
    RobotState.SAFETY_SYSTEM_EMERGENCY_STOP: (
        'emergency stop of the system',
        'Remove the danger, turn the button back, then recover the robot.',
    ),
    RobotState.SAFETY_ROBOT_EMERGENCY_STOP: (
        'emergency stop',
        'Remove the danger, turn the button back, then recover the robot.',
    ),
    RobotState.SAFETY_VIOLATION: ('safety violation', RESTART),
    RobotState.SAFETY_FAULT: ('safety fault', RESTART),
}
"""Safety mode -> (what it is, what to do)."""
OTHER_STOP = ('stop by the safety system', 'Look at the pendant, remove the cause, then recover the robot.')
MODES: Mapping[int, str] = {
    RobotState.MODE_NO_CONTROLLER: 'no controller',
    RobotState.MODE_DISCONNECTED: 'disconnected',
    RobotState.MODE_CONFIRM_SAFETY: 'safety not confirmed',
    RobotState.MODE_BOOTING: 'booting',
    RobotState.MODE_POWER_OFF: 'power off',
    RobotState.MODE_POWER_ON: 'power on',
    RobotState.MODE_IDLE: 'brakes on',
    RobotState.MODE_BACKDRIVE: 'backdrive',
    RobotState.MODE_RUNNING: 'running',
    RobotState.MODE_UPDATING_FIRMWARE: 'updating firmware',
}
_BY_HAND = (
    RobotState.SAFETY_RECOVERY,
    RobotState.SAFETY_SAFEGUARD_STOP,
    RobotState.SAFETY_SYSTEM_EMERGENCY_STOP,
    RobotState.SAFETY_ROBOT_EMERGENCY_STOP,
    RobotState.SAFETY_VIOLATION,
    RobotState.SAFETY_FAULT,
)
_POWERED_BY_US = (RobotState.MODE_POWER_OFF, RobotState.MODE_POWER_ON, RobotState.MODE_IDLE, RobotState.MODE_RUNNING)


class Part(enum.Enum):
    """One part of the way back; the value tells people what is done."""

    CAUSE = 'The cause of the stop'
    WAIT = 'Waiting until the protective stop is 5 s old'
    POPUPS = 'Closing the messages on the pendant'
    UNLOCK = 'Unlocking the protective stop'
    POWER = 'Switching the arm on'
    BRAKES = 'Releasing the brakes'
    READY = 'Waiting until safety is NORMAL and the arm RUNNING'
    STOP = 'Stopping the interrupted program'
    UPLOAD = 'Starting the control program anew'
    RETRACT = 'Retracting the arm straight up'


@dataclass(frozen=True)
class Facts:
    """What is known of the robot before a recovery."""

    fresh: bool
    """Data comes."""
    safety: int
    """RobotState.SAFETY_*."""
    mode: int
    """RobotState.MODE_*."""
    remote: bool
    """It is in remote control."""
    unlocks_left: int
    """Protective stops that may still be unlocked without somebody at the pendant."""


def refusal(facts: Facts) -> str:
    """Say why the robot cannot be recovered from here, and what to do; "" when it can."""
    if not facts.fresh:
        return 'No data comes from the robot. Switch it on, check the network cable.'
    if facts.safety in _BY_HAND:
        return f'The robot is in {cause(facts.safety)}'
    if not facts.remote:
        return 'The robot is in local mode. Switch it to remote control on the pendant.'
    if facts.safety == RobotState.SAFETY_PROTECTIVE_STOP and facts.unlocks_left <= 0:
        return (
            'This is one protective stop too many in a short time. Call maintenance: find the cause, unlock on the '
            'pendant, then recover the robot.'
        )
    if facts.mode not in _POWERED_BY_US:
        return f'The robot is not ready to be recovered: {MODES.get(facts.mode, facts.mode)}. Look at the pendant.'
    return ''


def parts(facts: Facts) -> list[Part]:
    """Return the way back, in order; call it when nothing speaks against it."""
    stopped = facts.safety not in FREE
    off = facts.mode in (RobotState.MODE_POWER_OFF, RobotState.MODE_POWER_ON)
    braked = off or facts.mode == RobotState.MODE_IDLE
    wanted = {Part.WAIT: stopped, Part.UNLOCK: stopped, Part.POWER: off, Part.BRAKES: braked}
    return [part for part in Part if wanted.get(part, True)]


def cause(safety: int) -> str:
    """Return a stop and what to do about it."""
    name, advice = CAUSES.get(safety, OTHER_STOP)
    return f'{name}. {advice}'


def trouble(safety: int, mode: int) -> str:
    """Say why the arm cannot move and what to do; "" when it can."""
    if safety not in FREE:
        text = cause(safety)
        return text[0].upper() + text[1:]
    if mode != RobotState.MODE_RUNNING:
        return f'The arm is not running ({MODES.get(mode, mode)}). Look at the area, then recover the robot.'
    return ''


class Repeats:
    """Counts what was unlocked within a time."""

    def __init__(self, most: int, window: float) -> None:
        """Allow so many within so many seconds."""
        self._most, self._window = most, window
        self._times: deque[float] = deque()

    def left(self, now: float) -> int:
        """Return how many are still allowed; `now` in seconds."""
        while self._times and now - self._times[0] > self._window:
            self._times.popleft()
        return self._most - len(self._times)

    def add(self, now: float) -> None:
        """Count one."""
        self._times.append(now)
