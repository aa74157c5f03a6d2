"""Parameters of node `coordinator`."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

SUBSYSTEMS = ['camera', 'ocr', 'part_matcher', 'robot', 'inventory', 'scale_bridge', 'weigh_station', 'alarms', 'web_gateway']
NEEDED = ['camera', 'ocr', 'part_matcher', 'robot', 'inventory']


@dataclass(frozen=True)
class CoordinatorParameters:
    """Settings of a deployment; times are in seconds.

    The timeouts depend on each other: `read_timeout` and `call_timeout` are single calls within `retry_time`, and
    `trigger_timeout` must exceed the slowest motion of the robot.
    """

    database_url: str = parameter('sqlite:///cell.db', 'Database of jobs, history and audit, as an SQLAlchemy URL.')
    read_attempts: int = parameter(
        3,
        'Readings of one piece before it is put into the reject tray; from the second on they are careful.',
        minimum=1,
        maximum=20,
    )
    benchmark_frames: int = parameter(
        5, 'Frames to read a benchmark from when the first frame is not certain.', minimum=1, maximum=20
    )
    max_consecutive_rejects: int = parameter(3, 'Rejected pieces in a row that pause the job.', minimum=1, maximum=100)
    tray_choice: str = parameter(
        'first',
        'Which tray the next piece comes from: first = the lowest number, one tray after the other; fullest; '
        'round_robin = in turn.',
        choices=('first', 'fullest', 'round_robin'),
    )
    settle_time: float = parameter(
        0.2,
        'Time a piece may swing after the robot reported that it is presented; earlier frames are ignored.',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )
    read_timeout: float = parameter(5.0, 'Timeout of one reading.', unit='s', minimum=0.5, maximum=60.0)
    call_timeout: float = parameter(3.0, 'Timeout of one call to matcher or inventory.', unit='s', minimum=0.2, maximum=60.0)
    retry_time: float = parameter(
        20.0,
        'How long a failing reading, match or booking is retried before the job pauses, and how long a '
        'locked database is waited for. Longer than a node needs to restart.',
        unit='s',
        minimum=0.5,
        maximum=600.0,
    )
    accept_timeout: float = parameter(
        5.0, 'Timeout for the robot node to accept a trigger.', unit='s', minimum=0.5, maximum=60.0
    )
    trigger_timeout: float = parameter(
        90.0,
        "Time after which the outcome of a trigger is unknown; longer than the robot node's own timeouts.",
        unit='s',
        minimum=1.0,
        maximum=3600.0,
    )
    stale_after: float = parameter(
        3.0, 'A subsystem without a report for this long is stale.', unit='s', minimum=1.0, maximum=60.0
    )
    subsystems: list[str] = parameter(SUBSYSTEMS, 'Nodes shown on topic status, in this order.')
    needed_subsystems: list[str] = parameter(NEEDED, 'Nodes that must be OK or WARN before a job may start.')
