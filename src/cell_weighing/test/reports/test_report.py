import csv
import io
import re
from datetime import timedelta, timezone
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from cell_common.database import DatabaseError
from cell_common.ids import new_id
from cell_weighing.domain.jobs import JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand
from cell_weighing.reader import open_reader, read_job_report
from cell_weighing.reports.report import POLICY, STYLE, report_csv, report_html
from cell_weighing.reports.spc import ControlLimits, HistogramBin
from cell_weighing.reports.svg import chart_figure, histogram_figure
from cell_weighing.station.job_store import NoSuchJobError
from cell_weighing.station.store import WeighStore
from sqlalchemy.exc import OperationalError

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


@pytest.fixture
def store(engine):
    return WeighStore(engine, StationMap({'1': 'A', '2': 'A'}), lambda: START)


@pytest.fixture
def weigh(store, engine, database_url):
    """Start a job, weigh bags for it and return the batch as a reader sees it."""

    def run(weights, *, company='ACME', voids=(), target='1.10', unit='kg', scales='1', quantity=1000):
        job = store.start_job(
            JobRequest(company, 'A', ToleranceBand(Decimal(target), 'kg', Decimal('0.10')), quantity), START, 'ann'
        )
        bags = store.process_readings(
            WeightReading(
                new_id(), scales[at % len(scales)], at + 1, START + at * SECOND, 0, b'', ReadingStatus.VALID, weight, unit
            )
            for at, weight in enumerate(weights)
        )
        for index, reason in voids:
            store.void_bag(bags[index].bag_id, reason, START, 'bob')
        reader = open_reader(database_url)
        batch = read_job_report(reader, job.job_id)
        reader.dispose()
        return batch

    return run


def rows(batch):
    return list(csv.DictReader(io.StringIO(report_csv(batch))))


def page(batch):
    return report_html(batch, START, timezone(timedelta(hours=1)))


def test_every_bag_is_a_line_of_the_csv(weigh):
    table = rows(weigh(['1.10', '0.90', '1.30'], voids=[(1, 'torn')]))
    assert [(row['number'], row['weight'], row['unit'], row['outcome'], row['voided']) for row in table] == [
        ('1', '1.10', 'kg', 'IN_TOLERANCE', '0'),
        ('2', '0.90', 'kg', 'UNDER', '1'),
        ('3', '1.30', 'kg', 'OVER', '0'),
    ]
    assert (table[1]['voided_by'], table[1]['void_reason']) == ('bob', 'torn')
    assert table[0]['weighed_at'] == '2026-09-21T14:13:20.000+00:00'
    assert len({row['reading_id'] for row in table}) == 3


def test_a_reason_is_no_formula_in_a_spreadsheet(weigh):
    assert rows(weigh(['1.10'], voids=[(0, '=HYPERLINK("http://x")')]))[0]['void_reason'].startswith("'=")


def test_a_job_without_bags_has_a_report_too(weigh):
    batch = weigh([])
    assert rows(batch) == []
    assert '0 of 1000 wanted' in page(batch) and 'no chart' in page(batch)


def test_the_report_shows_the_order_and_the_result(weigh):
    text = page(weigh(['1.10', '1.13', '0.90', '1.08'], voids=[(2, 'torn')]))
    assert '1.10 kg ± 10 %' in text and '0.99 to 1.21 kg' in text
    assert '3 of 1000 wanted' in text and '0 under, 0 over' in text
    assert '0.03 kg above target, 0.02 kg below; together 0.01 kg' in text
    assert '2026-09-21 15:13:20 +0100 ann' in text
    assert 'voided by bob: torn' in text and 'not legal for trade' in text


def test_weights_in_another_unit_are_counted_in_that_of_the_job(weigh):
    text = page(weigh(['1100', '1130'], unit='g'))
    assert '1.115 kg, 0.0212 kg' in text and '0.03 kg above target' in text


def test_few_bags_make_a_histogram_only(weigh):
    assert page(weigh([f'1.{10 + index % 3}' for index in range(9)])).count('<svg') == 1


def test_two_groups_make_charts(weigh):
    text = page(weigh([f'1.{10 + index % 3}' for index in range(10)]))
    assert text.count('<svg') == 3
    for figure in re.findall(r'<svg.*?</svg>', text):
        ElementTree.fromstring(figure)


def test_several_scales_have_charts_of_their_own(weigh):
    text = page(weigh([f'1.{10 + index % 3}' for index in range(20)], scales='12'))
    assert text.count('<svg') == 7 and 'Scale 2: range of each 5 bags, kg' in text


def test_a_scale_that_drifts_is_named(weigh):
    weights = [f'{1.10 + 0.01 * (index % 4 < 2) + 0.05 * (index > 60 and index % 2):.2f}' for index in range(120)]
    text = page(weigh(weights, scales='12'))
    assert 'Scale 2: shifted by +0.0' in text and 'Scale 1: shifted' not in text


def test_steady_filling_is_reported_as_steady(weigh):
    assert 'the filling was steady' in page(weigh(['1.10', '1.12'] * 20))


def test_names_cannot_put_markup_into_the_page(weigh):
    text = page(weigh(['1.10'], company='<script>alert(1)</script>', voids=[(0, '<b>')]))
    assert '<script' not in text and '<b>' not in text and '&lt;script&gt;' in text


def test_the_page_needs_nothing_from_elsewhere_and_its_policy_allows_only_its_own_style(weigh):
    text = page(weigh(['1.10'] * 12))
    assert f'<style>{STYLE}</style>' in text
    assert not re.search(r'(src|href|style)=|url\(|@import', text)
    assert "default-src 'none'" in POLICY and 'unsafe' not in POLICY


def test_a_report_of_no_job_is_refused(engine, database_url):
    with pytest.raises(NoSuchJobError, match='no weigh job 7'):
        read_job_report(open_reader(database_url), 7)


def test_reading_makes_no_database_and_changes_none(tmp_path, engine, database_url):
    with pytest.raises(OperationalError):
        read_job_report(open_reader(f'sqlite:///{tmp_path}/none.db'), 1)
    assert not (tmp_path / 'none.db').exists()
    with pytest.raises(OperationalError, match='readonly'), open_reader(database_url).begin() as connection:
        connection.exec_driver_sql('DELETE FROM weigh_bag')
    with pytest.raises(DatabaseError):
        open_reader('nonsense')


def test_figures_of_values_that_are_all_alike():
    ElementTree.fromstring(chart_figure('all alike', [1.1, 1.1], ControlLimits(1.1, 1.1, 1.1), [0]))
    ElementTree.fromstring(histogram_figure('all alike', [HistogramBin(1.1, 1.1, 3)], [('target', 1.1)]))
    assert chart_figure('marked', [1.0, 2.0], ControlLimits(0, 1, 2), [1, 1]).count('class="mark"') == 1


def test_the_report_of_a_job_with_a_tare_counts_what_the_bags_hold(store, database_url):
    band = ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10'))
    job = store.start_job(JobRequest('ACME', 'A', band, 9, Decimal('0.05')), START, 'ann')
    store.process_readings([WeightReading(new_id(), '1', 1, START, 0, b'', ReadingStatus.VALID, '1.20', 'kg')])
    reader = open_reader(database_url)
    batch = read_job_report(reader, job.job_id)
    reader.dispose()
    assert rows(batch)[0]['net_weight'] == '1.15' and rows(batch)[0]['weight'] == '1.20'
    text = page(batch)
    assert '0.05 kg, taken off gross weights' in text and '0.05 kg above target' in text


def test_only_accepted_bags_give_product_away(weigh):
    text = page(weigh(['1.12', '5.00', '0.20', '1.09']))
    assert 'Given away in accepted bags' in text
    assert '0.02 kg above target, 0.01 kg below; together 0.01 kg' in text
