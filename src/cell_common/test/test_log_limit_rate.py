"""Rate limit of log messages."""

from __future__ import annotations

from cell_common.log_limit import MAX_KINDS, LogRateLimiter


def test_repeated_messages_are_suppressed_and_counted():
    limiter = LogRateLimiter(1, 60.0)
    suffixes = [limiter.allow('garbage', now) for now in (0.0, 1.0, 2.0, 59.0)]
    assert suffixes == ['', None, None, None]
    assert limiter.allow('other', 3.0) == ''
    assert limiter.allow('garbage', 60.0) == ' (and 3 more like it)'


def test_the_number_of_remembered_kinds_is_bounded():
    limiter = LogRateLimiter(1, 60.0)
    for number in range(10_000):
        limiter.allow(str(number), 0.0)
    assert limiter.allow(str(9_999 - MAX_KINDS), 0.0) == '', 'forgotten'
    assert limiter.allow('9999', 0.0) is None
