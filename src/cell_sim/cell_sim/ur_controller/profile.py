"""Speed profile of a move: acceleration, constant speed, deceleration.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Trapezoid of speed over time, or a triangle for a short path.

    Attributes:
        length: Length of the path, rad or m.
        speed: Highest speed reached, rad/s or m/s.
        acceleration: rad/s^2 or m/s^2, above 0.
        deceleration: The same for the end of the move.
        begin_speed: Speed at the start; above 0 only for a stop during a move.
    """

    length: float
    speed: float
    acceleration: float
    deceleration: float
    begin_speed: float = 0.0

    @classmethod
    def standing(cls, length: float, speed: float, acceleration: float) -> Profile:
        """Return the profile of a path from standstill to standstill.

        A path too short for the speed becomes a triangle: both ramps together cover v^2 / a, so the
        peak is sqrt(length * a).

        Args:
            length: rad or m.
            speed: Speed to reach, rad/s or m/s.
            acceleration: rad/s^2 or m/s^2.
        """
        return cls(length, min(speed, math.sqrt(length * acceleration)), acceleration, acceleration)

    @classmethod
    def braking(cls, speed: float, deceleration: float, room: float) -> Profile:
        """Return the profile of a stop within at most `room`.

        Args:
            speed: Current speed.
            deceleration: Wanted deceleration; stronger if the room is too short.
            room: Remaining length of the path.
        """
        length = min(speed * speed / (2.0 * deceleration), room)
        return cls(length, speed, deceleration, speed * speed / (2.0 * length) if length > 0.0 else deceleration, speed)

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        if self.length <= 0.0 or self.speed <= 0.0:
            return 0.0
        return self._rise + self._cruise + self.speed / self.deceleration

    def at(self, time: float) -> tuple[float, float]:
        """Return position and speed at a time after the start.

        Args:
            time: Seconds; before 0 and after the end the boundary values apply.
        """
        time = max(0.0, min(time, self.duration))
        if time >= self.duration:
            return max(0.0, self.length), 0.0
        if time < self._rise:
            speed = self.begin_speed + self.acceleration * time
            return (self.begin_speed + speed) / 2.0 * time, speed
        if time < self._rise + self._cruise:
            return self._rise_length + self.speed * (time - self._rise), self.speed
        left = self.duration - time
        return self.length - self.deceleration * left * left / 2.0, self.deceleration * left

    @property
    def _rise(self) -> float:
        return (self.speed - self.begin_speed) / self.acceleration

    @property
    def _rise_length(self) -> float:
        return (self.speed + self.begin_speed) / 2.0 * self._rise

    @property
    def _cruise(self) -> float:
        return max(0.0, self.length - self._rise_length - self.speed**2 / (2.0 * self.deceleration)) / self.speed
