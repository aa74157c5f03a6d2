"""Indexes for the bags of a time, of a station and of a job."""

from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('weigh_bag_by_time', 'weigh_bag', ['weighed_ns', 'id'])
    op.create_index('weigh_bag_by_station', 'weigh_bag', ['station', 'weighed_ns', 'id'])
    op.create_index('weigh_bag_by_job', 'weigh_bag', ['prepuff_job_id', 'weighed_ns', 'id'])
