"""Files of rosbag2: MCAP or sqlite3, one folder for each bag.

- `reader` opens a bag, also a damaged one, and yields its messages by name and time.
- `types` decodes a message by the definitions in its bag, so that a bag outlives a change of the messages.
- `clip_pictures` yields the camera pictures of a clip.
- `definitions` returns the definitions that are installed here, for new bags.
- `snapshot` is the state of the cell at the start of a bag.
- `writer` writes one bag.
- `repair` makes an MCAP file readable whose end is missing.
"""

__all__ = ['clip_pictures', 'definitions', 'reader', 'repair', 'snapshot', 'types', 'writer']
