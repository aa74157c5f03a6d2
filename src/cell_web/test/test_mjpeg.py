from __future__ import annotations

from cell_web import mjpeg


def test_a_part_has_length_time_and_age() -> None:
    part = mjpeg.part(b'JPEG', 12_345_678_000, 250_000_000)
    head, body = part.split(b'\r\n\r\n')
    assert body == b'JPEG\r\n'
    assert head.split(b'\r\n') == [
        b'--frame',
        b'Content-Type: image/jpeg',
        b'Content-Length: 4',
        b'X-Timestamp: 12.345678',
        b'X-Age: 0.250',
    ]
