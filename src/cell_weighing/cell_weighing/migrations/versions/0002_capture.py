"""Where the capture of a streaming scale stands."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('weigh_scale', sa.Column('armed', sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column('weigh_scale', sa.Column('captured', sa.String(24), nullable=False, server_default=''))
