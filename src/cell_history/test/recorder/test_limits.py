"""When a bag ends, when the disk is too full, and which bags are deleted."""

from __future__ import annotations

import pytest
from cell_history.recorder.limits import Limits, StoredBag

LIMITS = Limits(split_size=100, split_s=60.0, total_size=250, least_free=1000)


@pytest.mark.parametrize(('size', 'age', 'splits'), [(99, 59.0, False), (100, 0.0, True), (0, 60.0, True)])
def test_a_bag_ends_by_size_or_age(size: int, age: float, splits: bool):
    assert LIMITS.splits(size, age) is splits


def test_recording_ends_below_the_limit_and_begins_again_with_some_room():
    assert LIMITS.has_room(1000, recording=True) and not LIMITS.has_room(999, recording=True)
    assert not LIMITS.has_room(1050, recording=False) and LIMITS.has_room(1100, recording=False)


def test_the_oldest_bags_go_first_and_the_newest_stays_whatever_its_size():
    bags = [StoredBag(name, 100) for name in ('c', 'a', 'd', 'b')]
    assert sorted(LIMITS.to_delete(bags)) == ['a', 'b']
    assert LIMITS.to_delete([StoredBag('a', 999)]) == []
    assert Limits(1, 1.0, 0, 0).to_delete(bags) == []
