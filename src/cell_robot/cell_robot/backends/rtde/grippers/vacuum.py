"""Vacuum gripper: a valve, a blow-off, and a vacuum sensor with a digital switch or an analog signal.

The vacuum is needed as long as a piece is carried. A leak shows as a reading below the threshold; because the reading of a
moving gripper swings, it counts after `leak_time`.
"""

from __future__ import annotations

from cell_robot.backends.rtde.grippers.base import Gripper

SENSOR_S = 0.5
"""The vacuum falls within this time after the gripper has opened."""


class VacuumGripper(Gripper):
    """Waits for the vacuum instead of a fixed time."""

    _lost_since: float | None = None
    """Time of the controller when the vacuum fell, None while it is there."""

    @property
    def holds(self) -> bool | None:
        """Whether the vacuum is good: the digital switch is on, or the analog reading is beyond its threshold."""
        settings, latest = self._settings, self._wires.latest
        vacuum = settings.vacuum
        if latest is None or vacuum is None:
            return None
        if vacuum.analog_input is None:
            return None if settings.part_input is None else bool(latest.inputs >> settings.part_input & 1)
        reading = latest.analog[vacuum.analog_input]
        if reading is None:
            return None
        return reading <= vacuum.threshold if vacuum.falling else reading >= vacuum.threshold

    @property
    def closed(self) -> bool | None:
        """Whether the valve is on."""
        pin, latest = self._settings.close_output, self._wires.latest
        return None if pin is None or latest is None else bool(latest.outputs >> pin & 1)

    @property
    def lost(self) -> bool:
        """Whether the vacuum has been too low for `leak_time`; ask with every package.

        Times are the controller's: packages that arrive late together must not look like a leak.
        """
        latest, vacuum = self._wires.latest, self._settings.vacuum
        if latest is None or vacuum is None or self.holds is not False:
            self._lost_since = None
            return False
        if self._lost_since is None or latest.timestamp < self._lost_since:
            self._lost_since = latest.timestamp
        return latest.timestamp - self._lost_since >= vacuum.leak_time

    @property
    def message(self) -> str:
        """An analog input that the controller does not report, with the remedy."""
        latest, vacuum = self._wires.latest, self._settings.vacuum
        if latest is None or vacuum is None or vacuum.analog_input is None or latest.analog[vacuum.analog_input] is not None:
            return ''
        return (
            f'The robot does not report analog input {vacuum.analog_input}, which the recipe names for the vacuum. '
            'Correct gripper: vacuum_analog.'
        )

    async def switch(self, closed: bool, seconds: float) -> bool:
        """Switch the valve on and wait for the vacuum; or off, blow the piece off, and wait until the vacuum is gone.

        Args:
            closed: True to suck.
            seconds: Timeout of the vacuum; when it is released, the time until the piece has fallen.

        Raises:
            StepError: An output did not switch, or the step is aborted.
        """
        vacuum, valve = self._settings.vacuum, self._settings.close_output
        assert vacuum is not None and valve is not None
        blow = vacuum.blow_output
        if closed:
            # Both in one call: a blow-off that is still on would work against the vacuum.
            await self._wires.set_outputs({valve: True} if blow is None else {valve: True, blow: False})
            if self.holds is None:
                await self._wires.wait_for(lambda: False, seconds)
            return self.holds is None or await self._wires.wait_for(lambda: self.holds is True, seconds)
        await self._wires.set_outputs({valve: False} if blow is None else {valve: False, blow: True})
        if blow is not None:
            await self._wires.wait_for(lambda: False, vacuum.blow_time)
            await self._wires.set_outputs({blow: False})
        await self._wires.wait_for(lambda: False, max(0.0, seconds - vacuum.blow_time))
        return self.holds is None or await self._wires.wait_for(lambda: self.holds is False, SENSOR_S)
