"""The scale that a spare scale replaced, with each bag."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('filler_bag', sa.Column('stands_for', sa.String(32), nullable=False, server_default=''))
