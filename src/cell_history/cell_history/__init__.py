"""Recordings of the cell and what is done with them later, and questions about what the nodes have stored.

- `bags` reads and writes rosbag2 files: their types, the state of the cell at their start, files that end in the middle.
- `recorder` writes them.
- `queries` answers questions about jobs, pieces, bags, alarms, commands and stock.
- `replay` decides again what was decided during a recording, and compares the two.

Nothing here writes the data of the live cell.
"""

__all__ = ['bags', 'queries', 'recorder', 'replay', 'testing']
