"""Benchmarks."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table(
        'vision_benchmarks',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('part_number', sa.String(64), nullable=False),
        sa.Column('version', sa.Integer, nullable=False),
        sa.Column('texts', sa.JSON, nullable=False),
        sa.Column('identifying', sa.JSON, nullable=False),
        sa.Column('operator_id', sa.String(128), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint('part_number', 'version'),
    )


def downgrade() -> None:
    op.drop_table('vision_benchmarks')
