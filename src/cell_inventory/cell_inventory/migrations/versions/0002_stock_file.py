"""Counts on which the ledger and a synchronized stock file agreed last."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'stock_file',
        sa.Column('path', sa.String(512), primary_key=True),
        sa.Column('counts', sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table('stock_file')
