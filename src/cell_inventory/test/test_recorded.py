"""A replay books with the counts of the recording's start, and its entries have the recorded numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cell_common.catalogue import Catalogue, Part, Tray
from cell_inventory.recorded import RecordedStock

from cell_interfaces import msg, srv

CATALOGUE = Catalogue({'A-1': Part('A-1', 'A', tuple(Tray(n, 10, 20, 2) for n in (1, 2)))})
TRAYS = [msg.TrayStock(tray=1, count=4), msg.TrayStock(tray=2, count=0)]
START = msg.Inventory(sequence=500, parts=[msg.PartStock(part_number='A-1', trays=TRAYS)])
PLACED = srv.BookPiece.Request.PLACED


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[RecordedStock]:
    recorded = RecordedStock(f'sqlite:///{tmp_path}/replay.db', CATALOGUE, START)
    yield recorded
    recorded.close()


def piece(number: int, tray: int = 1) -> srv.BookPiece.Request:
    return srv.BookPiece.Request(job_id='j', piece=number, part_number='A-1', tray=tray, outcome=PLACED)


def test_a_piece_is_booked_from_the_recorded_count_under_the_recorded_number(stock: RecordedStock):
    (event,) = stock.ask('inventory/book', piece(1), 1).events
    assert (event.sequence, event.count_after, event.piece) == (501, 3, 1)
    assert stock.ask('inventory/book', piece(1), 2).events == ()
    inventory = stock.message(3)
    assert inventory.sequence == 501 and [tray.count for tray in inventory.parts[0].trays] == [3, 0]


def test_an_entry_of_the_recording_is_undone_by_its_number(stock: RecordedStock):
    reload = srv.AdjustStock.Request(part_number='A-1', tray=2, count=20)
    (event,) = stock.ask('inventory/reload', reload, 1).events
    (undone,) = stock.ask('inventory/undo', srv.UndoStock.Request(sequence=event.sequence, reason='wrong'), 2).events
    assert (undone.undoes, undone.count_after) == (501, 0)


def test_an_entry_of_before_the_recording_cannot_be_undone(stock: RecordedStock):
    refused = stock.ask('inventory/undo', srv.UndoStock.Request(sequence=17, reason='wrong'), 1)
    assert refused.code == msg.ResultCode.NOTHING_TO_UNDO and 'older than the recording' in refused.message


def test_a_refused_request_books_nothing(stock: RecordedStock):
    refused = stock.ask('inventory/adjust', srv.AdjustStock.Request(part_number='B-2', tray=1, count=1, reason='x'), 1)
    assert refused.code == msg.ResultCode.UNKNOWN_PART and not refused.events and stock.message(2).sequence == 500
