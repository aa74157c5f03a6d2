"""Multipart streams in any pieces, and damaged ones."""

from __future__ import annotations

import pytest
from cell_vision.camera.mjpeg import MultipartError, MultipartReader, boundary_of


def part(body, length=None, boundary=b'--b'):
    head = b'' if length is None else b'Content-Length: %d\r\n' % length
    return boundary + b'\r\nContent-Type: image/jpeg\r\n' + head + b'\r\n' + body + b'\r\n'


PICTURE = b'\xff\xd8' + bytes(range(200)) + b'\xff\xd9'


@pytest.mark.parametrize('chunk', [1, 7, 10_000])
@pytest.mark.parametrize('stated', [True, False])
def test_pictures_come_out_whole_however_the_bytes_are_cut(chunk, stated):
    stream = b'preamble\r\n' + part(PICTURE, len(PICTURE) if stated else None) * 3 + b'--b'
    reader = MultipartReader(b'--b')
    pictures = [p for i in range(0, len(stream), chunk) for p in reader.feed(stream[i : i + chunk])]
    assert [frame.jpeg for frame in pictures] == [PICTURE] * 3 and reader.damaged == 0


@pytest.mark.parametrize(
    'damage', [part(PICTURE[:50], len(PICTURE)), part(PICTURE[:50]), part(b'no picture'), b'\x00garbage' * 30]
)
def test_damage_costs_that_picture_only(damage):
    reader = MultipartReader(b'--b')
    pictures = reader.feed(part(PICTURE, len(PICTURE)) + damage + part(PICTURE, len(PICTURE)) * 2 + b'--b')
    assert len(pictures) >= 2 and {frame.jpeg for frame in pictures} == {PICTURE}


def test_a_stream_without_end_is_refused():
    reader = MultipartReader(b'--b')
    reader.feed(b'--b\r\n\r\n\xff\xd8')
    with pytest.raises(MultipartError):
        for _ in range(40):
            reader.feed(bytes(1_000_000))


@pytest.mark.parametrize(
    'kind, boundary',
    [('multipart/x-mixed-replace; boundary=frame', b'--frame'), ('multipart/x-mixed-replace;boundary="--frame"', b'--frame')],
)
def test_the_boundary_is_found(kind, boundary):
    assert boundary_of(kind) == boundary


@pytest.mark.parametrize('kind', ['text/html', '', 'multipart/x-mixed-replace'])
def test_a_page_is_no_stream(kind):
    with pytest.raises(MultipartError):
        boundary_of(kind)


def test_the_cameras_own_time_of_each_picture_is_kept():
    stream = b''.join(
        part(PICTURE, len(PICTURE)).replace(b'image/jpeg', b'image/jpeg\r\nX-Timestamp: ' + stamp)
        for stamp in (b'7.000001', b'7.100000', b'soon')
    )
    assert [frame.taken for frame in MultipartReader(b'--b').feed(stream)] == [7.000001, 7.1, None]
