import pytest
from cell_common.catalogue import Catalogue
from cell_common.database import migrate, open_database
from cell_common.testing import migrated_database
from cell_inventory.ledger import Ledger, UndoCommand
from cell_inventory.rules import BookingRejected, EntryKind, NewEntry, TrayCount
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cell_interfaces.msg import ResultCode
from cell_inventory import rules

PART = 'EM1-2U1'


@pytest.fixture
def engine(database_url):
    engine = migrated_database(database_url, 'cell_inventory')
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine, catalogue):
    ledger = Ledger(engine, catalogue)
    ledger.load_initial(1, 'inventory')
    return ledger


def adjust(ledger, tray, count):
    return ledger.post(lambda stock: rules.adjust(stock, TrayCount(PART, tray, count, 'counted')), 'ann', 2)


def piece(number, kind=EntryKind.PLACE, tray=1):
    return NewEntry(kind, PART, tray, -1, 'inventory', '', 'job', number)


def counts(ledger):
    return [ledger.stock.count(PART, tray) for tray in (1, 2, 3, 4)]


def test_the_counts_survive_a_restart(ledger, engine, catalogue):
    adjust(ledger, 2, 9)
    again = Ledger(engine, catalogue)
    assert counts(again) == [3, 9, 0, 0]
    assert again.sequence == ledger.sequence == 9
    assert again.load_initial(3, 'inventory') == []


def test_parts_taken_off_the_catalogue_stay_and_come_back(ledger, engine, catalogue):
    adjust(ledger, 1, 7)
    fewer = Ledger(engine, Catalogue({'G8NB-17SR': catalogue.parts['G8NB-17SR']}))
    assert fewer.load_initial(3, 'x') == [] and fewer.stock.count(PART, 1) == 7
    assert Ledger(engine, catalogue).load_initial(4, 'x') == []


def test_the_same_piece_is_booked_once(ledger, engine, catalogue):
    assert len(ledger.book(piece(1), 5)) == 1
    assert ledger.book(piece(1), 6) == []
    assert Ledger(engine, catalogue).book(piece(1), 7) == []
    assert counts(ledger) == [2, 2, 0, 0]


def test_the_database_itself_refuses_a_second_booking(ledger, engine, catalogue):
    stale = Ledger(engine, catalogue)
    ledger.book(piece(1), 5)
    with pytest.raises(BookingRejected) as caught:
        stale.post(lambda _: [piece(1)], 'x', 6)
    assert caught.value.code == ResultCode.STORAGE_FAILED
    assert counts(stale) == [2, 2, 0, 0]


def test_undo_without_a_number_undoes_the_operators_entries_from_the_newest(ledger):
    adjust(ledger, 1, 5)
    adjust(ledger, 1, 6)
    ledger.book(piece(1), 3)
    assert ledger.undo(0, UndoCommand('ann'), 4)[0].entry.undoes == 10
    assert counts(ledger)[0] == 4
    ledger.undo(0, UndoCommand('ann'), 5)
    assert counts(ledger)[0] == 2
    with pytest.raises(BookingRejected):
        ledger.undo(0, UndoCommand('ann'), 6)


def test_an_entry_is_undone_only_once(ledger):
    sequence = adjust(ledger, 1, 5)[0].sequence
    ledger.undo(sequence, UndoCommand('ann'), 4)
    with pytest.raises(BookingRejected):
        ledger.undo(sequence, UndoCommand('ann'), 5)
    assert counts(ledger)[0] == 3


def test_a_failing_database_changes_nothing_and_says_so(ledger, engine):
    with engine.begin() as connection:
        connection.execute(text('ALTER TABLE stock_ledger RENAME TO away'))
    with pytest.raises(BookingRejected) as caught:
        adjust(ledger, 1, 5)
    assert caught.value.code == ResultCode.STORAGE_FAILED
    with engine.begin() as connection:
        connection.execute(text('ALTER TABLE away RENAME TO stock_ledger'))
    assert counts(ledger)[0] == 3
    assert adjust(ledger, 1, 5)[0].count_after == 5


def test_latest_entries_come_newest_first_and_of_one_part(ledger):
    adjust(ledger, 1, 5)
    assert [item.sequence for item in ledger.latest(3)] == [9, 8, 7]
    assert {item.entry.part_number for item in ledger.latest(100, 'G8NB-17SR')} == {'G8NB-17SR'}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('adjust'), st.integers(0, 5), st.integers(-1, 12)),
        st.tuples(st.just('book'), st.integers(1, 4), st.integers(1, 6)),
        st.tuples(st.just('undo'), st.integers(0, 20), st.just(0)),
    ),
    max_size=15,
)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_counts_are_always_the_sums_and_within_the_trays(tmp_path_factory, steps):
    from cell_common.catalogue_file import parse_catalogue

    trays = [{'count': 3, 'capacity': 10, 'low': 2}] * 4
    catalogue = parse_catalogue({'parts': [{'part_number': PART, 'letter': 'A', 'trays': trays}]})
    engine = open_database(f'sqlite:///{tmp_path_factory.mktemp("ledger")}/cell.db')
    migrate(engine, 'cell_inventory')
    ledger = Ledger(engine, catalogue)
    ledger.load_initial(1, 'x')
    for what, first, second in steps:
        try:
            if what == 'adjust':
                adjust(ledger, first, second)
            elif what == 'book':
                ledger.book(piece(second, tray=first), 2)
            else:
                ledger.undo(first, UndoCommand('x'), 3)
        except BookingRejected:
            pass
    assert Ledger(engine, catalogue).stock.counts == ledger.stock.counts
    assert all(0 <= count <= 10 for count in ledger.stock.counts.values())
    history = ledger.latest(1000)[::-1]
    assert [item.sequence for item in history] == list(range(1, len(history) + 1))
    engine.dispose()


def test_the_newest_entries_in_memory_are_those_of_the_table(ledger, engine, catalogue, monkeypatch):
    monkeypatch.setattr('cell_inventory.ledger.IN_MEMORY', 5)
    for count in (1, 2, 3):
        adjust(ledger, 1, count)
    read = Ledger(engine, catalogue)
    assert ledger.latest(3) == read.latest(3) and ledger.latest(7) == read.latest(7) and len(read.latest(99)) == 11
    stale = Ledger(engine, catalogue)
    adjust(ledger, 1, 4)
    with pytest.raises(BookingRejected):
        stale.post(lambda _: [piece(1)], 'x', 6)  # its number is taken: the table has gone on
    assert stale.latest(2) == ledger.latest(2)
    adjust(stale, 2, 4)
    assert [item.sequence for item in stale.latest(4)] == [13, 12, 11, 10]
