"""The existing web application, written from its documented tables: it makes them, and works on them with its own SQL."""

from __future__ import annotations

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

KEYS = {
    'sqlite': 'INTEGER PRIMARY KEY',
    'mysql': 'INT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    'postgresql': 'SERIAL PRIMARY KEY',
}
STATES = {'sqlite': 'VARCHAR(9)', 'mysql': "ENUM('active','completed')", 'postgresql': 'job_state'}
TABLES = (
    'CREATE TABLE auth_user (id {key}, username VARCHAR(150) NOT NULL)',
    "CREATE TABLE prepuff_company (id {key}, name VARCHAR(120) NOT NULL, phone VARCHAR(30) NOT NULL DEFAULT '')",
    'CREATE TABLE prepuff_job (id {key}, prepuff_company_id INT NOT NULL REFERENCES prepuff_company (id), '
    'target_weight DECIMAL(10,2) NOT NULL, quantity INT NOT NULL, bags_completed INT NOT NULL DEFAULT 0, '
    'station VARCHAR(50) NOT NULL, status {status} NOT NULL, started_by_id INT NULL, started_at {datetime} NOT NULL, '
    'FOREIGN KEY (started_by_id) REFERENCES auth_user (id))',
    'CREATE TABLE filler_bag (id {key}, prepuff_job_id INT NOT NULL, weight DECIMAL(10,2) NOT NULL, unit VARCHAR(10) NOT NULL, '
    'scale_id INT NOT NULL, in_tolerance BOOLEAN NOT NULL, weighed_at {datetime} NOT NULL, '
    'FOREIGN KEY (prepuff_job_id) REFERENCES prepuff_job (id))',
)
HISTORY = (
    "INSERT INTO auth_user (username) VALUES ('root'), ('ann')",
    "INSERT INTO prepuff_company (name) VALUES ('ACME'), ('Bolt'), ('Bolt')",
    'INSERT INTO prepuff_job (prepuff_company_id, target_weight, quantity, bags_completed, station, status, started_by_id, '
    "started_at) VALUES (2, 50.00, 1, 1, 'A', 'completed', 1, '2026-09-20 08:00:00'), "
    "(1, 27.50, 4, 2, 'A', 'active', 2, '2026-09-21 14:13:20')",
    'INSERT INTO filler_bag (prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at) VALUES '
    "(1, 50.10, 'lb', 1, TRUE, '2026-09-20 08:10:00'), (2, 27.40, 'lb', 1, TRUE, '2026-09-21 14:15:00'), "
    "(2, 21.00, 'lb', 1, FALSE, '2026-09-21 14:15:30')",
)
COUNT = 'UPDATE prepuff_job SET bags_completed = bags_completed + 1 WHERE id = :id'


class WebApplication:
    """The application's side of the shared database."""

    def __init__(self, url: str) -> None:
        """Make its tables, with a history of one completed and one active job."""
        self.engine = create_engine(url, poolclass=NullPool, connect_args={'timeout': 20} if 'sqlite' in url else {})
        self.dialect = self.engine.dialect.name.replace('mariadb', 'mysql')
        if self.dialect == 'sqlite':
            event.listen(self.engine, 'connect', lambda connection, _: connection.execute('PRAGMA foreign_keys=ON'))
        types = {
            'key': KEYS[self.dialect],
            'status': STATES[self.dialect],
            'datetime': 'TIMESTAMP' if self.dialect == 'postgresql' else 'DATETIME',
        }
        if self.dialect == 'postgresql':
            self.execute("CREATE TYPE job_state AS ENUM ('active', 'completed')")
        for statement in (*(table.format(**types) for table in TABLES), *HISTORY):
            self.execute(statement)

    def execute(self, statement: str, **values: object) -> None:
        """Run one statement in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a query, numbers as floats."""
        with self.engine.connect() as connection:
            found = connection.execute(text(statement))
            return [tuple(float(v) if hasattr(v, 'quantize') else v for v in row) for row in found]

    def job(self, job_id: int) -> tuple[object, ...]:
        """Return count and state of a job, as its page shows them."""
        return self.rows(f'SELECT bags_completed, status FROM prepuff_job WHERE id = {job_id}')[0]

    def start_job(self, target: str, quantity: int, station: str) -> None:
        """Start a job of ACME, as a user does on its page."""
        self.execute(
            'INSERT INTO prepuff_job (prepuff_company_id, target_weight, quantity, bags_completed, station, status, '
            "started_by_id, started_at) VALUES (1, :target, :quantity, 0, :station, 'active', 1, '2026-09-21 14:00:00')",
            target=target,
            quantity=quantity,
            station=station,
        )

    def add_bag(self, job_id: int, weight: str, *, good: bool = True) -> None:
        """Record a bag by hand and count it, as its own `scan_bag` does."""
        with self.engine.begin() as connection:
            connection.execute(
                text('UPDATE prepuff_job SET bags_completed = bags_completed + 1 WHERE id = :id'), {'id': job_id}
            )
            connection.execute(
                text(
                    'INSERT INTO filler_bag (prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at) '
                    "VALUES (:job, :weight, 'lb', 2, :good, '2026-09-21 14:16:00')"
                ),
                {'job': job_id, 'weight': weight, 'good': good},
            )

    def schema(self) -> dict[str, object]:
        """Return everything that the database says about the application's tables."""
        inspector = inspect(self.engine)
        return {
            table: (
                [(c['name'], str(c['type']), c['nullable'], c['default']) for c in inspector.get_columns(table)],
                inspector.get_pk_constraint(table),
                inspector.get_foreign_keys(table),
                inspector.get_indexes(table),
                inspector.get_unique_constraints(table),
            )
            for table in ('auth_user', 'prepuff_company', 'prepuff_job', 'filler_bag')
        }
