"""Tables of the cell beside those of the web application, which have their documented columns and no others.

Weigh jobs and bags stand in `weigh_job` and `weigh_bag`. Their counterparts `prepuff_job`, `filler_bag` and `prepuff_company`
are made when they are missing, and left as they are when the web application made them.
"""

import re
from datetime import datetime, timezone
from decimal import Decimal

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql

from cell_weighing.migrations.older_tables import WEB_APPLICATION

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

PAGE = 1000
BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')
STATES = ('active', 'completed')
STATUS = (
    sa.Enum(*STATES, name='prepuff_job_status', create_constraint=False)
    .with_variant(postgresql.ENUM(*STATES, name='prepuff_job_status', create_type=False), 'postgresql')
    .with_variant(mysql.ENUM(*STATES), 'mysql', 'mariadb')
)
INDEX = 'one_active_job_a_station'
ACTIVE = sa.text('finished_ns IS NULL')
OLD_COMPANY = 'weigh_old_company'
DROPPED_OF_JOB = ('prepuff_company_id', 'target_weight', 'bags_completed', 'status', 'started_by_id', 'started_at')
DROPPED_OF_BAG = ('weight', 'unit', 'in_tolerance', 'weighed_at')


def upgrade() -> None:
    tables = set(sa.inspect(op.get_bind()).get_table_names())
    shared = 'weigh_job' in tables
    if not shared:
        # The foreign keys of the other tables follow.
        op.rename_table('prepuff_job', 'weigh_job')
        op.rename_table('filler_bag', 'weigh_bag')
        op.rename_table('prepuff_company', OLD_COMPANY)
        tables -= set(WEB_APPLICATION)
        _rename_index('weigh_job', 'ix_prepuff_job_station', 'ix_weigh_job_station', 'station')
        _rename_index('weigh_bag', 'ix_filler_bag_prepuff_job_id', 'ix_weigh_bag_prepuff_job_id', 'prepuff_job_id')
    op.create_table(
        'weigh_application',
        sa.Column('id', sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column('made_tables', sa.Boolean, nullable=False),
    )
    op.get_bind().execute(sa.text('INSERT INTO weigh_application (id, made_tables) VALUES (1, :made)'), {'made': not shared})
    _create_missing(tables)
    op.add_column('weigh_job', sa.Column('company', sa.String(255), nullable=False, server_default=''))
    op.add_column('weigh_bag', sa.Column('filler_bag_id', sa.BigInteger))
    if not shared:
        _copy()
    _drop_columns(shared=shared)
    op.create_index('ix_weigh_bag_filler_bag_id', 'weigh_bag', ['filler_bag_id'], unique=True)


def _rename_index(table: str, old: str, new: str, column: str) -> None:
    """Free the name of an index, which belongs to the whole schema except on MariaDB."""
    if op.get_bind().dialect.name not in ('mysql', 'mariadb'):
        op.drop_index(old, table)
        op.create_index(new, table, [column])


def _create_missing(tables: set[str]) -> None:
    """Make the tables of the web application that do not exist, with the columns that it documents."""
    if 'prepuff_company' not in tables:
        op.create_table(
            'prepuff_company',
            sa.Column('id', sa.Integer, primary_key=True, autoincrement=True),
            sa.Column('name', sa.String(255), nullable=False, unique=True),
            sqlite_autoincrement=True,
        )
    if 'prepuff_job' not in tables:
        if op.get_bind().dialect.name == 'postgresql':
            postgresql.ENUM(*STATES, name='prepuff_job_status').create(op.get_bind(), checkfirst=True)
        op.create_table(
            'prepuff_job',
            sa.Column('id', sa.Integer, primary_key=True, autoincrement=True),
            sa.Column('prepuff_company_id', sa.Integer, *_key_of('prepuff_company', tables), nullable=False),
            sa.Column('target_weight', sa.DECIMAL(10, 2), nullable=False),
            sa.Column('quantity', sa.Integer, nullable=False),
            sa.Column('bags_completed', sa.Integer, nullable=False, server_default='0'),
            sa.Column('station', sa.String(50), nullable=False, index=True),
            sa.Column('status', STATUS, nullable=False, server_default='active'),
            sa.Column('started_by_id', sa.Integer),
            sa.Column('started_at', sa.DateTime, nullable=False),
            sqlite_autoincrement=True,
        )
    if 'filler_bag' not in tables:
        op.create_table(
            'filler_bag',
            sa.Column('id', sa.Integer, primary_key=True, autoincrement=True),
            sa.Column('prepuff_job_id', sa.Integer, *_key_of('prepuff_job', tables), nullable=False, index=True),
            sa.Column('weight', sa.DECIMAL(10, 2), nullable=False),
            sa.Column('unit', sa.String(10), nullable=False),
            sa.Column('scale_id', sa.Integer, nullable=False),
            sa.Column('in_tolerance', sa.Boolean, nullable=False),
            sa.Column('weighed_at', sa.DateTime, nullable=False),
            sqlite_autoincrement=True,
        )


def _key_of(table: str, tables: set[str]) -> list[sa.ForeignKey]:
    """Return the reference to a table that is made here; one of the web application may have keys of another type."""
    return [] if table in tables else [sa.ForeignKey(f'{table}.id')]


def _copy() -> None:
    """Fill the tables of the web application with the jobs and bags of an older release."""
    connection = op.get_bind()
    _complete(connection)
    op.execute(f'INSERT INTO prepuff_company (id, name) SELECT id, name FROM {OLD_COMPANY}')
    op.execute(
        'INSERT INTO prepuff_job (id, prepuff_company_id, target_weight, quantity, bags_completed, station, status, '
        'started_by_id, started_at) SELECT id, prepuff_company_id, target_weight, quantity, bags_completed, '
        'SUBSTR(station, 1, 50), status, started_by_id, started_at FROM weigh_job'
    )
    op.execute(
        f'UPDATE weigh_job SET company = (SELECT name FROM {OLD_COMPANY} WHERE {OLD_COMPANY}.id = weigh_job.prepuff_company_id)'
    )
    page = sa.text(
        'SELECT id, prepuff_job_id, weight, unit, scale_id, stands_for, in_tolerance, weighed_at FROM weigh_bag '
        'WHERE id > :last AND prepuff_job_id IS NOT NULL ORDER BY id LIMIT :page'
    )
    insert = sa.text(
        'INSERT INTO filler_bag (id, prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at) '
        'VALUES (:id, :prepuff_job_id, :weight, :unit, :scale, :in_tolerance, :weighed_at)'
    )
    last = 0
    while rows := connection.execute(page, {'last': last, 'page': PAGE}).mappings().all():
        last = rows[-1]['id']
        connection.execute(insert, [row | {'scale': _number(row['stands_for'] or row['scale_id'])} for row in map(dict, rows)])
    op.execute('UPDATE weigh_bag SET filler_bag_id = id WHERE prepuff_job_id IS NOT NULL')
    if connection.dialect.name == 'postgresql':
        for table in WEB_APPLICATION:
            op.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
            )


def _number(scale: str) -> int:
    """Return the number of a scale; 0 = its name is no number that the column can hold."""
    return int(scale) if re.fullmatch(r'[0-9]{1,9}', scale) else 0


def _complete(connection: sa.Connection) -> None:
    """Complete the rows that the web application had inserted, which lack the columns of the cell."""
    names = ('id', 'target_weight', 'target', 'unit', 'tolerance', 'status', 'started_ns', 'finished_ns')
    jobs = sa.table('weigh_job', *map(sa.column, names), sa.column('started_at', sa.DateTime))
    for row in connection.execute(sa.select(jobs.c.id, jobs.c.started_at).where(jobs.c.started_ns == 0)).all():
        connection.execute(jobs.update().where(jobs.c.id == row.id).values(started_ns=_utc_ns(row.started_at)))
    pounds = sa.cast(jobs.c.target_weight, sa.String(20))
    connection.execute(jobs.update().where(jobs.c.target == '').values(target=pounds, unit='lb', tolerance='0.10'))
    ended = (jobs.c.status == sa.literal_column("'completed'")) & jobs.c.finished_ns.is_(None)
    connection.execute(jobs.update().where(ended).values(finished_ns=jobs.c.started_ns))
    targets = {row.id: row.target_weight for row in connection.execute(sa.select(jobs.c.id, jobs.c.target_weight))}
    names = ('id', 'prepuff_job_id', 'weight', 'weight_exact', 'weight_unit', 'outcome', 'in_tolerance', 'weighed_ns')
    bags = sa.table('weigh_bag', *map(sa.column, names), sa.column('weighed_at', sa.DateTime))
    for row in connection.execute(bags.select().where(bags.c.weighed_ns == 0)).all():
        target = Decimal(str(targets.get(row.prepuff_job_id, 0)))
        values = {
            'weight_exact': str(row.weight),
            'weight_unit': 'lb',
            'weighed_ns': _utc_ns(row.weighed_at),
            'outcome': 0 if row.in_tolerance else 1 if Decimal(str(row.weight)) < target else 2,
        }
        connection.execute(bags.update().where(bags.c.id == row.id).values(values))


def _utc_ns(moment: datetime) -> int:
    return int(moment.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000_000


def _drop_columns(*, shared: bool) -> None:
    """Remove from the tables of the cell what stands in those of the web application."""
    dialect = op.get_bind().dialect.name
    op.drop_index(INDEX, 'weigh_job')
    if dialect in ('mysql', 'mariadb'):
        for key in sa.inspect(op.get_bind()).get_foreign_keys('weigh_job'):
            op.drop_constraint(str(key['name']), 'weigh_job', type_='foreignkey')
        op.drop_column('weigh_job', 'active_station')
    with op.batch_alter_table('weigh_job') as job:
        for name in DROPPED_OF_JOB:
            job.drop_column(name)
    with op.batch_alter_table('weigh_bag') as bag:
        for name in DROPPED_OF_BAG:
            bag.drop_column(name)
    if not shared:
        op.drop_table(OLD_COMPANY)
    if dialect in ('mysql', 'mariadb'):
        # They have no partial index: a column that is NULL for completed jobs stands for it.
        op.execute(
            'ALTER TABLE weigh_job ADD COLUMN active_station VARCHAR(64) AS (IF(finished_ns IS NULL, station, NULL)) VIRTUAL'
        )
        op.create_index(INDEX, 'weigh_job', ['active_station'], unique=True)
    else:
        op.create_index(INDEX, 'weigh_job', ['station'], unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
    if dialect == 'postgresql' and shared:
        op.execute('DROP TYPE weigh_job_status')
