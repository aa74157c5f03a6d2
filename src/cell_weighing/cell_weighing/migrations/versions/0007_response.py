"""The web application's last answer to a parcel, word for word, in the delivery ledger."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('weigh_delivery', sa.Column('response', sa.Text))
