"""The stock ledger."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'stock_ledger',
        sa.Column('sequence', sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column('stamp_ns', sa.BigInteger, nullable=False),
        sa.Column('kind', sa.SmallInteger, nullable=False),
        sa.Column('part_number', sa.String(64), nullable=False),
        sa.Column('tray', sa.SmallInteger, nullable=False),
        sa.Column('delta', sa.Integer, nullable=False),
        sa.Column('count_after', sa.Integer, nullable=False),
        sa.Column('job_id', sa.String(64)),
        sa.Column('piece', sa.Integer),
        sa.Column('operator_id', sa.String(128), nullable=False),
        sa.Column('reason', sa.Text, nullable=False),
        sa.Column('undoes', sa.BigInteger, sa.ForeignKey('stock_ledger.sequence')),
        sa.UniqueConstraint('job_id', 'piece', name='one_booking_a_piece'),
        sa.UniqueConstraint('undoes', name='one_undo_an_entry'),
        sa.CheckConstraint('count_after >= 0', name='count_not_negative'),
    )
    op.create_index('stock_ledger_by_tray', 'stock_ledger', ['part_number', 'tray', 'delta'])


def downgrade() -> None:
    op.drop_table('stock_ledger')
