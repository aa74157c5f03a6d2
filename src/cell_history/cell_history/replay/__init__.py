"""Decides again what was decided during a recording, and compares.

- `decisions` and `differences` are the pure values.
- `asked` is one request of a recording.
- `recording` reads what a bag holds: the state at its start, the requests, the decisions of that time.
- `decide_again` decides, in this process, as fast as it can.
- `node` plays a bag to a page and to the tools of ROS, and decides at the recorded moments.
"""

__all__ = ['decide_again', 'decisions', 'differences', 'node', 'recorded_request', 'recording']
