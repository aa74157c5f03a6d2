"""The tables of the existing web application: `prepuff_company`, `prepuff_job` and `filler_bag`.

The cell shares them with the application and uses the documented columns only; everything else that it knows of a job or a bag
stands in `weigh_job` and `weigh_bag`. `target_weight` and `weight` are pounds with two places; `bags_completed` counts all bags
that are not voided, good ones or not. Times are UTC in whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cell_common.database import DatabaseError
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Engine,
    Inspector,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    TypeDecorator,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine, UserDefinedType

from cell_weighing.domain.jobs import Bag, JobError, JobRequest
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import convert
from cell_weighing.storage.tables import ApplicationRow, OperatorRow, WeighJobRow

POUND = 'lb'
TABLES = ('prepuff_company', 'prepuff_job', 'filler_bag')
USER_NAMES = ('username', 'login', 'name', 'email')
"""Columns that may hold the name under which an operator is known, in the table that `started_by_id` refers to."""


class Hundredths(TypeDecorator[Decimal]):
    """DECIMAL(10,2); passed as text to SQLite, which has no decimal type and stores the number."""

    impl = Numeric(10, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of a dialect."""
        return dialect.type_descriptor(String(16) if dialect.name == 'sqlite' else Numeric(10, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Round to two places before a value is stored.

        Args:
            value: Any number of places.
            dialect: SQLite has no decimal type and gets a text.
        """
        rounded = None if value is None else value.quantize(Decimal('0.01'))
        return str(rounded) if rounded is not None and dialect.name == 'sqlite' else rounded

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return a stored value as a Decimal."""
        return None if value is None else Decimal(str(value)).quantize(Decimal('0.01'))


class State(UserDefinedType[str]):
    """ENUM('active', 'completed'), whatever the database calls its type: values are passed without a cast."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type for a statement that creates a table."""
        return 'VARCHAR(9)'


Seconds = DateTime().with_variant(
    sqlite.DATETIME(
        storage_format='%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d',
        regexp=r'(\d+)-(\d+)-(\d+)[ T](\d+):(\d+):(\d+)',
    ),
    'sqlite',
)
"""DATETIME without fractions, as MySQL has it."""

JOB = Table(
    'prepuff_job',
    MetaData(),
    Column('id', Integer, primary_key=True),
    Column('prepuff_company_id', Integer),
    Column('target_weight', Hundredths),
    Column('quantity', Integer),
    Column('bags_completed', Integer),
    Column('station', String(50)),
    Column('status', State),
    Column('started_by_id', Integer),
    Column('started_at', Seconds),
)
BAG = Table(
    'filler_bag',
    MetaData(),
    Column('id', Integer, primary_key=True),
    Column('prepuff_job_id', Integer),
    Column('weight', Hundredths),
    Column('unit', String(10)),
    Column('scale_id', Integer),
    Column('in_tolerance', Boolean),
    Column('weighed_at', Seconds),
)


def pounds(weight: Decimal, unit: str) -> Decimal:
    """Return a weight in the unit of the web application's columns, with their two places.

    Args:
        weight: Number as the indicator sent it.
        unit: Its unit, e.g. "kg".
    """
    return convert(weight, unit, POUND, places=2)


class WebApplicationTables:
    """Writes jobs, bags and counts for the web application, in the transactions of the cell's own tables.

    Attributes:
        records_bags: Whether the cell writes bags and counts there. False when the application has made the tables and the bags
            are posted to it as well: it then records them itself.
        company: Table of companies.
    """

    def __init__(self, engine: Engine, *, posts: bool) -> None:
        """Look at the tables.

        Args:
            engine: The open, migrated database.
            posts: Whether bags are posted to the web application.

        Raises:
            DatabaseError: A table lacks a documented column, or cannot be written by the cell.
        """
        inspector = inspect(engine)
        columns = {name: inspector.get_columns(name) for name in TABLES}
        with Session(engine) as session:
            made = session.get(ApplicationRow, 1)
        self.records_bags = not posts or (made is not None and made.made_tables)
        self._assigns_ids = engine.dialect.name == 'sqlite'
        names = _text_columns(columns['prepuff_company'])
        problems = [] if names else ['prepuff_company has no column for the name']
        self.company = Table(
            'prepuff_company',
            MetaData(),
            Column('id', Integer, primary_key=True),
            Column('name' if 'name' in names else (names or ['name'])[0], String(255), key='name'),
        )
        for table in (JOB, BAG):
            problems += _problems(table, columns[table.name], dialect=engine.dialect.name)
        if problems:
            raise DatabaseError(
                f'the tables of the web application cannot be used: {"; ".join(problems)}. '
                'Give the cell a database of its own (launch argument database_url), or correct the tables.'
            )
        self._adds_companies = not _unknown_required(columns['prepuff_company'], {'id', str(self.company.c.name.name)})
        started_by = next(column for column in columns['prepuff_job'] if column['name'] == 'started_by_id')
        self._user_required = not started_by['nullable']
        self._users = _user_table(inspector)

    def add_job(self, session: Session, request: JobRequest, started_at: datetime, started_by: str) -> int:
        """Insert a new job and return its number.

        Raises:
            JobError: The application must know the company or the operator, and does not.
        """
        values: dict[str, object] = {
            'prepuff_company_id': self._company_id(session, request.company),
            'target_weight': pounds(request.band.target, request.band.unit),
            'quantity': request.quantity,
            'bags_completed': 0,
            'station': request.station,
            'status': 'active',
            'started_by_id': self._user_id(session, started_by),
            'started_at': started_at.replace(microsecond=0),
        }
        if self._assigns_ids:
            # Above those of the cell as well: a job that was deleted in the application keeps its number here.
            latest = [session.scalar(select(func.max(column))) or 0 for column in (JOB.c.id, WeighJobRow.id)]
            values['id'] = max(latest) + 1
        return _insert(session, JOB, values)

    def prepare_bags(self, bags: Iterable[tuple[Bag, datetime]]) -> list[dict[str, object] | None]:
        """Return the row of each bag with its time, for `add_bags`; None = it has none there."""
        return [_bag_values(bag, at) if self.records_bags and bag.job_id else None for bag, at in bags]

    def add_bags(self, session: Session, prepared: Sequence[dict[str, object] | None]) -> list[int | None]:
        """Insert the rows of `prepare_bags`, and return the number of each."""
        rows = [row for row in prepared if row is not None]
        if not rows:
            return [None] * len(prepared)
        if self._assigns_ids:
            first = (session.scalar(select(func.max(BAG.c.id))) or 0) + 1
            numbers = iter(range(first, first + len(rows)))
            session.connection().execute(insert(BAG), [row | {'id': first + n} for n, row in enumerate(rows)])
        else:
            numbers = iter(session.scalars(insert(BAG).returning(BAG.c.id, sort_by_parameter_order=True), rows).all())
        return [None if row is None else next(numbers) for row in prepared]

    def count(self, session: Session, job_id: int, added: int, *, completed: bool) -> None:
        """Add to the count of a job, and complete it.

        Args:
            session: Open session.
            job_id: Number of the job.
            added: Bags that count in addition; below 0 for voided ones.
            completed: The job ends.
        """
        if not self.records_bags or not (added or completed):
            return
        # Relative: the application counts its own bags in this column.
        values: dict[str, object] = {'bags_completed': func.coalesce(JOB.c.bags_completed, 0) + added}
        if completed:
            values['status'] = 'completed'
        session.execute(update(JOB).where(JOB.c.id == job_id).values(values))

    def set_state(self, session: Session, job_id: int, state: str, quantity: int) -> None:
        """Write the state of a job that an operator has ended or reopened, "active" or "completed", and its quantity."""
        session.execute(update(JOB).where(JOB.c.id == job_id).values(status=state, quantity=quantity))

    def company_names(self, session: Session, limit: int) -> list[str]:
        """Return the companies, the latest first, at most `limit` of them."""
        names = session.scalars(select(self.company.c.name).order_by(self.company.c.id.desc()).limit(limit))
        return [name for name in names if name]

    def company_name(self, session: Session, company_id: int | None) -> str:
        """Return the name of a company; "" = there is no such company."""
        return session.scalar(select(self.company.c.name).where(self.company.c.id == company_id)) or ''

    def _company_id(self, session: Session, name: str) -> int:
        found = session.scalar(select(func.min(self.company.c.id)).where(self.company.c.name == name))
        if found is not None:
            return int(found)
        if not self._adds_companies:
            raise JobError(f'the web application does not know company "{name}": add it there first, or choose one of the list')
        values: dict[str, object] = {'name': name}
        if self._assigns_ids:
            values['id'] = (session.scalar(select(func.max(self.company.c.id))) or 0) + 1
        return _insert(session, self.company, values)

    def _user_id(self, session: Session, name: str) -> int | None:
        """Return the number of an operator for `started_by_id`; None = there is none."""
        number = int(name) if re.fullmatch(r'[0-9]{1,9}', name, re.ASCII) else None
        found = number if self._users is None else _find_user(session, self._users, name, number)
        if found is None and self._users is None and name:
            found = _operator_number(session, name)
        if found is None and self._user_required:
            if self._users is None:
                return 0
            raise JobError(f'the web application does not know the user "{name}": enter a name that it knows as the operator')
        return found


def _bag_values(bag: Bag, weighed_at: datetime) -> dict[str, object]:
    scale = bag.posted_scale
    return {
        'prepuff_job_id': bag.job_id,
        'weight': pounds(Decimal(bag.weight), bag.unit),
        'unit': POUND,
        # 0: a name that is no number, which the column cannot hold.
        'scale_id': int(scale) if re.fullmatch(r'[0-9]{1,9}', scale, re.ASCII) else 0,
        'in_tolerance': bag.outcome is ToleranceResult.IN_TOLERANCE,
        'weighed_at': weighed_at.replace(microsecond=0),
    }


def _insert(session: Session, table: Table, values: dict[str, object]) -> int:
    """Insert a row and return its number."""
    key = session.connection().execute(insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _operator_number(session: Session, name: str) -> int:
    """Return the number of an operator, assigned at the first job."""
    row = session.scalars(select(OperatorRow).where(OperatorRow.name == name)).first()
    if row is None:
        row = OperatorRow(name=name)
        session.add(row)
        session.flush()
    return row.id


def _find_user(session: Session, users: Table, name: str, number: int | None) -> int | None:
    """Return the number of a user of the web application; None = it knows no such user."""
    (key,) = users.primary_key.columns
    if number is not None and session.scalar(select(key).where(key == number)) is not None:
        return number
    for column in users.columns:
        if column is not key and (found := session.scalar(select(key).where(column == name).limit(1))) is not None:
            return int(found)
    return None


def _user_table(inspector: Inspector) -> Table | None:
    """Return the table that `started_by_id` refers to, with the columns that may hold a name; None = there is none."""
    for key in inspector.get_foreign_keys('prepuff_job'):
        if key['constrained_columns'] == ['started_by_id']:
            names = [name for name in USER_NAMES if name in {c['name'] for c in inspector.get_columns(key['referred_table'])}]
            return Table(
                key['referred_table'],
                MetaData(),
                Column((key['referred_columns'] or ['id'])[0], Integer, primary_key=True),
                *(Column(name, String(255)) for name in names),
                schema=key['referred_schema'],
            )
    return None


def _text_columns(columns: Sequence[ReflectedColumn]) -> list[str]:
    return [column['name'] for column in columns if isinstance(column['type'], String)]


def _unknown_required(columns: Sequence[ReflectedColumn], known: set[str]) -> list[str]:
    """Return the columns that need a value which the cell does not have."""
    return [
        column['name']
        for column in columns
        if column['name'] not in known
        and not column['nullable']
        and column['default'] is None
        and not column.get('computed')
        and not column.get('identity')
    ]


def _problems(table: Table, columns: Sequence[ReflectedColumn], *, dialect: str) -> list[str]:
    """Return why the cell cannot use a table."""
    documented = {column.name for column in table.columns}
    found = {column['name']: column for column in columns}
    problems = [f'{table.name} has no column {name}' for name in sorted(documented - set(found))]
    problems += [f'{table.name}.{name} needs a value and has no default' for name in _unknown_required(columns, documented)]
    key = found.get('id')
    # On SQLite the cell assigns the numbers itself.
    if key and dialect != 'sqlite' and not (key.get('autoincrement') is True or key['default'] or key.get('identity')):
        problems.append(f'{table.name}.id is not numbered by the database (AUTO_INCREMENT)')
    return problems
