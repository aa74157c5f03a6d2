"""The snapshot of a bag's start survives its text; a foreign text is refused."""

from __future__ import annotations

import pytest
from cell_history.bags.snapshot import Snapshot, SnapshotError, StoredBenchmark, from_json, to_json

SNAPSHOT = Snapshot(
    made_ns=1_700_000_000_000_000_001,
    namespace='cell',
    catalogue='parts: []',
    parameters={'ocr': {'frames': 3, 'codes': ['QRCode']}},
    benchmarks=(StoredBenchmark('A-1', 2, ('A-1', '24V'), 3),),
    empty_view=b'\x89PNG',
    versions={'cell': '1.0'},
    missing=('no answer of part_matcher',),
)


def test_a_snapshot_survives():
    assert from_json(to_json(SNAPSHOT)) == SNAPSHOT


@pytest.mark.parametrize('text', ['', '{}', '[]', 'null', '{"format": 1}', '{"format": "x", "made_ns": 1, "namespace": ""}'])
def test_a_text_that_is_none_is_refused(text: str):
    with pytest.raises(SnapshotError):
        from_json(text)


def test_the_snapshot_of_a_newer_release_asks_for_it():
    with pytest.raises(SnapshotError, match='newer'):
        from_json(to_json(SNAPSHOT).replace('"format": 1', '"format": 99'))
