"""Tare of a job, net weight of a bag, and jobs that are made active again."""

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import bag_table, job_table

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    job, bag = job_table(), bag_table()
    op.add_column(job, sa.Column('tare', sa.String(20), nullable=False, server_default='0'))
    op.add_column(job, sa.Column('bags_voided', sa.Integer, nullable=False, server_default='0'))
    op.add_column(bag, sa.Column('net_weight', sa.String(40), nullable=False, server_default=''))
    op.execute(f'UPDATE {bag} SET net_weight = weight_exact WHERE zone != 0')
    op.execute(
        f'UPDATE {job} SET bags_voided = (SELECT COUNT(*) FROM weigh_void JOIN {bag} '
        f'ON {bag}.id = weigh_void.bag_id WHERE {bag}.prepuff_job_id = {job}.id)'
    )
    op.create_table(
        'weigh_reopen',
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('prepuff_job_id', BIG_KEY, sa.ForeignKey(f'{job}.id'), nullable=False, index=True),
        sa.Column('ended_ns', sa.BigInteger, nullable=False),
        sa.Column('reopened_ns', sa.BigInteger, nullable=False),
        sa.Column('reopened_by', sa.String(64), nullable=False),
        sa.Column('reason', sa.String(200), nullable=False),
        sa.Column('quantity_before', sa.Integer, nullable=False),
        sa.Column('quantity', sa.Integer, nullable=False),
    )
