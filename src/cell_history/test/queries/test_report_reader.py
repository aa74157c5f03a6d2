import csv
from datetime import datetime, timedelta, timezone
from datetime import time as day_time

import pytest
from cell_common.time import NS_PER_S
from cell_coordinator.figures import Window
from cell_history.queries.production_report import AlbumPicture, production_csv, production_html
from cell_history.queries.report_reader import current_shift, job_report, time_report
from cell_history.queries.service import UnknownPieceError
from cell_history.testing import JOB, PICTURE, START_NS, insert_rows

ZONE = timezone(timedelta(hours=2))
HOUR = 3600 * NS_PER_S


def weigh_job():
    return {
        'id': 5, 'company': 'ACME', 'quantity': 9, 'station': 'A', 'target': '12.5', 'unit': 'kg', 'tolerance': '0.1',
        'tare': '0', 'bags_good': 1, 'bags_out': 1, 'bags_numbered': 2, 'bags_voided': 0, 'started_by': 'ann',
        'started_ns': START_NS, 'ended_by': '', 'end_reason': '',
    }  # fmt: skip


def bag(number, weight, outcome):
    return {
        'prepuff_job_id': 5, 'scale_id': '1', 'reading_id': f'of-job-{number}', 'weight_exact': weight, 'weight_unit': 'kg',
        'station': 'A', 'bag_number': number, 'outcome': outcome, 'weighed_ns': START_NS + number * NS_PER_S, 'stability': 1,
        'message': '', 'zone': 3, 'net_weight': weight,
    }  # fmt: skip


def test_the_report_of_a_job_has_pieces_reasons_cycles_bags_and_pictures(history):
    with history.engine.begin() as connection:
        insert_rows(connection, 'weigh_job', [weigh_job()])
        insert_rows(connection, 'weigh_bag', [bag(1, '12.75', 0), bag(2, '15.00', 2)])
    report = job_report(history, JOB, START_NS + HOUR, lambda frame: frame.file)
    assert (report.figures.total.placed, report.figures.total.rejected) == (7, 1)
    assert [(item.reason, item.count) for item in report.figures.rejects] == [('mismatch, read EM1-2U4', 1)]
    assert report.cycles == [30.0] * 7 and report.album == [AlbumPicture(PICTURE, 'Piece 7: MISMATCH EM1-2U4')]
    assert [(item.good, item.over, item.given_away) for item in report.bags] == [(1, 1, pytest.approx(0.25))]
    page = production_html(report, lambda _ns: 'then')
    for text in ('7 placed, 1 rejected', 'mismatch, read EM1-2U4', 'Pieces by cycle time', '0.25 kg', f'src="{PICTURE}"'):
        assert text in page
    rows = list(csv.DictReader(production_csv(report).splitlines()))
    assert {'section': 'bags', 'name': 'job 5 given away', 'value': '0.25', 'unit': 'kg'} in rows


def test_the_report_of_a_time_without_work_says_so(history):
    report = time_report(history, 'Shift <1>', Window(START_NS - 2 * HOUR, START_NS - HOUR), lambda frame: frame.file)
    page = production_html(report, lambda _ns: 'then')
    assert 'Shift &lt;1&gt;' in page and '0 placed, 0 rejected' in page and 'No cycles' in page and '<img' not in page


def test_a_job_that_is_not_there_has_no_report(history):
    with pytest.raises(UnknownPieceError):
        job_report(history, 'none', 0, lambda frame: frame.file)


THREE = [6, 14, 22]


@pytest.mark.parametrize(
    ('starts', 'hour', 'name', 'begin'),
    [([], 10, 'Day', 0), (THREE, 10, 'Shift 06:00', 6), (THREE, 23, 'Shift 22:00', 22), (THREE, 3, 'Shift 22:00', -2)],
)
def test_the_shift_that_runs(starts, hour, name, begin):
    now = datetime(2026, 11, 30, hour, 30, tzinfo=ZONE)
    midnight = datetime(2026, 11, 30, tzinfo=ZONE)
    found, window = current_shift([day_time(start) for start in starts], now)
    assert found == name and window.until_ns == now.timestamp() * NS_PER_S
    assert window.since_ns == (midnight + timedelta(hours=begin)).timestamp() * NS_PER_S
