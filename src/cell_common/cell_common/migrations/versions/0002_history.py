"""Index for the commands of a time."""

from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('command_log_by_time', 'command_log', ['received_ns', 'sequence'])


def downgrade() -> None:
    op.drop_index('command_log_by_time', 'command_log')
