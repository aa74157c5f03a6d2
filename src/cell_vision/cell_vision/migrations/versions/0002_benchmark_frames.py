"""How many frames a benchmark was read from."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.add_column('vision_benchmarks', sa.Column('frames', sa.Integer, nullable=False, server_default='1'))


def downgrade() -> None:
    with op.batch_alter_table('vision_benchmarks') as table:
        table.drop_column('frames')
