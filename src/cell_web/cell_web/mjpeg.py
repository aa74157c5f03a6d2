"""Writer of motion JPEG over HTTP (multipart/x-mixed-replace).

Browsers show such a stream in an <img> element without any script. X-Timestamp and X-Age are
additions for programs; browsers ignore them.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

BOUNDARY = 'frame'
CONTENT_TYPE = f'multipart/x-mixed-replace; boundary={BOUNDARY}'


def part(jpeg: bytes, stamp_ns: int, age_ns: int) -> bytes:
    """Return one multipart part with its headers.

    Args:
        jpeg: Encoded image.
        stamp_ns: Capture time, ROS time in nanoseconds.
        age_ns: Age of the frame at sending, nanoseconds; negative values are written as 0.
    """
    head = (
        f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n'
        f'X-Timestamp: {stamp_ns / 1e9:.6f}\r\nX-Age: {max(age_ns, 0) / 1e9:.3f}\r\n\r\n'
    )
    return head.encode('ascii') + jpeg + b'\r\n'
