"""What was first, a reading or a command? Decided without the time of day, which people and NTP may set. No clock.

Readings and commands are stamped with the machine's monotonic clock beside the UTC that people see. A reading that was not yet
worked through when a command was carried out is compared with it by that clock when both come from one boot of one machine.
Otherwise it came later: a command is carried out only after everything that stands in the journal has been worked through.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from cell_weighing.domain.reading import Reading


class Moment(NamedTuple):
    """A moment on a machine's monotonic clock."""

    boot_id: str
    """The boot within which the number means something; "" = it means nothing, see `PASSED`."""
    monotonic_ns: int


PASSED = Moment('', 0)
"""A moment that whatever is worked through from now on comes after."""


class Edge(NamedTuple):
    """When a job was started, ended or made active again."""

    utc_ns: int
    moment: Moment | None = None
    """None in rows of older releases: they can be compared by UTC only."""

    def passed(self, reading: Reading) -> bool:
        """Whether a reading that is worked through now was taken at this edge or after it."""
        if self.moment is None:
            return reading.received_ns >= self.utc_ns
        boot_id, monotonic_ns = self.moment
        return not boot_id or reading.boot_id != boot_id or reading.monotonic_ns >= monotonic_ns


def oldest_first(pages: Sequence[Sequence[Reading]], size: int) -> list[Reading]:
    """Merge pages of several scales in the order in which they were taken, as far as that is certain.

    A scale's own readings always stay in the order of their numbers, whatever the clock has done between them.

    Args:
        pages: Readings of one scale each, in order of their numbers.
        size: Length of a page that has more behind it.
    """
    boots = {reading.boot_id for page in pages for reading in page}
    steady = len(boots) == 1 and '' not in boots
    keyed = [
        list(zip(accumulate((r.monotonic_ns if steady else r.received_ns for r in page), max), page, strict=True))
        for page in pages
    ]
    full = [page[-1][0] for page in keyed if len(page) == size]
    certain = min(full) if full else None
    merged = [(key, reading) for page in keyed for key, reading in page if certain is None or key <= certain]
    return [reading for _, reading in sorted(merged, key=lambda pair: (pair[0], pair[1].scale_id, pair[1].sequence))]
