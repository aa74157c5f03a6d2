"""The delivery ledger, and the zone of each bag."""

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import bag_table

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    op.add_column(bag_table(), sa.Column('zone', sa.SmallInteger, nullable=False, server_default='0'))
    op.create_table(
        'weigh_delivery',
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('reading_id', sa.String(36), nullable=False, unique=True),
        sa.Column('station', sa.String(64), nullable=False),
        sa.Column('scale_id', sa.String(32), nullable=False),
        sa.Column('weight', sa.String(20), nullable=False),
        sa.Column('unit', sa.String(2), nullable=False),
        sa.Column('state', sa.SmallInteger, nullable=False),
        sa.Column('attempts', sa.Integer, nullable=False),
        sa.Column('received_ns', sa.BigInteger, nullable=False),
        sa.Column('validated_ns', sa.BigInteger, nullable=False),
        sa.Column('stored_ns', sa.BigInteger),
        sa.Column('posted_ns', sa.BigInteger),
        sa.Column('acknowledged_ns', sa.BigInteger),
        sa.Column('http_status', sa.Integer),
        sa.Column('error', sa.String(200), nullable=False),
        sa.Column('bag_id', sa.BigInteger),
        sa.Column('bag_num', sa.BigInteger),
        sa.Column('in_tolerance', sa.Boolean),
        sa.Column('job_complete', sa.Boolean),
    )
    op.create_index('weigh_delivery_lane', 'weigh_delivery', ['state', 'station', 'id'])
