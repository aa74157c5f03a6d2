"""Motion JPEG over HTTP (multipart/x-mixed-replace), the writing side. Pure."""

from __future__ import annotations

BOUNDARY = 'frame'
CONTENT_TYPE = f'multipart/x-mixed-replace; boundary={BOUNDARY}'


def part(jpeg: bytes, stamp_ns: int, age_ns: int) -> bytes:
    """Return one part with its headers.

    Args:
        jpeg: The encoded image.
        stamp_ns: When the frame was taken, ROS time in nanoseconds.
        age_ns: How old it was when it was sent, nanoseconds; less than 0 is written as 0.
    """
    head = (
        f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n'
        f'X-Timestamp: {stamp_ns / 1e9:.6f}\r\nX-Age: {max(age_ns, 0) / 1e9:.3f}\r\n\r\n'
    )
    return head.encode('ascii') + jpeg + b'\r\n'
