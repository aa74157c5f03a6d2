from cell_web.socketio_gateway.overlays import OverlayCache


def test_the_picture_of_a_frame_is_the_latest_of_its_time():
    cache = OverlayCache()
    cache.add(1, b'read')
    cache.add(1, b'judged')
    assert cache.of(1) == cache.newest() == b'judged'


def test_a_missing_picture_is_empty():
    assert OverlayCache().of(1) == OverlayCache().newest() == b''


def test_the_oldest_picture_is_dropped():
    cache = OverlayCache(capacity=2)
    for stamp in (1, 2, 3):
        cache.add(stamp, b'%d' % stamp)
    assert cache.of(1) == b'' and cache.of(2) == b'2' and cache.newest() == b'3'
