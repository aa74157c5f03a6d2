"""Base of codecs whose records are lines.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_weighing.bridge.framing import Framer, LineFramer


class LineCodec:
    """Records end with CR, LF or ETX; the indicator sends without commands."""

    poll_command = b''

    def make_framer(self, max_bytes: int) -> Framer:
        """Return a framer of lines; see `Codec`."""
        return LineFramer(max_bytes)
