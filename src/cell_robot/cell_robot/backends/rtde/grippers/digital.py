"""Gripper on one or two digital outputs, with or without a part sensor on a digital input."""

from __future__ import annotations

from cell_robot.backends.rtde.grippers.base import Gripper

SENSOR_S = 0.5
"""The sensor appears in the data within this time."""


class DigitalGripper(Gripper):
    """Waits the time to close or open, then asks the sensor.

    The outputs are read back from the data. They show that the controller has switched, not that the fingers have moved.
    """

    @property
    def holds(self) -> bool | None:
        """Whether the part sensor is on."""
        pin, latest = self._settings.part_input, self._wires.latest
        return None if pin is None or latest is None else bool(latest.inputs >> pin & 1)

    @property
    def closed(self) -> bool | None:
        """Whether the output that closes the gripper is on."""
        pin, latest = self._settings.close_output, self._wires.latest
        return None if pin is None or latest is None else bool(latest.outputs >> pin & 1)

    async def switch(self, closed: bool, seconds: float) -> bool:
        """Switch the outputs, wait, and compare the sensor.

        Args:
            closed: State to reach.
            seconds: `close_time` or `open_time` of the recipe, waited for in full: valves report nothing.

        Returns:
            False when a sensor contradicts `closed` for SENSOR_S after the wait; True without a sensor.
        """
        settings = self._settings
        outputs = {
            pin: on for pin, on in ((settings.close_output, closed), (settings.open_output, not closed)) if pin is not None
        }
        await self._wires.set_outputs(outputs)
        await self._wires.wait_for(lambda: False, seconds)
        return self.holds is None or await self._wires.wait_for(lambda: self.holds == closed, SENSOR_S)
