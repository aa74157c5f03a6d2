"""The scale that a spare scale replaced, with each bag."""

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import bag_table

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(bag_table(), sa.Column('stands_for', sa.String(32), nullable=False, server_default=''))
