"""The log of commands: audit trail, and first answers of request ids."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer, 'sqlite')


def upgrade() -> None:
    op.create_table(
        'command_log',
        sa.Column('sequence', BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column('node', sa.String(64), nullable=False),
        sa.Column('command', sa.String(64), nullable=False),
        sa.Column('request_id', sa.String(64), nullable=False),
        sa.Column('operator_id', sa.String(64), nullable=False),
        sa.Column('role', sa.String(64), nullable=False),
        sa.Column('origin', sa.String(64), nullable=False),
        sa.Column('received_ns', sa.BigInteger, nullable=False),
        sa.Column('issued_ns', sa.BigInteger, nullable=False),
        sa.Column('expires_ns', sa.BigInteger, nullable=False),
        sa.Column('arguments', sa.Text, nullable=False),
        sa.Column('code', sa.Integer),
        sa.Column('message', sa.Text, nullable=False),
        sa.Column('fingerprint', sa.String(64), nullable=False),
        sa.Column('answer_key', sa.String(160), unique=True),
        sa.Column('answer', sa.LargeBinary),
    )
    op.create_index('command_log_by_operator', 'command_log', ['operator_id', 'sequence'])


def downgrade() -> None:
    op.drop_table('command_log')
