"""Records the cell into bags that can be replayed, and cuts a clip around each reject, alarm and stop.

- `selection` and `limits` are the pure rules: which topics, when a new bag begins, when the disk is too full.
- `clips` keeps the last seconds in memory and says which clips are due, pure as well.
- `snapshot_collector` asks the nodes for the state that no topic carries.
- `node` connects them to ROS.
"""

__all__ = ['node', 'selection']
