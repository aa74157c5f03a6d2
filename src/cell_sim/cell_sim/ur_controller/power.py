"""Power and brakes of the arm: a requested mode is reached after some seconds.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_robot.robot_modes import RobotMode

from cell_sim.ur_controller.states import Timings

_BEFORE_POWER = (RobotMode.NO_CONTROLLER, RobotMode.DISCONNECTED, RobotMode.BOOTING)


class Power:
    """Current robot mode and the scheduled ones.

    Attributes:
        mode: Robot mode, as of the last `advance` or command.
    """

    def __init__(self, timings: Timings, mode: RobotMode = RobotMode.RUNNING) -> None:
        self.mode = mode
        self._timings = timings
        self._scheduled: list[tuple[float, RobotMode]] = []

    def advance(self, now: float) -> None:
        """Enter the scheduled modes that are due; `now` in seconds."""
        while self._scheduled and self._scheduled[0][0] <= now:
            self.mode = self._scheduled.pop(0)[1]

    def power_on(self, now: float) -> bool:
        """Start to power the joints; return False before the controller has booted."""
        if self.mode in _BEFORE_POWER:
            return False
        if self.mode == RobotMode.POWER_OFF:
            self.mode = RobotMode.POWER_ON
            self._scheduled = [(now + self._timings.power_on, RobotMode.IDLE)]
        return True

    def brake_release(self, now: float) -> bool:
        """Start to release the brakes, after power on if necessary; return False before the controller has booted.

        Args:
            now: Time, seconds; repeated calls do not restart the delay.
        """
        if not self.power_on(now):
            return False
        if self.mode != RobotMode.RUNNING and RobotMode.RUNNING not in [mode for _, mode in self._scheduled]:
            # The brakes wait for the end of a power-on that is still in progress.
            start = self._scheduled[-1][0] if self._scheduled else now
            self._scheduled.append((start + self._timings.brake_release, RobotMode.RUNNING))
        return True

    def power_off(self) -> bool:
        """Switch the power off; return False before the controller has booted."""
        if self.mode in _BEFORE_POWER:
            return False
        self.mode, self._scheduled = RobotMode.POWER_OFF, []
        return True

    def reboot(self, now: float) -> None:
        """Start to boot; afterwards the arm has no power."""
        self.mode, self._scheduled = RobotMode.BOOTING, [(now + self._timings.boot, RobotMode.POWER_OFF)]
