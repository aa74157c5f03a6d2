"""Order of readings and commands, decided by the monotonic clock.

UTC may be set by an operator or by NTP, so it cannot decide which job a reading belongs to. Readings and job boundaries
therefore also carry the machine's monotonic clock and the id of the boot. The two are compared when both come from one boot.
Otherwise the reading is later: a command runs only after every reading that is in the journal has been processed.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from cell_weighing.domain.reading import WeightReading


class MonotonicStamp(NamedTuple):
    """A moment on a machine's monotonic clock.

    Attributes:
        boot_id: The boot that the number belongs to; "" = none, see `ALWAYS_BEFORE`.
        monotonic_ns: Nanoseconds since that boot. Numbers of different boots cannot be compared.
    """

    boot_id: str
    monotonic_ns: int


ALWAYS_BEFORE = MonotonicStamp('', 0)
"""A stamp that lies before every reading that is processed from now on."""


class JobBoundary(NamedTuple):
    """Moment at which a job was started, ended or reopened.

    Attributes:
        utc_ns: UTC nanoseconds since 1970; for display, and for rows of older releases.
        stamp: The same moment on the monotonic clock; None in rows of older releases, which can be
            compared by UTC only.
    """

    utc_ns: int
    stamp: MonotonicStamp | None = None

    def is_at_or_before(self, reading: WeightReading) -> bool:
        """Whether a reading that is processed now was taken at this boundary or after it.

        Args:
            reading: Reading of the journal. One of another boot counts as later, because commands
                are executed only after the journal has been read to its end.
        """
        if self.stamp is None:
            return reading.received_ns >= self.utc_ns
        boot_id, monotonic_ns = self.stamp
        return not boot_id or reading.boot_id != boot_id or reading.monotonic_ns >= monotonic_ns


def merge_by_time(pages: Sequence[Sequence[WeightReading]], size: int) -> list[WeightReading]:
    """Merge pages of several scales by the time of weighing, as far as the order is certain.

    Readings of one scale keep the order of their sequence numbers, even when the clock was set back
    between them.

    Args:
        pages: Readings of one scale each, in order of sequence number.
        size: Length of a full page: more readings of that scale may follow.

    Returns:
        Readings up to the earliest end of a full page. Later ones stay for the next call: a reading
        that is not loaded yet could lie before them.
    """
    boots = {reading.boot_id for page in pages for reading in page}
    one_boot = len(boots) == 1 and '' not in boots
    keyed = [
        # The running maximum makes the key of each page monotonic: a clock that was set back cannot
        # reverse two readings of one scale.
        list(zip(accumulate((r.monotonic_ns if one_boot else r.received_ns for r in page), max), page, strict=True))
        for page in pages
    ]
    # A page shorter than `size` is the whole rest of its scale and limits nothing.
    full = [page[-1][0] for page in keyed if len(page) == size]
    certain = min(full) if full else None
    merged = [(key, reading) for page in keyed for key, reading in page if certain is None or key <= certain]
    return [reading for _, reading in sorted(merged, key=lambda pair: (pair[0], pair[1].scale_id, pair[1].sequence))]
