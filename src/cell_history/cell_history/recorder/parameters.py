"""Parameters of node recorder."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_history.recorder.selection import CHOICES

__all__ = ['RecorderParameters']


@dataclass(frozen=True)
class RecorderParameters:
    """What is recorded, where, and how much of it is kept."""

    folder: str = parameter('recordings', 'Folder of the bags and clips.')
    what: str = parameter('decisions', 'Topics: decisions; vision = with the pictures; everything.', choices=CHOICES)
    split_size: int = parameter(1000, 'A bag of this size is ended; a new one begins.', unit='MB', minimum=1, maximum=1_000_000)
    split_time: float = parameter(1800.0, 'The same for its duration.', unit='s', minimum=1.0, maximum=604_800.0)
    total_size: int = parameter(
        20_000, 'The oldest bags are deleted beyond this size; 0 = never.', unit='MB', minimum=0, maximum=100_000_000
    )
    least_free: int = parameter(
        2000, 'With less free space nothing is recorded, and an alarm says so.', unit='MB', minimum=0, maximum=1_000_000
    )
    clips: bool = parameter(True, 'Cut a clip with pictures around each reject, alarm and stop.')
    clip_before: float = parameter(10.0, 'Time of a clip before its cause.', unit='s', minimum=0.0, maximum=60.0)
    clip_after: float = parameter(5.0, 'Time of a clip after its cause.', unit='s', minimum=0.0, maximum=60.0)
    clip_memory: int = parameter(200, 'Memory for the last seconds.', unit='MB', minimum=1, maximum=10_000)
    catalogue_file: str = parameter('', 'Catalogue of the cell, whose text goes into each bag.')
    background_file: str = parameter('', 'Learned empty view of node ocr (PNG), which goes into each bag; empty = none.')
