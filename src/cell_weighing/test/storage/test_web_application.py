"""The cell in a database of the existing web application, which goes on working with its own tables."""

import threading
import uuid
from decimal import Decimal

import pytest
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.ids import new_id
from cell_weighing.domain.jobs import JobError, JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult
from cell_weighing.reader import open_reader, read_job_report
from cell_weighing.station.store import WeighStore
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from web_application_standin import WebApplication

SECOND = 1_000_000_000
NOW = 1_790_000_400 * SECOND  # 2026-09-21 14:20:00
OLD_ROWS = 'SELECT id, prepuff_company_id, target_weight, quantity, station, started_by_id FROM prepuff_job ORDER BY id'


EVERYWHERE = pytest.mark.parametrize(
    'url', ['sqlite', *(pytest.param(name, marks=pytest.mark.slow) for name in ('postgresql', 'mariadb'))], indirect=True
)


@pytest.fixture
def url(request, tmp_path):
    """URL of an empty database: SQLite, unless a test asks for the others."""
    kind = getattr(request, 'param', 'sqlite')
    if kind == 'sqlite':
        return f'sqlite:///{tmp_path}/shared.db'
    server, name = make_url(request.getfixturevalue(kind)), f'd{uuid.uuid4().hex[:8]}'
    engine = create_engine(server, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE {name}'))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def application(url):
    return WebApplication(url)


def open_store(url, *, deliver=False):
    engine = open_database(url)
    migrate(engine, 'cell_weighing')
    return WeighStore(engine, StationMap({'1': 'A', '2': 'B', 'left': 'C'}), lambda: NOW, deliver=deliver)


@pytest.fixture
def store(application, url):
    return open_store(url)


class Scale:
    """Numbers the readings of one scale."""

    def __init__(self, store, scale='1'):
        self.store, self.scale, self.sequence = store, scale, 0

    def weigh(self, weight='27.5', unit='lb', number=1):
        """Weigh bags one second apart; the cell looks at the application's tables first, as its node does."""
        self.store.adopt_jobs(NOW)
        first, self.sequence = self.sequence + 1, self.sequence + number
        return self.store.process_readings(
            [
                WeightReading(new_id(), self.scale, n, NOW + n * SECOND, n, b'', ReadingStatus.VALID, weight, unit)
                for n in range(first, self.sequence + 1)
            ]
        )


def order(station='B', company='ACME', quantity=5):
    return JobRequest(company, station, ToleranceBand(Decimal('12.5'), 'kg', Decimal('0.05')), quantity)


@EVERYWHERE
def test_nothing_of_the_application_is_altered_when_the_cell_moves_in(application, url):
    schema, jobs, bags = application.schema(), application.rows(OLD_ROWS), application.rows('SELECT * FROM filler_bag')
    store = open_store(url)
    assert store.companies() == ['Bolt', 'ACME']
    store.start_job(order(), NOW, 'ann')
    Scale(store).weigh(number=2)
    assert (application.schema(), application.rows(OLD_ROWS)[:2]) == (schema, jobs)
    assert application.rows('SELECT * FROM filler_bag ORDER BY id')[:3] == bags


def test_a_job_of_the_application_goes_on_with_the_bags_that_it_has(application, store, url):
    scale = Scale(store)
    (bag,) = scale.weigh('12.474', 'kg')
    assert (bag.job_id, bag.number, bag.outcome) == (2, 3, ToleranceResult.IN_TOLERANCE)
    assert application.job(2) == (3, 'active')
    columns = 'SELECT prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at FROM filler_bag WHERE id = 4'
    assert (
        application.rows(columns)[0][:4] == (2, 27.5, 'lb', 1) and str(application.rows(columns)[0][5]) == '2026-09-21 14:20:01'
    )
    application.add_bag(2, '28.00')
    store.adopt_jobs(NOW + 2 * SECOND)
    job = next(job for job in store.jobs() if job.station == 'A')
    assert (job.bags_completed, job.bags_out, job.bags_numbered, job.company) == (3, 1, 4, 'ACME')
    assert scale.weigh()[0].number == 5
    assert application.job(2) == (5, 'completed')
    assert scale.weigh()[0].outcome is ToleranceResult.NO_ACTIVE_JOB
    assert len(application.rows('SELECT id FROM filler_bag')) == 6
    reader = open_reader(url)
    report = read_job_report(reader, 2)
    reader.dispose()
    assert [bag.weight for bag in report.bags] == ['27.40', '21.00', '12.474', '28.00', '27.5']


@EVERYWHERE
def test_a_job_of_the_cell_is_one_of_the_application(application, store):
    job = store.start_job(order(company='New & Co'), NOW, 'ann')
    assert application.rows('SELECT name FROM prepuff_company ORDER BY id')[-1] == ('New & Co',)
    columns = 'target_weight, quantity, station, status, started_by_id'
    assert application.rows(f'SELECT {columns} FROM prepuff_job WHERE id = {job.job_id}') == [(27.56, 5, 'B', 'active', 2)]
    first, second = Scale(store, '2').weigh(number=2)
    store.void_bag(second.bag_id, 'torn', NOW, 'ann')
    assert application.job(job.job_id) == (1, 'active')
    store.undo_void(second.bag_id, 'it was the other one', NOW, 'ann')
    store.end_job('B', 'enough', NOW, 'ann')
    assert application.job(job.job_id) == (2, 'completed') and first.number == 1
    store.reopen_job(job.job_id, 'B', 9, 'more', NOW, 'ann')
    assert application.rows(f'SELECT quantity, status FROM prepuff_job WHERE id = {job.job_id}') == [(9, 'active')]
    # An operator whom the application does not know has no number there.
    other = store.start_job(order('C'), NOW, 'zoe')
    assert application.rows(f'SELECT started_by_id FROM prepuff_job WHERE id = {other.job_id}') == [(None,)]
    Scale(store, 'left').weigh()
    assert application.rows('SELECT scale_id FROM filler_bag ORDER BY id DESC')[0] == (0,)


def test_the_application_changes_ends_and_reopens_jobs(application, store):
    job = store.start_job(order(), NOW, 'ann')
    scale = Scale(store, '2')
    scale.weigh()
    application.execute('UPDATE prepuff_job SET quantity = 2, target_weight = 30.00 WHERE id = :id', id=job.job_id)
    assert scale.weigh()[0].outcome is ToleranceResult.UNDER and scale.weigh('29')[0].number == 3
    assert application.job(job.job_id) == (3, 'completed')
    application.execute("UPDATE prepuff_job SET status = 'active', quantity = 9 WHERE id = :id", id=job.job_id)
    assert scale.weigh('30')[0].number == 4
    application.execute("UPDATE prepuff_job SET status = 'completed' WHERE id = :id", id=job.job_id)
    assert scale.weigh()[0].outcome is ToleranceResult.NO_ACTIVE_JOB
    application.execute("UPDATE prepuff_job SET status = 'active' WHERE id = :id", id=job.job_id)
    store.adopt_jobs(NOW)
    application.execute('DELETE FROM filler_bag WHERE prepuff_job_id = :id', id=job.job_id)
    application.execute('DELETE FROM prepuff_job WHERE id = :id', id=job.job_id)
    assert scale.weigh()[0].outcome is ToleranceResult.NO_ACTIVE_JOB
    assert store.start_job(order(), NOW, 'ann').job_id > job.job_id


def test_of_two_active_jobs_at_a_station_the_first_counts_and_the_other_is_named(application, store):
    application.start_job('10.00', 3, 'A')
    application.start_job('0.00', 3, 'B')
    store.adopt_jobs(NOW)
    assert [text[:60] for text in store.conflicts] == [
        'the web application has a second active job at station A: jo',
        'job 4 of the web application has no station, target weight o',
    ]
    assert Scale(store).weigh()[0].job_id == 2
    application.execute("UPDATE prepuff_job SET status = 'completed' WHERE id = 2")
    store.adopt_jobs(NOW)
    assert [job.job_id for job in store.jobs() if job.active] == [3] and len(store.conflicts) == 1


@EVERYWHERE
def test_both_write_at_the_same_time_and_no_bag_is_miscounted(application, url):
    application.start_job('27.50', 1000, 'B')
    store = open_store(url)

    def by_hand():
        for _ in range(40):
            application.add_bag(3, '27.00')

    thread = threading.Thread(target=by_hand)
    thread.start()
    scale = Scale(store, '2')
    for _ in range(20):
        scale.weigh(number=3)
    thread.join()
    store.adopt_jobs(NOW + 10 * SECOND)
    job = next(job for job in store.jobs() if job.station == 'B')
    assert application.job(3) == (100, 'active') and job.bags_completed == job.bags_numbered == 100
    assert len(application.rows('SELECT id FROM filler_bag WHERE prepuff_job_id = 3')) == 100


def test_bags_that_are_posted_to_the_application_are_recorded_by_it_alone(application, url):
    store = open_store(url, deliver=True)
    bags = Scale(store).weigh(number=3)
    assert [bag.number for bag in bags] == [1, 2, 3] and application.job(2) == (2, 'active')
    assert len(application.rows('SELECT id FROM filler_bag')) == 3
    application.execute("UPDATE prepuff_job SET status = 'completed' WHERE id = 2")
    store.adopt_jobs(NOW)
    assert not store.jobs()[0].active


def test_columns_that_the_cell_cannot_fill_are_named(tmp_path):
    url = f'sqlite:///{tmp_path}/shared.db'
    application = WebApplication(url)
    application.execute("ALTER TABLE filler_bag ADD COLUMN batch VARCHAR(9) NOT NULL DEFAULT ''")
    assert open_store(url).adopt_jobs(NOW)
    application.execute('ALTER TABLE filler_bag DROP COLUMN unit')
    application.execute('ALTER TABLE prepuff_job DROP COLUMN quantity')
    with pytest.raises(DatabaseError, match='prepuff_job has no column quantity; filler_bag has no column unit'):
        open_store(url)


def test_a_company_that_the_application_must_add_is_said_so(tmp_path):
    url = f'sqlite:///{tmp_path}/shared.db'
    application = WebApplication(url)
    application.execute('DROP TABLE filler_bag')
    application.execute('DROP TABLE prepuff_job')
    application.execute('DROP TABLE prepuff_company')
    application.execute('CREATE TABLE prepuff_company (id INT PRIMARY KEY, title VARCHAR(50), tax_id INT NOT NULL)')
    application.execute("INSERT INTO prepuff_company VALUES (7, 'ACME', 1)")
    store = open_store(url)
    assert store.start_job(order(), NOW, 'ann').company == 'ACME' and store.companies() == ['ACME']
    with pytest.raises(JobError, match='does not know company "Bolt"'):
        store.start_job(order('A', 'Bolt'), NOW, 'ann')


DOCUMENTED = {
    'prepuff_company': {'id': 'INTEGER', 'name': 'VARCHAR(255)'},
    'prepuff_job': {
        'id': 'INTEGER',
        'prepuff_company_id': 'INTEGER',
        'target_weight': 'DECIMAL(10, 2)',
        'quantity': 'INTEGER',
        'bags_completed': 'INTEGER',
        'station': 'VARCHAR(50)',
        'status': 'ENUM',
        'started_by_id': 'INTEGER',
        'started_at': 'DATETIME',
    },
    'filler_bag': {
        'id': 'INTEGER',
        'prepuff_job_id': 'INTEGER',
        'weight': 'DECIMAL(10, 2)',
        'unit': 'VARCHAR(10)',
        'scale_id': 'INTEGER',
        'in_tolerance': 'BOOLEAN',
        'weighed_at': 'DATETIME',
    },
}
SPELLINGS = {
    'TIMESTAMP': 'DATETIME',
    'NUMERIC(10, 2)': 'DECIMAL(10, 2)',
    'INTEGER(11)': 'INTEGER',
    'TINYINT(1)': 'BOOLEAN',
    'TINYINT': 'BOOLEAN',
}


@EVERYWHERE
def test_tables_that_the_cell_makes_have_the_documented_columns_and_no_others(url):
    store = open_store(url)
    store.start_job(order(), NOW, 'ann')
    inspector = inspect(create_engine(url))
    for table, columns in DOCUMENTED.items():
        found = {column['name']: str(column['type']).upper() for column in inspector.get_columns(table)}
        found = {name: SPELLINGS.get(kind, kind) for name, kind in found.items()}
        if table == 'prepuff_job':
            assert found['status'][:4] in ('ENUM', 'PREP', 'VARC')
            found['status'] = 'ENUM'
        assert found == columns
        assert list(found) == list(columns)
    with create_engine(url).begin() as connection:
        connection.execute(text("INSERT INTO filler_bag VALUES (77, 1, 27.5, 'lb', 2, TRUE, '2026-09-21 14:16:00')"))
    assert store.adopt_jobs(NOW) == 1
