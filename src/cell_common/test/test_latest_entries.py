"""Mapping of the entries that were set last."""

import pytest
from cell_common.latest_entries import LatestEntries


def test_the_oldest_entry_makes_room():
    entries = LatestEntries[str, int](2)
    for number, key in enumerate('abc'):
        entries[key] = number
    assert dict(entries) == {'b': 1, 'c': 2}


def test_an_entry_that_is_set_again_is_the_newest():
    entries = LatestEntries[str, int](2)
    entries['a'], entries['b'] = 1, 2
    entries['a'] = 3
    entries['c'] = 4
    assert dict(entries) == {'a': 3, 'c': 4}


def test_reading_an_entry_keeps_it_no_longer():
    entries = LatestEntries[str, int](2)
    entries['a'], entries['b'] = 1, 2
    assert entries.get('a') == 1
    entries['c'] = 3
    assert 'a' not in entries


def test_a_capacity_below_one_is_refused():
    with pytest.raises(ValueError, match='at least 1'):
        LatestEntries[str, int](0)
