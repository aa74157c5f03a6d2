import pytest
from cell_inventory.rules import BookingRejected, EntryKind, LedgerEntry, NewEntry, Stock, TrayCount

from cell_interfaces.msg import InventoryEvent, ResultCode
from cell_inventory import rules

PART = 'EM1-2U1'


@pytest.fixture
def stock(catalogue):
    return Stock(catalogue, {(PART, 1): 3, (PART, 2): 0, (PART, 3): 10, (PART, 4): 1})


def code_of(rule, *arguments):
    with pytest.raises(BookingRejected) as caught:
        rule(*arguments)
    assert str(caught.value)
    return caught.value.code


def placed(tray=1, piece=1, kind=EntryKind.PLACE, job='job'):
    return NewEntry(kind, PART, tray, -1, job_id=job, piece=piece)


def test_kinds_are_numbered_as_in_the_message():
    assert {kind.name: int(kind) for kind in EntryKind} == {
        name: getattr(InventoryEvent, name)
        for name in ('LOAD', 'PLACE', 'REJECT', 'ADJUST', 'RELOAD', 'RESET', 'UNDO', 'COUNT')
    }


def test_the_initial_load_books_only_trays_the_ledger_has_not_seen(stock):
    entries = rules.initial_load(stock)
    assert [(e.part_number, e.tray, e.delta) for e in entries] == [('G8NB-17SR', tray, 5) for tray in (1, 2, 3, 4)]


def test_the_initial_load_prefers_given_counts(stock):
    assert rules.initial_load(stock, {('G8NB-17SR', 2): 1})[1].delta == 1


@pytest.mark.parametrize(('count', 'delta'), [(0, -3), (3, 0), (10, 7)])
def test_adjust_books_the_difference(stock, count, delta):
    assert [e.delta for e in rules.adjust(stock, TrayCount(PART, 1, count, 'counted'))] == [delta]


@pytest.mark.parametrize(
    ('asked', 'code'),
    [
        (('NOPE', 1, 1, 'x'), ResultCode.UNKNOWN_PART),
        ((PART, 5, 1, 'x'), ResultCode.UNKNOWN_TRAY),
        ((PART, 0, 1, 'x'), ResultCode.UNKNOWN_TRAY),
        ((PART, 1, -1, 'x'), ResultCode.INVALID_ARGUMENT),
        ((PART, 1, 11, 'x'), ResultCode.OVER_CAPACITY),
        ((PART, 1, 1, '  '), ResultCode.INVALID_ARGUMENT),
    ],
)
def test_adjust_refuses(stock, asked, code):
    assert code_of(rules.adjust, stock, TrayCount(*asked)) == code


def test_reload_fills_every_tray_to_capacity(stock):
    assert [(e.tray, e.delta) for e in rules.reload(stock, TrayCount(PART, 0, -1))] == [(1, 7), (2, 10), (3, 0), (4, 9)]


def test_reload_never_takes_pieces_out(stock):
    assert code_of(rules.reload, stock, TrayCount(PART, 3, 5)) == ResultCode.INVALID_ARGUMENT


def test_reload_refuses_more_than_the_tray_holds(stock):
    assert code_of(rules.reload, stock, TrayCount(PART, 1, 11)) == ResultCode.OVER_CAPACITY


def test_a_count_above_the_capacity_needs_a_reason(stock):
    assert code_of(rules.adjust, stock, TrayCount(PART, 1, 11, ' ', True), EntryKind.COUNT) == ResultCode.OVER_CAPACITY
    assert code_of(rules.adjust, stock, TrayCount(PART, 1, 2**31 - 1, 'heaped', True)) == ResultCode.INVALID_ARGUMENT
    (entry,) = rules.adjust(stock, TrayCount(PART, 1, 11, 'heaped', True))
    assert (entry.delta, entry.reason) == (8, 'heaped')
    heaped = Stock(stock.catalogue, {(PART, 3): 12})
    assert [e.delta for e in rules.reload(heaped, TrayCount(PART, 3, -1))] == [0], 'a tray above its capacity is full'
    assert [e.delta for e in rules.undo(heaped, LedgerEntry(1, 0, 12, NewEntry(EntryKind.RELOAD, PART, 3, 1)), False, '')] == [
        -1
    ]


def test_a_routine_count_needs_no_reason(stock):
    (entry,) = rules.adjust(stock, TrayCount(PART, 1, 3), EntryKind.COUNT)
    assert (entry.kind, entry.delta) == (EntryKind.COUNT, 0)


def test_an_entry_older_than_the_window_is_not_undone(stock):
    target = LedgerEntry(7, 100, 3, NewEntry(EntryKind.ADJUST, PART, 1, 2))
    assert code_of(rules.undo, stock, target, False, '', 101) == ResultCode.NOTHING_TO_UNDO
    assert len(rules.undo(stock, target, False, '', 100)) == 1


@pytest.mark.parametrize('wanted', [placed(piece=2**32 - 1), placed(piece=0), placed(job=''), placed(job='x' * 65)])
def test_a_booking_without_a_storable_key_is_refused(stock, wanted):
    assert code_of(rules.book, stock, wanted, None) == ResultCode.INVALID_ARGUMENT


def test_reset_goes_back_to_the_first_stock(stock):
    assert [(e.tray, e.delta) for e in rules.reset(stock, PART, '')] == [(2, 2), (3, -10), (4, -1)]


def test_reset_goes_to_given_defaults_where_there_are_any(stock):
    first, *_ = rules.reset(stock, PART, '', {(PART, 1): 9})
    assert (first.tray, first.delta) == (1, 9 - stock.count(PART, 1))


def test_an_import_adjusts_the_trays_that_differ(stock):
    counts = {(PART, 1): stock.count(PART, 1), (PART, 2): 7}
    (entry,) = rules.import_counts(stock, counts, 'why')
    assert (entry.kind, entry.tray, entry.delta) == (rules.EntryKind.ADJUST, 2, 7 - stock.count(PART, 2))


def test_reset_of_an_unknown_part_is_refused(stock):
    assert code_of(rules.reset, stock, 'NOPE', '') == ResultCode.UNKNOWN_PART


def test_undo_books_the_opposite(stock):
    target = LedgerEntry(7, 0, 3, NewEntry(EntryKind.ADJUST, PART, 1, 2))
    assert rules.undo(stock, target, False, 'slip') == [NewEntry(EntryKind.UNDO, PART, 1, -2, reason='slip', undoes=7)]


@pytest.mark.parametrize(
    ('entry', 'undone', 'code'),
    [
        (NewEntry(EntryKind.ADJUST, PART, 1, 2), True, ResultCode.NOTHING_TO_UNDO),
        (NewEntry(EntryKind.UNDO, PART, 1, 2, undoes=3), False, ResultCode.NOTHING_TO_UNDO),
        (NewEntry(EntryKind.LOAD, PART, 1, 2), False, ResultCode.NOTHING_TO_UNDO),
        (NewEntry(EntryKind.RELOAD, PART, 2, 4), False, ResultCode.NOT_ENOUGH_STOCK),
        (NewEntry(EntryKind.ADJUST, PART, 3, -1), False, ResultCode.OVER_CAPACITY),
    ],
)
def test_undo_refuses(stock, entry, undone, code):
    assert code_of(rules.undo, stock, LedgerEntry(7, 0, 0, entry), undone, '') == code


def test_undo_of_nothing_is_refused(stock):
    assert code_of(rules.undo, stock, None, False, '') == ResultCode.NOTHING_TO_UNDO


def test_a_piece_is_booked_out_of_its_tray(stock):
    assert rules.book(stock, placed(), None) == [placed()]


def test_a_piece_booked_before_is_not_booked_again(stock):
    assert rules.book(stock, placed(), LedgerEntry(1, 0, 2, placed())) == []


def test_a_piece_booked_with_another_outcome_is_refused(stock):
    assert (
        code_of(rules.book, stock, placed(kind=EntryKind.REJECT), LedgerEntry(1, 0, 2, placed())) == ResultCode.INVALID_ARGUMENT
    )


def test_what_the_robot_took_from_an_empty_tray_is_booked_with_a_correction_first(stock):
    assert [(e.kind, e.delta) for e in rules.book(stock, placed(tray=2), None)] == [
        (EntryKind.ADJUST, 1),
        (EntryKind.PLACE, -1),
    ]


def test_a_piece_of_a_part_that_left_the_catalogue_is_still_booked(catalogue):
    old = NewEntry(EntryKind.PLACE, 'OLD', 1, -1, job_id='job', piece=1)
    assert rules.book(Stock(catalogue, {('OLD', 1): 4}), old, None) == [old]


def test_a_booking_without_job_or_piece_is_refused(stock):
    assert code_of(rules.book, stock, placed(job=''), None) == ResultCode.INVALID_ARGUMENT
    assert code_of(rules.book, stock, placed(piece=0), None) == ResultCode.INVALID_ARGUMENT
