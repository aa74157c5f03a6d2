import time

import pytest
from cell_common.ids import new_id
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.station.retention import DAY_NS, JournalPruner
from cell_weighing.station.store import WeighStore
from cell_weighing.storage.journal_reader import last_sequences
from cell_weighing.storage.tables import WeightReadingRow
from sqlalchemy import select
from sqlalchemy.orm import Session

NOW = 1_790_000_000 * 10**9


def reading(days_old, weight='0.0'):
    at = NOW - int(days_old * DAY_NS)
    return WeightReading(new_id(), '1', 0, at, at, b'raw', ReadingStatus.VALID, weight, 'kg')


@pytest.fixture
def journalled(engine):
    def write(*readings):
        writer = JournalWriter(engine, lambda _: None, lambda _: None)
        writer.append(readings)
        assert writer.close() == 0

    return write


@pytest.fixture
def worked_through(engine):
    return lambda: WeighStore(engine, StationMap({'1': 'A'}), time.time_ns, deliver=True).catch_up()


def numbers(engine):
    with Session(engine) as session:
        return list(session.scalars(select(WeightReadingRow.sequence).order_by(WeightReadingRow.sequence)))


def test_old_lines_without_a_bag_go_and_all_others_stay(engine, journalled, worked_through):
    journalled(reading(40), reading(39, '1.10'), reading(31), reading(29), reading(1))
    worked_through()
    assert JournalPruner(engine, 30).prune(NOW) == 2
    assert numbers(engine) == [2, 4, 5]


def test_a_line_that_was_not_worked_through_stays_however_old(engine, journalled, worked_through):
    journalled(reading(400), reading(399))
    assert JournalPruner(engine, 30).prune(NOW) == 0
    worked_through()
    assert JournalPruner(engine, 30).prune(NOW) == 1


def test_a_scale_keeps_its_last_line_so_that_its_sequence_continues(engine, journalled, worked_through):
    journalled(*(reading(100) for _ in range(5)))
    worked_through()
    JournalPruner(engine, 1).prune(NOW)
    with engine.connect() as connection:
        assert last_sequences(connection) == {'1': 5}
    journalled(reading(0))
    assert numbers(engine) == [5, 6]


def test_many_lines_go_page_by_page_and_zero_days_keep_all(engine, journalled, worked_through, monkeypatch):
    monkeypatch.setattr('cell_weighing.station.retention.PAGE', 10)
    journalled(*(reading(100, '1.1' if n % 4 == 0 else '0.0') for n in range(41)))
    worked_through()
    assert JournalPruner(engine, 0).prune(NOW) == 0
    pruner, removed = JournalPruner(engine, 30), []
    for _ in range(6):
        removed.append(pruner.prune(NOW))
    assert sum(removed) == 30 and max(removed) < 10 and removed[-1] == 0
    assert len(numbers(engine)) == 11
