from cell_web.socketio_gateway.overlays import OverlayCache


def test_the_picture_of_a_frame_is_the_latest_of_its_time():
    cache = OverlayCache()
    cache.add(1, b'read')
    cache.add(1, b'judged')
    assert cache.of(1) == cache.newest(1) == b'judged'


def test_a_missing_picture_is_empty():
    assert OverlayCache().of(1) == OverlayCache().newest(1) == b''


def test_the_oldest_picture_is_dropped():
    cache = OverlayCache(capacity=2)
    for stamp in (1, 2, 3):
        cache.add(stamp, b'%d' % stamp)
    assert cache.of(1) == b'' and cache.of(2) == b'2' and cache.newest(9) == b'3'


def test_a_picture_of_a_later_frame_is_not_the_newest_of_a_time():
    cache = OverlayCache()
    cache.add(5, b'later')
    cache.add(3, b'before')
    assert cache.newest(4) == b'before' and cache.newest(2) == b''
