import pytest
from cell_sim.ur_controller.registers import Registers


def test_a_package_writes_registers_and_counts_writes_for_watchdogs():
    registers = Registers()
    for value in (7, 8):
        registers.write({'input_int_register_24': value, 'input_double_register_25': 0.5, 'no_such_name': 1})
    assert (registers.input_ints[24], registers.int_writes[24], registers.input_doubles[25]) == (8, 2, 0.5)
    assert sum(registers.int_writes) == 2 and registers.output_ints[24] == 0


def test_bits_are_written_alone_or_as_a_word():
    registers = Registers()
    registers.write({'input_bit_registers32_to_63': 0b101})
    assert registers.input_bits == 0b101 << 32
    registers.write({'input_bit_register_32': False, 'input_bit_register_127': True})
    assert registers.input_bits == (0b100 << 32) | (1 << 127)


def test_only_outputs_of_the_mask_change():
    registers = Registers()
    registers.set_output(0, True)
    registers.write({'standard_digital_output': 0b110, 'standard_digital_output_mask': 0b010})
    assert registers.digital_outputs == 0b011
    registers.write({'configurable_digital_output': 1, 'configurable_digital_output_mask': 1})
    registers.write({'tool_digital_output': 0xFF, 'tool_digital_output_mask': 0xFF})
    assert registers.digital_outputs == 0b11 << 16 | 1 << 8 | 0b011
    registers.set_output(1, False)
    assert registers.digital_outputs & 0b11 == 0b01


def test_an_input_is_set_by_the_device_that_is_wired_to_it():
    registers = Registers()
    registers.set_input(3, True)
    registers.set_input(16, True)
    registers.set_input(3, False)
    assert registers.digital_inputs == 1 << 16


@pytest.mark.parametrize(('given', 'kept'), [(0.4, 0.4), (-1.0, 0.0), (2.0, 1.0)])
def test_analog_outputs_and_the_speed_slider_are_limited_and_need_their_mask(given, kept):
    registers = Registers()
    registers.write({'standard_analog_output_0': given, 'speed_slider_fraction': given})
    assert (registers.analog_outputs, registers.speed_slider) == ([0.0, 0.0], 1.0)
    values = {'standard_analog_output_mask': 0b10, 'standard_analog_output_type': 0b11, 'standard_analog_output_1': given}
    registers.write({**values, 'speed_slider_mask': 1, 'speed_slider_fraction': given})
    assert (registers.analog_outputs, registers.analog_types, registers.speed_slider) == ([0.0, kept], 0b10, kept)


def test_the_external_force_is_stored_as_given():
    registers = Registers()
    registers.write({'external_force_torque': (1.0,) * 6})
    assert registers.external_force == (1.0,) * 6
