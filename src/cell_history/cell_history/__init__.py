"""Recordings of the cell, and what is done with them later.

- `bags` reads and writes rosbag2 files: their types, the state of the cell at their start, files that end in the middle.
- `replay` decides again what was decided during a recording, and compares the two.

Nothing here reads or writes the data of the live cell.
"""

__all__ = ['bags', 'replay']
