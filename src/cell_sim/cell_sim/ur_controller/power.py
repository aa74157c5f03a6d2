"""Power and brakes of the arm: what people asked for comes some seconds later."""

from __future__ import annotations

from cell_sim.ur_controller.states import RobotMode, Timings

_BEFORE_POWER = (RobotMode.NO_CONTROLLER, RobotMode.DISCONNECTED, RobotMode.BOOTING)


class Power:
    """The robot mode and the modes that it is on its way to."""

    def __init__(self, timings: Timings, mode: RobotMode = RobotMode.RUNNING) -> None:
        """Stand in a mode."""
        self.mode = mode
        self._timings = timings
        self._coming: list[tuple[float, RobotMode]] = []

    def advance(self, now: float) -> None:
        """Enter the modes that are due; `now` in seconds."""
        while self._coming and self._coming[0][0] <= now:
            self.mode = self._coming.pop(0)[1]

    def power_on(self, now: float) -> bool:
        """Begin to power the joints; return whether that makes sense now."""
        if self.mode in _BEFORE_POWER:
            return False
        if self.mode == RobotMode.POWER_OFF:
            self.mode = RobotMode.POWER_ON
            self._coming = [(now + self._timings.power_on, RobotMode.IDLE)]
        return True

    def brake_release(self, now: float) -> bool:
        """Begin to release the brakes, with power first where it is missing; return whether that makes sense now."""
        if not self.power_on(now):
            return False
        if self.mode != RobotMode.RUNNING and RobotMode.RUNNING not in [mode for _, mode in self._coming]:
            start = self._coming[-1][0] if self._coming else now
            self._coming.append((start + self._timings.brake_release, RobotMode.RUNNING))
        return True

    def power_off(self) -> bool:
        """Take the power away; return whether there is a controller to do it."""
        if self.mode in _BEFORE_POWER:
            return False
        self.mode, self._coming = RobotMode.POWER_OFF, []
        return True

    def reboot(self, now: float) -> None:
        """Begin to boot; the arm is without power when that ends."""
        self.mode, self._coming = RobotMode.BOOTING, [(now + self._timings.boot, RobotMode.POWER_OFF)]
