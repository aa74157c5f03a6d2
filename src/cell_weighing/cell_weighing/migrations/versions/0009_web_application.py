"""Tables of the web application as it knows them: weights in lb, all bags counted, its own INSERTs; and undone voids.

`prepuff_job.target_weight` and `filler_bag.weight` are pounds, as the web application reads them; the digits as sent and their
unit are in columns of their own. `bags_completed` counts all bags that are not voided, `bags_good` those in tolerance. Columns
that the web application does not know have defaults.
"""

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import bag_table, job_table

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

PAGE = 1000
BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')
POUNDS = {
    'kg': Decimal(1) / Decimal('0.45359237'),
    'g': Decimal('0.001') / Decimal('0.45359237'),
    'oz': Decimal(1) / 16,
    't': Decimal(1000) / Decimal('0.45359237'),
    'lb': Decimal(1),
}
INDEX = 'one_active_job_a_station'
ACTIVE = sa.text("status = 'active'")


def upgrade() -> None:
    job_name, bag_name = job_table(), bag_table()
    op.drop_index(INDEX, job_name)
    with op.batch_alter_table(job_name) as job:
        job.add_column(sa.Column('bags_good', sa.Integer, nullable=False, server_default='0'))
        job.alter_column('target', existing_type=sa.String(20), existing_nullable=False, server_default='')
        job.alter_column('unit', existing_type=sa.String(2), type_=sa.String(10), existing_nullable=False, server_default='lb')
        job.alter_column('tolerance', existing_type=sa.String(20), existing_nullable=False, server_default='')
        job.alter_column('started_ns', existing_type=sa.BigInteger, existing_nullable=False, server_default='0')
    if op.get_bind().dialect.name in ('mysql', 'mariadb'):
        # They have no partial index: a column that is NULL for completed jobs stands for it.
        op.execute(
            f"ALTER TABLE {job_name} ADD COLUMN active_station VARCHAR(64) AS (IF(status = 'active', station, NULL)) VIRTUAL"
        )
        op.create_index(INDEX, job_name, ['active_station'], unique=True)
    else:
        op.create_index(INDEX, job_name, ['station'], unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
    with op.batch_alter_table(bag_name) as bag:
        bag.add_column(sa.Column('weight_unit', sa.String(10), nullable=False, server_default=''))
        bag.alter_column('unit', existing_type=sa.String(2), type_=sa.String(10), existing_nullable=False)
        bag.alter_column('reading_id', existing_type=sa.String(36), nullable=True)
        bag.alter_column('weight_exact', existing_type=sa.String(20), existing_nullable=False, server_default='')
        bag.alter_column('station', existing_type=sa.String(64), existing_nullable=False, server_default='')
        bag.alter_column('bag_number', existing_type=sa.Integer, existing_nullable=False, server_default='0')
        bag.alter_column('outcome', existing_type=sa.SmallInteger, existing_nullable=False, server_default='-1')
        bag.alter_column('weighed_ns', existing_type=sa.BigInteger, existing_nullable=False, server_default='0')
        bag.alter_column('stability', existing_type=sa.SmallInteger, existing_nullable=False, server_default='0')
    op.create_table(
        'weigh_undone_void',
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('bag_id', BIG_KEY, sa.ForeignKey(f'{bag_name}.id'), nullable=False, index=True),
        sa.Column('voided_ns', sa.BigInteger, nullable=False),
        sa.Column('voided_by', sa.String(64), nullable=False),
        sa.Column('void_reason', sa.String(200), nullable=False),
        sa.Column('undone_ns', sa.BigInteger, nullable=False),
        sa.Column('undone_by', sa.String(64), nullable=False),
        sa.Column('reason', sa.String(200), nullable=False),
    )
    op.create_table(
        'weigh_operator',
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('name', sa.String(64), nullable=False, unique=True),
    )
    _fill(job_name, bag_name)


def _fill(job: str, bag: str) -> None:
    connection = op.get_bind()
    connection.execute(sa.text(f'UPDATE {job} SET bags_good = bags_completed, bags_completed = bags_completed + bags_out'))
    connection.execute(sa.text(f'UPDATE {bag} SET weight_unit = unit'))
    for row in connection.execute(sa.text(f'SELECT id, target, unit FROM {job}')).all():
        connection.execute(
            sa.text(f'UPDATE {job} SET target_weight = :pounds WHERE id = :id'),
            {'id': row.id, 'pounds': _pounds(row.target, row.unit)},
        )
    last = 0
    page = sa.text(f"SELECT id, weight_exact, unit FROM {bag} WHERE id > :last AND unit != 'lb' ORDER BY id LIMIT :page")
    while rows := connection.execute(page, {'last': last, 'page': PAGE}).all():
        last = rows[-1].id
        connection.execute(
            sa.text(f"UPDATE {bag} SET weight = :pounds, unit = 'lb' WHERE id = :id"),
            [{'id': row.id, 'pounds': _pounds(row.weight_exact, row.unit)} for row in rows],
        )


def _pounds(digits: str, unit: str) -> str:
    return str((Decimal(digits) * POUNDS[unit]).quantize(Decimal('0.01')))
