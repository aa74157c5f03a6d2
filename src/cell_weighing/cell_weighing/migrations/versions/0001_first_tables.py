"""Journal of readings, weigh jobs, bags."""

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import has_web_application

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')
HUNDREDTHS = sa.Numeric(10, 2).with_variant(sa.String(16), 'sqlite')


def text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default='')


def upgrade() -> None:
    shared = has_web_application()
    job, bag = ('weigh_job', 'weigh_bag') if shared else ('prepuff_job', 'filler_bag')
    op.create_table(
        'weigh_reading',
        sa.Column('reading_id', sa.String(36), primary_key=True),
        sa.Column('scale_id', sa.String(32), nullable=False),
        sa.Column('sequence', sa.BigInteger, nullable=False),
        sa.Column('received_ns', sa.BigInteger, nullable=False),
        sa.Column('monotonic_ns', sa.BigInteger, nullable=False),
        sa.Column('boot_id', sa.String(36), nullable=False),
        sa.Column('raw', sa.LargeBinary, nullable=False),
        sa.Column('status', sa.SmallInteger, nullable=False),
        text('weight', 20),
        text('unit', 2),
        sa.Column('stability', sa.SmallInteger, nullable=False),
        sa.Column('mode', sa.SmallInteger, nullable=False),
        text('tare', 20),
        text('message', 200),
        text('peer', 64),
        sa.UniqueConstraint('scale_id', 'sequence'),
    )
    op.create_table(
        'weigh_scale',
        sa.Column('scale_id', sa.String(32), primary_key=True),
        sa.Column('last_sequence', sa.BigInteger, nullable=False),
        sa.Column('valid_readings', sa.BigInteger, nullable=False),
    )
    op.create_table(
        'weigh_cursor',
        sa.Column('scale_id', sa.String(32), primary_key=True),
        sa.Column('sequence', sa.BigInteger, nullable=False),
    )
    if not shared:
        op.create_table(
            'prepuff_company',
            sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
            sa.Column('name', sa.String(255), nullable=False, unique=True),
        )
    company = [] if shared else [sa.ForeignKey('prepuff_company.id')]
    op.create_table(
        job,
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('prepuff_company_id', BIG_KEY, *company, nullable=False),
        sa.Column('target_weight', HUNDREDTHS, nullable=False),
        sa.Column('quantity', sa.Integer, nullable=False),
        sa.Column('bags_completed', sa.Integer, nullable=False, server_default='0'),
        sa.Column('station', sa.String(64), nullable=False, index=True),
        sa.Column('status', sa.Enum('active', 'completed', name=f'{job}_status'), nullable=False),
        sa.Column('started_by_id', sa.BigInteger),
        sa.Column('started_at', sa.DateTime, nullable=False),
        sa.Column('target', sa.String(20), nullable=False),
        sa.Column('unit', sa.String(2), nullable=False),
        sa.Column('tolerance', sa.String(20), nullable=False),
        sa.Column('bags_out', sa.Integer, nullable=False, server_default='0'),
        sa.Column('bags_numbered', sa.Integer, nullable=False, server_default='0'),
        text('started_by', 64),
        sa.Column('started_ns', sa.BigInteger, nullable=False),
        sa.Column('finished_ns', sa.BigInteger),
        text('ended_by', 64),
        text('end_reason', 200),
    )
    op.create_index(
        'one_active_job_a_station',
        job,
        ['station'],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        bag,
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('prepuff_job_id', BIG_KEY, sa.ForeignKey(f'{job}.id'), index=True),
        sa.Column('weight', HUNDREDTHS, nullable=False),
        sa.Column('unit', sa.String(2), nullable=False),
        sa.Column('scale_id', sa.String(32), nullable=False),
        sa.Column('in_tolerance', sa.Boolean, nullable=False),
        sa.Column('weighed_at', sa.DateTime, nullable=False),
        sa.Column('reading_id', sa.String(36), nullable=False, unique=True),
        sa.Column('weight_exact', sa.String(20), nullable=False),
        sa.Column('station', sa.String(64), nullable=False),
        sa.Column('bag_number', sa.Integer, nullable=False),
        sa.Column('outcome', sa.SmallInteger, nullable=False),
        sa.Column('weighed_ns', sa.BigInteger, nullable=False),
        sa.Column('stability', sa.SmallInteger, nullable=False),
        text('message', 200),
    )
    op.create_table(
        'weigh_void',
        sa.Column('bag_id', BIG_KEY, sa.ForeignKey(f'{bag}.id'), primary_key=True, autoincrement=False),
        sa.Column('voided_ns', sa.BigInteger, nullable=False),
        sa.Column('voided_by', sa.String(64), nullable=False),
        sa.Column('reason', sa.String(200), nullable=False),
    )
