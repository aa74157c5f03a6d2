"""Parameters of node replay."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

__all__ = ['ReplayParameters']


@dataclass(frozen=True)
class ReplayParameters:
    """Which recording is played, and how."""

    bag: str = parameter('', 'Folder of the recording, or one of its files.')
    rate: float = parameter(1.0, 'Speed of the replay; 1 = as recorded.', minimum=0.01, maximum=1000.0)
    start: float = parameter(
        0.0, 'Time of the recording that is not shown; it is decided, so that the state is right.', unit='s', minimum=0.0
    )
    loop: bool = parameter(False, 'Begin again at the end, with the state of the start.')
    state_dir: str = parameter('', 'Folder of the database and the decisions; empty = a temporary folder.')
    keep: bool = parameter(False, 'Keep that folder after the end.')
    catalogue_file: str = parameter('', 'Decide with this catalogue; empty = the recorded one.')
    engine: str = parameter(
        '', 'Read with this OCR engine; empty = the recorded one.', choices=('', 'ppocr', 'rapidocr', 'paddleocr')
    )
    exit_at_end: bool = parameter(False, 'End the node when the recording has ended.')
