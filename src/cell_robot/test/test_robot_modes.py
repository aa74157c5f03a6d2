"""Plain enums against the constants of the messages."""

from __future__ import annotations

import pytest
from cell_robot.robot_modes import ProgramState, RobotMode, SafetyMode

from cell_interfaces.msg import RobotState


@pytest.mark.parametrize(('kind', 'prefix'), [(RobotMode, 'MODE_'), (SafetyMode, 'SAFETY_'), (ProgramState, 'PROGRAM_')])
def test_the_enums_have_the_names_and_numbers_of_the_message(kind, prefix):
    constants = {name.removeprefix(prefix): getattr(RobotState, name) for name in dir(RobotState) if name.startswith(prefix)}
    assert {member.name: member.value for member in kind} == constants
