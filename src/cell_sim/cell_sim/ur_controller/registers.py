"""Values that clients read and write besides the arm: registers, digital and analog outputs, speed slider.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REGISTERS = 48
"""Integer and double registers in each direction: 0-23 for fieldbuses, 24-47 for RTDE."""
_DIGITAL = (('standard_digital_output', 0, 0xFF), ('configurable_digital_output', 8, 0xFF), ('tool_digital_output', 16, 0x03))
"""Name of the value, first bit of it in `actual_digital_output_bits`, bits that exist."""


class Registers:
    """Values that stay until they are overwritten, independent of connections.

    Attributes:
        input_ints: Integer registers that clients write.
        input_doubles: Double registers that clients write.
        output_ints: Integer registers that programs write.
        output_doubles: Double registers that programs write.
        int_writes: Number of writes to each integer input, for watchdogs.
        input_bits: 128 single bits that clients write.
        output_bits: 128 single bits that programs write.
        digital_outputs: Bits 0-7 standard, 8-15 configurable, 16-17 tool.
        digital_inputs: The same order.
        analog_inputs: Volts.
        analog_outputs: Share of the range, 0..1.
        analog_types: Bit set = voltage, otherwise current.
        speed_slider: Share of the programmed speed, 0..1.
        external_force: Newtons and newton meters, as set by a client; not used by the model.
    """

    def __init__(self) -> None:
        """Create registers with zeros and a speed slider of 100 %."""
        self.input_ints, self.input_doubles = [0] * REGISTERS, [0.0] * REGISTERS
        self.output_ints, self.output_doubles = [0] * REGISTERS, [0.0] * REGISTERS
        self.int_writes = [0] * REGISTERS
        self.input_bits = self.output_bits = 0
        self.digital_outputs = self.digital_inputs = 0
        self.analog_outputs, self.analog_types = [0.0, 0.0], 0
        self.analog_inputs = [0.0, 0.0]
        self.speed_slider = 1.0
        self.external_force = (0.0,) * 6

    def write(self, values: Mapping[str, Any]) -> None:
        """Apply a data package: input variables by RTDE name, outputs only where their mask is set.

        Args:
            values: RTDE name -> value, already of the type in `variables.INPUTS`. Names outside
                that table are ignored.
        """
        for name, value in values.items():
            family, _, number = name.rpartition('_')
            if family == 'input_int_register':
                self.input_ints[int(number)] = value
                self.int_writes[int(number)] += 1
            elif family == 'input_double_register':
                self.input_doubles[int(number)] = value
            elif family == 'input_bit_register':
                self.input_bits = _masked(self.input_bits, value << int(number), 1 << int(number))
            elif name.startswith('input_bit_registers'):
                first = int(name.removeprefix('input_bit_registers').split('_')[0])
                self.input_bits = _masked(self.input_bits, value << first, 0xFFFFFFFF << first)
            elif name == 'external_force_torque':
                self.external_force = value
        self._write_outputs(values)

    def set_output(self, number: int, on: bool) -> None:
        """Set one digital output.

        Args:
            number: 0-7 standard, 8-15 configurable, 16-17 tool, as in RTDE.
            on: New state.
        """
        self.digital_outputs = _masked(self.digital_outputs, int(on) << number, 1 << number)

    def set_input(self, number: int, on: bool) -> None:
        """Set one digital input, as the device wired to it would.

        Args:
            number: Bit of `actual_digital_input_bits`.
            on: New state.
        """
        self.digital_inputs = _masked(self.digital_inputs, int(on) << number, 1 << number)

    def _write_outputs(self, values: Mapping[str, Any]) -> None:
        for name, first, bits in _DIGITAL:
            mask = values.get(f'{name}_mask', 0) & bits
            # The mask comes with the value: outputs outside it keep the state that another client
            # gave them.
            self.digital_outputs = _masked(self.digital_outputs, values.get(name, 0) << first, mask << first)
        mask = values.get('standard_analog_output_mask', 0)
        self.analog_types = _masked(self.analog_types, values.get('standard_analog_output_type', 0), mask)
        for number in (0, 1):
            if mask & (1 << number):
                self.analog_outputs[number] = max(0.0, min(1.0, values.get(f'standard_analog_output_{number}', 0.0)))
        if values.get('speed_slider_mask', 0) & 1:
            self.speed_slider = max(0.0, min(1.0, values.get('speed_slider_fraction', 1.0)))


def _masked(old: int, new: int, mask: int) -> int:
    return (old & ~mask) | (new & mask)
