"""Indexes for the entries of a time, and of a part in a time."""

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('stock_ledger_by_time', 'stock_ledger', ['stamp_ns', 'sequence'])
    op.create_index('stock_ledger_by_part_and_time', 'stock_ledger', ['part_number', 'stamp_ns', 'sequence'])


def downgrade() -> None:
    op.drop_index('stock_ledger_by_part_and_time', 'stock_ledger')
    op.drop_index('stock_ledger_by_time', 'stock_ledger')
