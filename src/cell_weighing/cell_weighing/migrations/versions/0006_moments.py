"""When jobs were started, ended and reopened by the monotonic clock, so that setting the time moves no bag to another job."""

import sqlalchemy as sa
from alembic import op

from cell_weighing.migrations.older_tables import job_table

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    job = job_table()
    edges = ((job, 'started'), (job, 'finished'), ('weigh_reopen', 'ended'), ('weigh_reopen', 'reopened'))
    for table, edge in edges:
        op.add_column(table, sa.Column(f'{edge}_boot', sa.String(36)))
        op.add_column(table, sa.Column(f'{edge}_monotonic', sa.BigInteger))
    # An active job was started after all readings that have been worked through; all others came after its start.
    op.execute(f"UPDATE {job} SET started_boot = '', started_monotonic = 0 WHERE status = 'active'")
    op.execute(
        "UPDATE weigh_reopen SET ended_boot = '', ended_monotonic = 0, reopened_boot = '', reopened_monotonic = 0 "
        f"WHERE prepuff_job_id IN (SELECT id FROM {job} WHERE status = 'active')"
    )
