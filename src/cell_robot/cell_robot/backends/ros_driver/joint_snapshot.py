"""What the driver's topics say together: one data package, as the controller itself would send it. No ROS, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cell_robot.motion.kinematics import JOINTS, JointVector
from cell_robot.motion.path_check import Cell
from cell_robot.motion.poses import pose
from cell_robot.protocols.rtde.codec import Value
from cell_robot.protocols.rtde.view import PLAYING, STOPPED

NEEDED = {
    'io_and_status_controller/robot_mode': 'mode',
    'io_and_status_controller/safety_mode': 'safety',
    'io_and_status_controller/robot_program_running': 'running',
    'io_and_status_controller/io_states': 'outputs',
}
"""Topic -> what it brings; without it no move is begun."""


@dataclass
class Picture:
    """The newest of each topic; None = nothing has come."""

    cell: Cell
    mode: int | None = None
    safety: int | None = None
    running: bool | None = None
    inputs: int | None = None
    outputs: int | None = None
    scaling: float = 1.0
    """0..1."""
    _joints: JointVector = field(default=(), repr=False)

    @property
    def missing(self) -> str:
        """Topics that have not come; "" when all have."""
        return ', '.join(topic for topic, name in NEEDED.items() if getattr(self, name) is None)

    def package(
        self, stamp: float, names: Sequence[str], positions: Sequence[float], speeds: Sequence[float]
    ) -> dict[str, Value] | None:
        """Return the data package that joint states complete, None when something is missing; joints may come in any order."""
        if self.missing or not set(JOINTS) <= set(names) or len(positions) != len(names):
            return None
        order = [list(names).index(name) for name in JOINTS]
        joints = tuple(float(positions[index]) for index in order)
        moving = tuple(float(speeds[index]) for index in order) if len(speeds) == len(names) else (0.0,) * len(JOINTS)
        assert self.mode is not None and self.safety is not None
        assert self.inputs is not None and self.outputs is not None
        return {
            'timestamp': stamp,
            'actual_q': joints,
            'actual_qd': moving,
            'actual_TCP_pose': pose(self.cell.tcp(joints)),
            'robot_mode': self.mode,
            'safety_mode': self.safety,
            'runtime_state': PLAYING if self.running else STOPPED,
            'speed_scaling': self.scaling,
            'actual_digital_input_bits': self.inputs,
            'actual_digital_output_bits': self.outputs,
        }
