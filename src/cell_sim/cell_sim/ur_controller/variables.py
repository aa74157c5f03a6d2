"""Variables of RTDE: name, type, and the getter of each output.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". Clients decode with their own tables, so the types match it.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable

from cell_robot.protocols.rtde import RtdeValue
from cell_robot.robot_modes import RobotMode, RuntimeState

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.registers import REGISTERS
from cell_sim.ur_controller.states import JOINT_MODES, JOINT_POWER_OFF, safety_bits

Getter = Callable[[Controller], RtdeValue]
ZERO_6, ZERO_3 = (0.0,) * 6, (0.0,) * 3
MAIN_VOLTAGE = ROBOT_VOLTAGE = 48.0
JOINT_TEMPERATURE = 28.0
"""Degrees Celsius."""
GRAVITY = 9.80665
WORDS = {'0_to_31': 0, '32_to_63': 32}


def _powered(volts_or_amperes: float) -> Callable[[Controller], float]:
    return lambda c: volts_or_amperes if c.mode in (RobotMode.IDLE, RobotMode.RUNNING) else 0.0


def _status_bits(c: Controller) -> int:
    powered = c.mode in (RobotMode.POWER_ON, RobotMode.IDLE, RobotMode.RUNNING)
    return powered | (c.runtime == RuntimeState.PLAYING) << 1


def _joint_modes(c: Controller) -> tuple[int, ...]:
    return (JOINT_MODES.get(c.mode, JOINT_POWER_OFF),) * 6


def _always(value: RtdeValue) -> Getter:
    return lambda _c: value


_ARM: dict[str, tuple[str, Getter]] = {
    **{name: ('VECTOR6D', lambda c: c.motion.joints) for name in ('target_q', 'actual_q')},
    **{name: ('VECTOR6D', lambda c: c.motion.speeds) for name in ('target_qd', 'actual_qd')},
    **{
        name: ('VECTOR6D', _always(ZERO_6))
        for name in (
            'target_qdd',
            'target_current',
            'target_moment',
            'actual_current',
            'joint_control_output',
            'actual_TCP_force',
            'ft_raw_wrench',
            'payload_inertia',
        )
    },
    **{name: ('VECTOR6D', lambda c: c.motion.tcp_pose) for name in ('actual_TCP_pose', 'target_TCP_pose')},
    **{name: ('VECTOR6D', lambda c: c.motion.tcp_speed) for name in ('actual_TCP_speed', 'target_TCP_speed')},
    'joint_temperatures': ('VECTOR6D', _always((JOINT_TEMPERATURE,) * 6)),
    'actual_joint_voltage': ('VECTOR6D', lambda c: (_powered(ROBOT_VOLTAGE)(c),) * 6),
    'actual_tool_accelerometer': ('VECTOR3D', _always((0.0, 0.0, -GRAVITY))),
    'payload': ('DOUBLE', lambda c: c.payload[0]),
    'payload_cog': ('VECTOR3D', lambda c: c.payload[1:4]),
    'tcp_offset': ('VECTOR6D', lambda c: c.motion.tcp_offset),
}
_CONTROLLER: dict[str, tuple[str, Getter]] = {
    'timestamp': ('DOUBLE', lambda c: c.timestamp),
    'actual_execution_time': ('DOUBLE', _always(0.0)),
    'robot_mode': ('INT32', lambda c: int(c.mode)),
    'joint_mode': ('VECTOR6INT32', _joint_modes),
    'safety_mode': ('INT32', lambda c: int(c.safety)),
    'safety_status': ('INT32', lambda c: int(c.safety)),
    'runtime_state': ('UINT32', lambda c: int(c.runtime)),
    'robot_status_bits': ('UINT32', _status_bits),
    'safety_status_bits': ('UINT32', lambda c: safety_bits(c.safety)),
    'speed_scaling': ('DOUBLE', lambda c: c.speed_scaling),
    'target_speed_fraction': ('DOUBLE', lambda c: c.registers.speed_slider),
    'actual_momentum': ('DOUBLE', _always(0.0)),
    'actual_main_voltage': ('DOUBLE', _always(MAIN_VOLTAGE)),
    'actual_robot_voltage': ('DOUBLE', _powered(ROBOT_VOLTAGE)),
    'actual_robot_current': ('DOUBLE', _powered(0.5)),
}
_IO: dict[str, tuple[str, Getter]] = {
    'actual_digital_input_bits': ('UINT64', lambda c: c.registers.digital_inputs),
    'actual_digital_output_bits': ('UINT64', lambda c: c.registers.digital_outputs),
    'standard_analog_input0': ('DOUBLE', lambda c: c.registers.analog_inputs[0]),
    'standard_analog_input1': ('DOUBLE', lambda c: c.registers.analog_inputs[1]),
    'standard_analog_output0': ('DOUBLE', lambda c: _analog(c, 0)),
    'standard_analog_output1': ('DOUBLE', lambda c: _analog(c, 1)),
    'analog_io_types': ('UINT32', lambda c: c.registers.analog_types << 2),
}


def _analog(c: Controller, number: int) -> float:
    """Return an analog output in volts or amperes, depending on its type."""
    share = c.registers.analog_outputs[number]
    return share * 10.0 if c.registers.analog_types & (1 << number) else 0.004 + share * 0.016


def _register(family: str, number: int) -> Getter:
    return lambda c: getattr(c.registers, family)[number]


def _bits(family: str, first: int, mask: int) -> Getter:
    return lambda c: getattr(c.registers, family) >> first & mask


def _register_outputs() -> dict[str, tuple[str, Getter]]:
    found: dict[str, tuple[str, Getter]] = {}
    for direction in ('input', 'output'):
        for number in range(REGISTERS):
            found[f'{direction}_int_register_{number}'] = 'INT32', _register(f'{direction}_ints', number)
            found[f'{direction}_double_register_{number}'] = 'DOUBLE', _register(f'{direction}_doubles', number)
        for name, first in WORDS.items():
            found[f'{direction}_bit_registers{name}'] = 'UINT32', _bits(f'{direction}_bits', first, 0xFFFFFFFF)
        for number in range(64, 128):
            found[f'{direction}_bit_register_{number}'] = 'BOOL', _bits(f'{direction}_bits', number, 1)
    return found


OUTPUTS: dict[str, tuple[str, Getter]] = {**_ARM, **_CONTROLLER, **_IO, **_register_outputs()}
"""Name -> (type, getter) of all variables that a client may read."""

INPUTS: dict[str, str] = {
    'speed_slider_mask': 'UINT32',
    'speed_slider_fraction': 'DOUBLE',
    'standard_digital_output_mask': 'UINT8',
    'standard_digital_output': 'UINT8',
    'configurable_digital_output_mask': 'UINT8',
    'configurable_digital_output': 'UINT8',
    'tool_digital_output_mask': 'UINT8',
    'tool_digital_output': 'UINT8',
    'standard_analog_output_mask': 'UINT8',
    'standard_analog_output_type': 'UINT8',
    'standard_analog_output_0': 'DOUBLE',
    'standard_analog_output_1': 'DOUBLE',
    'external_force_torque': 'VECTOR6D',
    **{name: kind for name, (kind, _) in _register_outputs().items() if name.startswith('input_')},
}
"""Name -> type of all variables that a client may write."""
