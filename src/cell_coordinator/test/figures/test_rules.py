import math

import pytest
from cell_coordinator.figures.report import make_report, report_csv, report_json
from cell_coordinator.figures.rules import (
    FirstReading,
    JobFacts,
    PieceFact,
    StateChange,
    Window,
    cycle_times,
    figures_of,
    measured_ideals,
)

S = 10**9
DAY = Window(0, 86_400 * S)


def job(**changes):
    """100 s: runs 40, waits 20 for a reload, runs 20, paused 10, runs 10; 8 placed and 2 rejected."""
    values = {
        'job_id': 'a',
        'part_number': 'X1',
        'started_ns': 1000 * S,
        'finished_ns': 1100 * S,
        'states': (
            StateChange(990 * S, 'READY'),
            StateChange(1000 * S, 'RUNNING'),
            StateChange(1040 * S, 'WAITING_RELOAD', 'the trays of X1 are empty: 3 more needed. Refill.'),
            StateChange(1060 * S, 'RUNNING'),
            StateChange(1080 * S, 'PAUSED', 'robot: lost'),
            StateChange(1090 * S, 'RUNNING'),
            StateChange(1100 * S, 'DONE'),
        ),
        'pieces': tuple(
            PieceFact(stamp * S, number not in (3, 7), 'mismatch, read X2')
            for number, stamp in enumerate((1007, 1014, 1021, 1028, 1035, 1067, 1074, 1095, 1098, 1100))
        ),
        'readings': tuple(FirstReading(1005 * S, number < 9) for number in range(10)),
    }
    return JobFacts(**{**values, **changes})


def test_oee_is_availability_times_performance_times_quality():
    figures = figures_of([job()], DAY, 'a', {'X1': 5.0})
    assert (figures.placed, figures.rejected) == (8, 2)
    assert (figures.planned_time, figures.run_time) == (100.0, 70.0)
    assert (figures.availability, figures.performance, figures.quality) == pytest.approx((0.7, 50 / 70, 0.8))
    assert figures.oee == pytest.approx(0.7 * 50 / 70 * 0.8)
    assert figures.first_read_rate == 0.9


def test_a_cycle_counts_when_no_stop_lies_between_two_pieces():
    assert list(cycle_times(job(), DAY)) == [7, 7, 7, 7, 7, 3]  # the last two: another change at the end of the job
    assert measured_ideals([job()], DAY) == {'X1': 3} and measured_ideals([job()], DAY, 2.5) == {'X1': 2.5}
    assert figures_of([job()], DAY, '', {}).median_cycle == 7


def test_only_what_lies_in_the_window_counts():
    figures = figures_of([job()], Window(1030 * S, 1070 * S), '', {'X1': 5.0})
    assert (figures.planned_time, figures.run_time, figures.placed) == (40.0, 20.0, 2)
    early = figures_of([job()], Window(0, 1000 * S), '', {})
    assert early.planned_time == 0 and math.isnan(early.availability) and math.isnan(early.oee)


def test_stops_and_rejects_are_named_the_largest_first():
    report = make_report([job()], DAY)
    assert [(stop.reason, stop.count, stop.seconds) for stop in report.stops] == [
        ('waits for a reload', 1, 20),
        ('robot', 1, 10),
    ]
    assert [(reject.reason, reject.count) for reject in report.rejects] == [('mismatch, read X2', 2)]


def test_a_job_that_still_runs_counts_until_now_and_one_of_an_earlier_release_as_running():
    running = job(finished_ns=0, states=job().states[:2], pieces=())
    assert figures_of([running], Window(0, 1200 * S), '', {}).run_time == 200
    old = job(states=())
    assert figures_of([old], DAY, '', {}).availability == 1.0


def test_a_clock_that_was_set_back_gives_no_negative_time():
    back = job(states=(StateChange(1000 * S, 'RUNNING'), StateChange(500 * S, 'PAUSED', 'x'), StateChange(510 * S, 'RUNNING')))
    figures = figures_of([back], DAY, '', {})
    assert figures.run_time >= 0 and figures.planned_time >= figures.run_time
    assert list(cycle_times(job(pieces=(PieceFact(9 * S, True), PieceFact(5 * S, True))), DAY)) == []


def test_no_job_gives_no_figures():
    report = make_report([], DAY)
    assert report_json(report)['total']['oee'] is None and not report.jobs
    assert figures_of([job(started_ns=0)], DAY, '', {}).planned_time == 0


def test_csv_has_a_row_for_everything_and_no_formula():
    lines = report_csv(make_report([job(job_id='=1+1')], DAY)).splitlines()
    assert [line.split(',')[0] for line in lines] == ['kind', 'total', 'job', 'stop', 'stop', 'reject']
    assert "'=1+1" in lines[2] and 'nan' not in ''.join(lines)
