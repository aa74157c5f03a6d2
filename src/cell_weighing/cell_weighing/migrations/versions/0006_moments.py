"""When jobs were started, ended and reopened by the monotonic clock, so that setting the time moves no bag to another job."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

EDGES = (('prepuff_job', 'started'), ('prepuff_job', 'finished'), ('weigh_reopen', 'ended'), ('weigh_reopen', 'reopened'))


def upgrade() -> None:
    for table, edge in EDGES:
        op.add_column(table, sa.Column(f'{edge}_boot', sa.String(36)))
        op.add_column(table, sa.Column(f'{edge}_monotonic', sa.BigInteger))
    # An active job was started after all readings that have been worked through; all others came after its start.
    op.execute("UPDATE prepuff_job SET started_boot = '', started_monotonic = 0 WHERE status = 'active'")
    op.execute(
        "UPDATE weigh_reopen SET ended_boot = '', ended_monotonic = 0, reopened_boot = '', reopened_monotonic = 0 "
        "WHERE prepuff_job_id IN (SELECT id FROM prepuff_job WHERE status = 'active')"
    )
