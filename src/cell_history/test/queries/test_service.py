import pytest
from cell_common.database import StorageFailedError, open_database
from cell_common.history_page import HistoryFilter, PageRequest
from cell_common.time import NS_PER_S
from cell_history.queries.explanation import explain
from cell_history.queries.service import KINDS, History, HistoryFolders, UnknownPieceError, piece_json
from cell_history.queries.tables import page_csv, rows_of
from cell_history.testing import JOB, PICTURE, START_NS, insert_rows, piece_row

MINUTE = 60 * NS_PER_S


def found(history, kind, **wanted):
    return history.page(kind, HistoryFilter(**wanted), PageRequest()).items


def test_one_id_leads_from_a_piece_to_its_readings_triggers_booking_picture_and_clip(history):
    piece = history.piece(JOB, 7)
    assert [(item.attempt, item.verdict) for item in piece.readings] == [(1, 'AMBIGUOUS'), (2, 'MISMATCH')]
    assert [item.event for item in piece.triggers] == ['PART_X1', 'REJECT'] and piece.triggers[0].finished_ns
    assert [(item.sequence, item.kind) for item in piece.bookings] == [(7, 'REJECT')]
    assert history.picture(piece.pictures[0].file).name == PICTURE and piece.clip == '20261130T140312_reject_0001'
    assert piece_json(piece)['piece']['booked'] == '2026-11-30T14:03:12.000000Z'


def test_a_piece_without_picture_and_clip_has_none(history):
    piece = history.piece(JOB, 3)
    assert (list(piece.pictures), piece.clip, piece.piece.outcome) == ([], '', 'PLACED')


def test_a_piece_that_was_not_booked_is_unknown(history):
    with pytest.raises(UnknownPieceError, match='piece 9'):
        history.piece(JOB, 9)


@pytest.mark.parametrize(('piece', 'expected'), [(7, 7), (0, 7), (3, 3)])
def test_a_piece_is_found_by_the_time_of_its_job(history, piece, expected):
    at_ns = START_NS + 3 * MINUTE
    assert history.piece_at(piece, at_ns, at_ns + MINUTE).piece.piece == expected


def test_no_piece_is_found_at_a_time_without_a_job(history):
    with pytest.raises(UnknownPieceError):
        history.piece_at(7, START_NS - 10 * MINUTE, START_NS - 9 * MINUTE)


@pytest.mark.parametrize(
    ('kind', 'wanted', 'count'),
    [
        ('pieces', {}, 8),
        ('pieces', {'faults': True}, 1),
        ('pieces', {'text': 'em1-2u'}, 1),
        ('pieces', {'part': 'X2'}, 0),
        ('pieces', {'job': JOB, 'since_ns': START_NS + 3 * MINUTE, 'until_ns': START_NS + 4 * MINUTE}, 2),
        ('jobs', {'part': 'X1', 'text': 'ANN'}, 1),
        ('jobs', {'text': 'nobody'}, 0),
        ('bags', {'station': 'A'}, 2),
        ('bags', {'station': 'B'}, 0),
        ('bags', {'text': '14.1'}, 1),
        ('bags', {'job': 'no number'}, 0),
        ('alarms', {'text': 'piece 7'}, 1),
        ('alarms', {'faults': True}, 0),
        ('commands', {}, 2),
        ('commands', {'faults': True}, 1),
        ('commands', {'part': 'X1', 'text': '10.0.0.7'}, 2),
        ('stock', {'job': JOB, 'faults': True}, 1),
        ('stock', {'part': 'X1'}, 8),
    ],
)
def test_filters(history, kind, wanted, count):
    assert len(found(history, kind, **wanted)) == count


def test_an_alarm_has_its_times_its_operator_and_its_clip(history):
    (alarm,) = found(history, 'alarms')
    assert (alarm.acknowledged_by, alarm.state) == ('bea', 'CLOSED') and alarm.raised_ns == alarm.cleared_ns
    assert history.clip_of(alarm) == '20261130T140312_reject_0001'


def test_a_bag_has_its_line_and_the_steps_of_its_delivery(history):
    bags = found(history, 'bags')
    bag = history.bag(bags[-1].bag_id)
    assert (bag.line.raw, bag.delivery.state) == ('1,12.50 kg', 'DELIVERED')
    assert bag.delivery.acknowledged_ns - bag.delivery.received_ns == 4
    assert history.bag(bags[0].bag_id).delivery is None
    with pytest.raises(UnknownPieceError):
        history.bag(99)


@pytest.mark.parametrize('kind', KINDS)
def test_pages_have_each_row_once_although_rows_are_added(history, kind):
    whole = found(history, kind)
    seen, cursor = [], ''
    while True:
        page = history.page(kind, HistoryFilter(), PageRequest(3, cursor))
        seen += page.items
        if not cursor:  # newer than all of them: it belongs to no later page
            with history.engine.begin() as connection:
                insert_rows(connection, 'pick_piece', [piece_row(JOB, 9, 'X1', START_NS + 5 * MINUTE)])
        cursor = page.next
        if not cursor:
            break
    assert tuple(seen) == whole


def test_a_database_of_an_earlier_release_says_what_to_do(tmp_path):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    with pytest.raises(StorageFailedError, match='start the cell once'):
        found(History(engine), 'pieces')
    engine.dispose()


def test_a_clip_index_with_damaged_lines_is_read_as_far_as_possible(history):
    index = history.folders.clips / 'clips.jsonl'
    index.write_text(f'{{"clip": 1}}\nnot json\n{index.read_text()}{{"clip": "half')
    assert history.piece(JOB, 7).clip == '20261130T140312_reject_0001'
    assert History(history.engine, HistoryFolders(clips=index.parent / 'away')).piece(JOB, 7).clip == ''


@pytest.mark.parametrize('name', ['../cell.db', '/etc/passwd', '.hidden.jpg', 'x.png', 'missing.jpg', 'a/b.jpg'])
def test_only_kept_frames_are_pictures(history, name):
    assert history.picture(name) is None


def test_the_explanation_says_what_was_read_and_ordered(history):
    piece = history.piece(JOB, 7)
    first, second = explain(piece.piece, len(piece.readings), lambda _ns: '14:03')
    assert 'Piece 7' in first and 'rejected at 14:03: it was recognized as EM1-2U4, not as X1' in first
    assert 'read 2 times' in second and 'X1 was ordered' in second


def test_csv_has_no_formulas():
    class Item:
        def __init__(self):
            self.text = '=1+1'

    assert page_csv(rows_of([Item()])) == "text\r\n'=1+1\r\n" and page_csv([]) == ''
