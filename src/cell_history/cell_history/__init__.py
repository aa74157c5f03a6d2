"""Recordings of the cell, and what is done with them later.

- `bags` reads and writes rosbag2 files: their types, the state of the cell at their start, files that end in the middle.
- `recorder` writes them.
- `replay` decides again what was decided during a recording, and compares the two.

Nothing here writes the data of the live cell.
"""

__all__ = ['bags', 'recorder', 'replay']
