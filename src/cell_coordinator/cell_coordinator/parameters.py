"""Parameters of node `coordinator`."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

SUBSYSTEMS = ['camera', 'ocr', 'part_matcher', 'robot', 'inventory', 'scale_bridge', 'weigh_station', 'alarms', 'web_gateway']
NEEDED = ['camera', 'ocr', 'part_matcher', 'robot', 'inventory']


@dataclass(frozen=True)
class CoordinatorParameters:
    """What a deployment may choose."""

    database_url: str = parameter('sqlite:///cell.db', 'Where jobs, history and audit are kept, as an SQLAlchemy URL.')
    read_attempts: int = parameter(3, 'Readings of one piece before it goes into the reject tray.', minimum=1, maximum=20)
    benchmark_frames: int = parameter(
        5, 'Frames that a benchmark is read from when the first is not certain.', minimum=1, maximum=20
    )
    max_consecutive_rejects: int = parameter(3, 'Rejected pieces in a row after which the job pauses.', minimum=1, maximum=100)
    settle_time: float = parameter(
        0.2, 'How long a piece may still swing after the robot said that it is shown.', unit='s', minimum=0.0, maximum=10.0
    )
    read_timeout: float = parameter(5.0, 'How long one reading may take.', unit='s', minimum=0.5, maximum=60.0)
    call_timeout: float = parameter(
        3.0, 'How long matcher and inventory may take to answer.', unit='s', minimum=0.2, maximum=60.0
    )
    retry_time: float = parameter(
        20.0,
        'How long a reading, a verdict or a booking is tried again before the job pauses; '
        'longer than a node needs to come back.',
        unit='s',
        minimum=0.5,
        maximum=600.0,
    )
    accept_timeout: float = parameter(
        5.0, 'How long the robot node may take to take a trigger on.', unit='s', minimum=0.5, maximum=60.0
    )
    trigger_timeout: float = parameter(
        90.0,
        "How long a trigger may take until its outcome counts as unknown; longer than the robot node's own deadlines.",
        unit='s',
        minimum=1.0,
        maximum=3600.0,
    )
    stale_after: float = parameter(3.0, 'Silence after which a subsystem counts as stale.', unit='s', minimum=1.0, maximum=60.0)
    subsystems: list[str] = parameter(SUBSYSTEMS, 'Nodes shown on status, in this order.')
    needed_subsystems: list[str] = parameter(NEEDED, 'Nodes that must be OK or WARN before a job may start.')
