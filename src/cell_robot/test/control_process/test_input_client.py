"""Which inputs of the controller the control process claims."""

from __future__ import annotations

import pytest
from cell_robot.control_process.input_client import control_names, output_names


@pytest.mark.parametrize(
    ('pins', 'names'),
    [
        ((0,), ('standard_digital_output_mask', 'standard_digital_output')),
        ((3, 7), ('standard_digital_output_mask', 'standard_digital_output')),
        ((8,), ('configurable_digital_output_mask', 'configurable_digital_output')),
        ((16,), ('tool_digital_output_mask', 'tool_digital_output')),
        ((), ()),
    ],
)
def test_only_the_banks_of_the_outputs_are_claimed(pins, names):
    assert output_names(pins) == names


def test_the_control_script_needs_registers_of_one_range():
    assert 'input_int_register_0' in control_names(upper=False)
    upper = control_names(upper=True)
    assert 'input_int_register_24' in upper and 'input_double_register_41' in upper
    assert not set(upper) & set(control_names(upper=False))
