"""Entries name their command and evidence; indexes for the entries of one part and for the latest manual entry."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

MANUAL = sa.text('job_id IS NULL AND kind IN (3, 4, 5, 7)')


def upgrade() -> None:
    op.add_column('stock_ledger', sa.Column('request_id', sa.String(64)))
    op.add_column('stock_ledger', sa.Column('evidence', sa.Text))
    op.create_index('stock_ledger_by_part', 'stock_ledger', ['part_number', 'sequence'])
    op.create_index('stock_ledger_manual', 'stock_ledger', ['sequence'], sqlite_where=MANUAL, postgresql_where=MANUAL)


def downgrade() -> None:
    op.drop_index('stock_ledger_manual', 'stock_ledger')
    op.drop_index('stock_ledger_by_part', 'stock_ledger')
    op.drop_column('stock_ledger', 'evidence')
    op.drop_column('stock_ledger', 'request_id')
