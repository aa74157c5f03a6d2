"""Combines the driver's topics into one data package, with the fields the controller itself would send.

Pure: no ROS, sockets, files or clock.

The rules of the rtde backend then work unchanged. joint_states sets the pace; the other topics are latched or slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cell_robot.motion.kinematics import JOINTS
from cell_robot.motion.path_check import ArmCell
from cell_robot.motion.poses import matrix_to_pose
from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.protocols.rtde.snapshot import ANALOG_NAMES
from cell_robot.robot_modes import RuntimeState


@dataclass
class DriverSnapshot:
    """Newest value of each topic; None = nothing received."""

    cell: ArmCell
    mode: int | None = None
    """A value of RobotMode."""
    safety: int | None = None
    """A value of SafetyMode."""
    running: bool | None = None
    """The driver's program runs."""
    inputs: int | None = None
    """Digital inputs, one bit per pin."""
    outputs: int | None = None
    """Digital outputs, one bit per pin."""
    analog: dict[int, float] = field(default_factory=dict)
    """Analog input -> reading: volts, or amperes."""
    tool: tuple[float, ...] | None = None
    """Tool pose by the controller: meters and a rotation vector; None where the driver does not publish it."""
    scaling: float = 1.0
    """0..1."""

    @property
    def missing(self) -> list[str]:
        """Topics that have not been received; no move starts without them."""
        values = {'robot_mode': self.mode, 'safety_mode': self.safety, 'robot_program_running': self.running}
        values['io_states'] = self.outputs
        return [f'io_and_status_controller/{topic}' for topic, value in values.items() if value is None]

    @property
    def empty(self) -> bool:
        """Whether no topic has been received."""
        return self.mode is None and self.safety is None and self.running is None and self.outputs is None

    def package(
        self, timestamp: float, names: Sequence[str], positions: Sequence[float], speeds: Sequence[float]
    ) -> dict[str, RtdeValue] | None:
        """Return the data package that a joint state completes, None while a value is missing.

        Args:
            timestamp: Seconds.
            names: Joint names, in any order.
            positions: Joint angles, radians.
            speeds: Joint speeds, rad/s; empty where the driver reports none.
        """
        if self.mode is None or self.safety is None or self.running is None or self.inputs is None or self.outputs is None:
            return None
        # A joint state of another device on the same topic, or of a part of the arm.
        if not set(JOINTS) <= set(names) or len(positions) != len(names):
            return None
        # Drivers publish joints in alphabetical order; the kinematics count from base to wrist.
        order = [list(names).index(name) for name in JOINTS]
        joints = tuple(float(positions[index]) for index in order)
        moving = tuple(float(speeds[index]) for index in order) if len(speeds) == len(names) else (0.0,) * len(JOINTS)
        return {
            'timestamp': timestamp,
            'actual_q': joints,
            'actual_qd': moving,
            'actual_TCP_pose': matrix_to_pose(self.cell.tcp(joints)),
            'robot_mode': self.mode,
            'safety_mode': self.safety,
            'runtime_state': RuntimeState.PLAYING if self.running else RuntimeState.STOPPED,
            'speed_scaling': self.scaling,
            'actual_digital_input_bits': self.inputs,
            'actual_digital_output_bits': self.outputs,
            **{name: self.analog[pin] for pin, name in enumerate(ANALOG_NAMES) if pin in self.analog},
        }
