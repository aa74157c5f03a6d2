"""JPEGs judged by their markers."""

from __future__ import annotations

from cell_vision.camera.jpeg import is_complete, size_of


def test_size_and_completeness_of_a_jpeg_are_found_without_decoding(compress, draw):
    data = compress(draw('A', size=(640, 480)))
    assert size_of(data) == (640, 480) and is_complete(data)
    assert size_of(b'\x89PNG') is None and not is_complete(data[:-10])
