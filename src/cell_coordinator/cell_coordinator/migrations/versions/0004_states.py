"""Each change of a job's state, for the figures: how long it ran, and why it stopped."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    op.create_table(
        'pick_state',
        sa.Column('state_id', KEY, primary_key=True, autoincrement=True),
        sa.Column('job_id', sa.String(64), nullable=False, index=True),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('reason', sa.Text, nullable=False),
        sa.Column('since_ns', sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table('pick_state')
