"""The clock is set while bags are weighed: each bag still belongs to the job that it was weighed for."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from cell_common.database import migrate, open_database
from cell_common.ids import new_id
from cell_weighing.boot_clock import boot_id
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.domain.event_order import ALWAYS_BEFORE, JobBoundary, MonotonicStamp, merge_by_time
from cell_weighing.domain.jobs import JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand
from cell_weighing.station.store import WeighStore

pytestmark = pytest.mark.slow

SECOND = 10**9
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
NOON = 1_700_000_000 * SECOND
ORDER = JobRequest('ACME', 'A', ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10')), 100)


class Host:
    """A machine with a monotonic clock, and a time of day that a test may set."""

    def __init__(self) -> None:
        self.utc_ns, self.monotonic_ns = NOON, 50 * SECOND

    def wait(self, seconds: float = 1.0) -> None:
        self.utc_ns += int(seconds * SECOND)
        self.monotonic_ns += int(seconds * SECOND)

    @property
    def moment(self) -> MonotonicStamp:
        return MonotonicStamp(boot_id(), self.monotonic_ns)


class Cell:
    """Bridge and station on one host; the station hears of readings by topic, where they have no monotonic stamp."""

    def __init__(self, engine, host: Host, stamped: bool = True) -> None:
        self.engine, self.host, self.stamped = engine, host, stamped
        self.journal = JournalWriter(engine, lambda _: None, lambda _: None)
        self.store = self.restarted()

    def restarted(self) -> WeighStore:
        self.store = WeighStore(self.engine, StationMap({'1': 'A', '2': 'A'}), lambda: self.host.utc_ns)
        return self.store

    def take(self, scale='1') -> WeightReading:
        self.host.wait()
        return WeightReading(
            new_id(), scale, 0, self.host.utc_ns, self.host.monotonic_ns, b'', ReadingStatus.VALID, '1.10', 'kg'
        )

    def write(self, *readings: WeightReading) -> list[WeightReading]:
        self.journal.append(readings)
        while self.journal.pending:
            pass
        return [replace(reading, monotonic_ns=0, boot_id='') for reading in readings]

    def weigh(self, scale='1'):
        (bag,) = self.store.process_readings(self.write(self.take(scale)))
        return bag

    def command(self, work, *arguments):
        self.host.wait()
        self.store.catch_up()
        return work(*arguments, *([self.host.moment] if self.stamped else []))

    def start(self):
        return self.command(self.store.start_job, ORDER, self.host.utc_ns, 'ann')

    def end(self):
        return self.command(self.store.end_job, 'A', 'break', self.host.utc_ns, 'ann')

    def reopen(self):
        return self.command(self.store.reopen_job, 0, 'A', 0, 'too early', self.host.utc_ns, 'ann')


@pytest.fixture
def make(engine):
    made = []

    def make(stamped=True):
        made.append(Cell(engine, Host(), stamped))
        return made[-1]

    yield make
    for cell in made:
        cell.journal.close()


@pytest.mark.parametrize('stamped', [True, False])
def test_a_clock_set_back_behind_the_start_loses_no_bag_to_the_job(make, stamped):
    """The twin compares the time of day only, as older releases did: its bag belongs to no job."""
    cell = make(stamped)
    job = cell.start()
    first = cell.weigh()
    cell.host.utc_ns -= HOUR
    bag = cell.weigh()
    assert first.job_id == job.job_id and bag.job_id == (job.job_id if stamped else 0)
    assert bag.weighed_ns == cell.host.utc_ns, 'people see the time that the host had'


@pytest.mark.parametrize('stamped', [True, False])
def test_a_clock_that_was_a_day_ahead_changes_nothing_after_its_correction(make, stamped):
    cell = make(stamped)
    cell.host.utc_ns += DAY
    first = cell.start()
    cell.weigh()
    cell.host.utc_ns -= DAY
    assert cell.weigh().job_id == (first.job_id if stamped else 0)
    cell.end()
    assert cell.weigh().job_id == 0
    second = cell.start()
    assert cell.weigh().job_id == second.job_id
    cell.end()
    assert cell.reopen().job_id == second.job_id, 'the latest job is the one that was started last'
    assert cell.weigh().job_id == second.job_id
    assert [(job.job_id, job.bags_completed) for job in cell.store.jobs()] == [(second.job_id, 2)]


def test_a_clock_set_forward_between_end_and_reopening_fills_no_gap(make):
    cell = make()
    job = cell.start()
    cell.weigh()
    cell.end()
    between = cell.weigh()
    cell.host.utc_ns += DAY
    cell.reopen()
    cell.host.utc_ns -= 2 * DAY
    assert (between.job_id, cell.weigh().job_id) == (0, job.job_id)


@pytest.mark.parametrize('step', [0, HOUR, -HOUR])
def test_a_reading_taken_before_the_start_and_judged_after_it_belongs_to_no_job(make, step):
    cell = make()
    early = cell.take()
    cell.host.utc_ns += step
    job = cell.start()
    late = cell.take()
    bags = cell.store.process_readings(cell.write(early, late))
    assert [bag.job_id for bag in bags] == [0, job.job_id]


@pytest.mark.parametrize('step', [0, HOUR, -HOUR])
def test_a_reading_taken_before_the_end_and_judged_after_it_belongs_to_the_job(make, step):
    cell = make()
    job = cell.start()
    early = cell.take()
    cell.host.utc_ns += step
    cell.end()
    late = cell.take()
    bags = cell.store.process_readings(cell.write(early, late))
    assert [bag.job_id for bag in bags] == [job.job_id, 0]


@pytest.mark.parametrize('step', [0, HOUR, -HOUR, DAY, -DAY])
def test_bags_weighed_while_the_station_was_down_are_processed_in_order(make, step, monkeypatch):
    monkeypatch.setattr('cell_weighing.station.store.PAGE', 4)
    cell = make()
    cell.start()
    cell.weigh()
    for n in range(30):
        cell.host.utc_ns += step if n in (7, 19) else -step if n == 12 else 0
        cell.write(cell.take('12'[n % 3 == 0]))
    job = cell.restarted().jobs()[0]
    bags = cell.store.catch_up()
    assert [bag.number for bag in bags] == list(range(2, 32)) and {bag.job_id for bag in bags} == {job.job_id}
    assert [bag.scale_id for bag in bags] == ['12'[n % 3 == 0] for n in range(30)]
    assert cell.store.catch_up() == [] and cell.store.jobs()[0].bags_completed == 31


def test_after_a_reboot_the_monotonic_clock_begins_again_and_decides_nothing(make):
    cell = make()
    job = cell.start()
    with cell.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE weigh_job SET started_boot = 'the boot before'")
    cell.host.monotonic_ns, cell.host.utc_ns = SECOND, NOON - HOUR
    assert cell.weigh().job_id == job.job_id


def test_a_reading_that_no_journal_knows_belongs_to_the_job_that_is_active(make):
    """As in a replay of recorded topics, with the time of then."""
    cell = make()
    job = cell.start()
    old = WeightReading('replayed', '1', 57, NOON - 100 * DAY, 0, b'', ReadingStatus.VALID, '1.10', 'kg')
    (bag,) = cell.store.process_readings([old])
    assert bag.job_id == job.job_id


def test_a_bag_posted_to_the_cell_itself_counts_for_the_active_job_whatever_the_clock_says(make):
    cell = make()
    job = cell.start()
    posted = WeightReading(new_id(), '9', 0, NOON - DAY, 1, b'', ReadingStatus.VALID, '1.10', 'kg')
    bag, _, _ = WeighStore(cell.engine, StationMap({}), lambda: 0).record_external(posted, 'A')
    assert bag.job_id == job.job_id


def test_a_station_killed_after_the_start_finds_the_job_by_the_same_clock(database_url, engine, make):
    """The job is started in a process that is gone at once, the clock is set back, and another one judges."""
    cell = make()
    early = cell.take()
    subprocess.run(
        [
            sys.executable,
            '-c',
            f"""
import os, signal
from cell_common.database import open_database
from cell_weighing.domain.event_order import MonotonicStamp
from cell_weighing.domain.station_map import StationMap
from cell_weighing.station.store import WeighStore
from test_event_order import ORDER
store = WeighStore(open_database({database_url!r}), StationMap({{'1': 'A'}}), lambda: 0)
store.start_job(ORDER, {cell.host.utc_ns}, 'ann', MonotonicStamp({boot_id()!r}, {cell.host.monotonic_ns + 1}))
os.kill(os.getpid(), signal.SIGKILL)
""",
        ],
        check=False,
        cwd=Path(__file__).parent,
    )
    cell.host.utc_ns -= HOUR
    cell.write(early, cell.take())
    assert [bag.job_id for bag in cell.restarted().catch_up()] == [0, 1]


def test_an_older_database_continues_its_active_job(tmp_path, monkeypatch):
    engine = open_database(f'sqlite:///{tmp_path}/old.db')
    older(engine, monkeypatch, '0005')
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO prepuff_company (id, name) VALUES (1, 'ACME')")
        for number, status, finished in ((1, 'completed', NOON + 10), (2, 'active', None)):
            connection.exec_driver_sql(
                'INSERT INTO prepuff_job (id, prepuff_company_id, target_weight, quantity, bags_completed, station, status, '
                'started_at, target, unit, tolerance, bags_out, bags_numbered, started_by, started_ns, finished_ns, ended_by, '
                "end_reason) VALUES (?, 1, '1.10', 9, 0, 'A', ?, '2023-11-14 22:13:20', '1.10', 'kg', '0.10', 0, 0, 'ann', ?, "
                "?, '', '')",
                (number, status, NOON + number, finished),
            )
    migrate(engine, 'cell_weighing')
    cell = Cell(engine, Host())
    cell.host.utc_ns -= HOUR
    assert cell.weigh().job_id == 2
    cell.end()
    assert cell.weigh().job_id == 0
    cell.journal.close()
    engine.dispose()


def older(engine, monkeypatch, version):
    """Bring an empty database to an older release's tables."""
    from alembic import command

    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, 'upgrade', lambda config, _: upgrade(config, version))
        migrate(engine, 'cell_weighing')


def reading(scale, sequence, utc, monotonic, boot='b'):
    return WeightReading(
        f'{scale}-{sequence}', scale, sequence, utc, monotonic, b'', ReadingStatus.VALID, '1', 'kg', boot_id=boot
    )


def test_pages_are_merged_by_the_monotonic_clock_and_only_as_far_as_is_certain():
    pages = [[reading('1', 1, 500, 1), reading('1', 2, 100, 3)], [reading('2', 1, 600, 2), reading('2', 2, 50, 9)]]
    assert [r.reading_id for r in merge_by_time(pages, 9)] == ['1-1', '2-1', '1-2', '2-2']
    assert [r.reading_id for r in merge_by_time(pages, 2)] == ['1-1', '2-1', '1-2']


def test_over_a_reboot_each_scale_keeps_its_own_order():
    pages = [[reading('1', 1, 500, 900, 'a'), reading('1', 2, 100, 1)], [reading('2', 1, 90, 2)]]
    assert [r.reading_id for r in merge_by_time(pages, 9)] == ['2-1', '1-1', '1-2']


def test_a_boundary_of_an_older_release_is_compared_by_utc():
    taken = reading('1', 1, 100, 7)
    assert [JobBoundary(at).is_at_or_before(taken) for at in (100, 101)] == [True, False]
    assert [JobBoundary(0, MonotonicStamp('b', at)).is_at_or_before(taken) for at in (7, 8)] == [True, False]
    assert JobBoundary(10**18, MonotonicStamp('other', 8)).is_at_or_before(taken) and JobBoundary(
        10**18, ALWAYS_BEFORE
    ).is_at_or_before(taken)
