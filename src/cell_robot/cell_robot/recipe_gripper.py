"""Pydantic model of key `gripper` of the recipe file.

The messages of the validators follow `cell_common.yaml_model`: key, fact, remedy.
"""

from __future__ import annotations

from typing import Annotated, Literal

from cell_common.yaml_model import StrictModel
from pydantic import Field, ValidationInfo, field_validator, model_validator

from cell_robot.motion.recipe import GripperSettings, RobotiqSettings, VacuumSettings

Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)]
Byte = Annotated[int, Field(ge=0, le=255)]
PINS = ('close_output', 'open_output', 'part_input', 'vacuum_output', 'blow_output', 'vacuum_input')
NEEDED = {'digital': ('close_output',), 'vacuum': ('vacuum_output',), 'robotiq': ()}
ALLOWED = {
    'digital': ('close_output', 'open_output', 'part_input'),
    'vacuum': (
        'vacuum_output',
        'blow_output',
        'blow_time',
        'vacuum_input',
        'vacuum_analog',
        'threshold',
        'falling',
        'leak_time',
    ),
    'robotiq': ('open_position', 'close_position', 'speed', 'force'),
}
"""Kind of gripper -> its keys, beside kind, close_time and open_time."""


class GripperModel(StrictModel):
    """Key `gripper`: kind, pins as in RTDE, times in seconds, Robotiq's values 0..255.

    Keys of another kind are errors: they are most often left over from an earlier gripper.
    """

    kind: Literal['digital', 'vacuum', 'robotiq'] = 'digital'
    close_output: int | None = None
    open_output: int | None = None
    part_input: int | None = None
    vacuum_output: int | None = None
    blow_output: int | None = None
    blow_time: Seconds = 0.0
    vacuum_input: int | None = None
    vacuum_analog: Annotated[int, Field(ge=0, le=1)] | None = None
    threshold: Number | None = None
    falling: bool = False
    leak_time: Seconds = 0.1
    open_position: Byte = 0
    close_position: Byte = 255
    speed: Byte = 255
    force: Byte = 50
    close_time: Seconds
    open_time: Seconds

    @field_validator(*PINS)
    @classmethod
    def _check_pin(cls, pin: int | None, info: ValidationInfo) -> int | None:
        if pin is not None and not 0 <= pin <= 17:
            raise ValueError(f'{info.field_name} must be 0-7 (standard), 8-15 (configurable) or 16-17 (tool)')
        return pin

    @model_validator(mode='after')
    def _check_keys(self) -> GripperModel:
        """Refuse keys of another kind of gripper, missing keys, and values that contradict each other.

        Pydantic collects the ValueError, and `validate` adds the line of the file.
        """
        given = self.model_fields_set - {'kind', 'close_time', 'open_time'}
        if foreign := sorted(given - set(ALLOWED[self.kind])):
            raise ValueError(f'gripper: {", ".join(foreign)} is no key of a {self.kind} gripper; remove it, or correct kind')
        if missing := [key for key in NEEDED[self.kind] if getattr(self, key) is None]:
            raise ValueError(f'gripper: write {", ".join(missing)}')
        outputs = [
            pin for pin in (self.close_output, self.open_output, self.vacuum_output, self.blow_output) if pin is not None
        ]
        if len(set(outputs)) < len(outputs):
            raise ValueError('gripper: its outputs must differ')
        if (self.vacuum_analog is None) != (self.threshold is None):
            raise ValueError('gripper: vacuum_analog and threshold go together')
        if self.vacuum_analog is not None and self.vacuum_input is not None:
            raise ValueError('gripper: write vacuum_input or vacuum_analog, not both')
        if self.open_position == self.close_position:
            raise ValueError('gripper: open_position and close_position must differ')
        return self

    def settings(self) -> GripperSettings:
        """Return the gripper of the recipe, in the form that all kinds share."""
        if self.kind == 'robotiq':
            fingers = RobotiqSettings(self.open_position, self.close_position, self.speed, self.force)
            return GripperSettings(None, None, None, self.close_time, self.open_time, robotiq=fingers)
        if self.kind == 'vacuum':
            vacuum = VacuumSettings(
                self.blow_output, self.blow_time, self.vacuum_analog, self.threshold or 0.0, self.falling, self.leak_time
            )
            return GripperSettings(self.vacuum_output, None, self.vacuum_input, self.close_time, self.open_time, vacuum=vacuum)
        return GripperSettings(self.close_output, self.open_output, self.part_input, self.close_time, self.open_time)
