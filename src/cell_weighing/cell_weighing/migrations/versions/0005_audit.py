"""The audit of commands."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    op.create_table(
        'weigh_command',
        sa.Column('id', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('received_ns', sa.BigInteger, nullable=False),
        sa.Column('command', sa.String(64), nullable=False),
        sa.Column('request_id', sa.String(64), nullable=False),
        sa.Column('operator_id', sa.String(64), nullable=False),
        sa.Column('issued_ns', sa.BigInteger, nullable=False),
        sa.Column('arguments', sa.Text, nullable=False),
        sa.Column('code', sa.Integer, nullable=False),
        sa.Column('message', sa.Text, nullable=False),
    )
