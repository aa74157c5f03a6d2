"""History of pieces: triggers with their times, ids of readings, the part of each piece, and indexes for lists by time."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('pick_piece', sa.Column('part_number', sa.String(64), nullable=False, server_default=''))
    op.add_column('pick_piece', sa.Column('request_id', sa.String(64)))
    op.add_column('pick_reading', sa.Column('request_id', sa.String(64)))
    op.add_column('pick_reading', sa.Column('reason', sa.Text))
    part = '(SELECT part_number FROM pick_job WHERE pick_job.job_id = pick_piece.job_id)'
    op.execute(f'UPDATE pick_piece SET part_number = {part}')
    op.create_table(
        'pick_trigger',
        sa.Column('trigger_id', sa.String(100), primary_key=True),
        sa.Column('job_id', sa.String(64), nullable=False),
        sa.Column('effect_id', sa.Integer, nullable=False),
        sa.Column('piece', sa.Integer, nullable=False),
        sa.Column('event', sa.String(100), nullable=False),
        sa.Column('tray', sa.SmallInteger, nullable=False),
        sa.Column('sent_ns', sa.BigInteger, nullable=False),
        sa.Column('finished_ns', sa.BigInteger),
        sa.Column('outcome', sa.String(32)),
        sa.Column('message', sa.Text, nullable=False, server_default=''),
    )
    op.create_index('pick_trigger_by_piece', 'pick_trigger', ['job_id', 'piece'])
    op.create_index('pick_trigger_by_job', 'pick_trigger', ['job_id', 'effect_id'])
    op.create_index('pick_reading_by_piece', 'pick_reading', ['job_id', 'piece'])
    op.create_index('pick_piece_by_time', 'pick_piece', ['booked_ns', 'job_id', 'piece'])
    op.create_index('pick_piece_by_part', 'pick_piece', ['part_number', 'booked_ns', 'job_id', 'piece'])
    op.create_index('pick_piece_by_outcome', 'pick_piece', ['outcome', 'booked_ns', 'job_id', 'piece'])
    op.create_index('pick_job_by_part', 'pick_job', ['part_number', 'created_ns', 'sequence'])
    op.create_index('alarm_by_time', 'alarm', ['raised_ns', 'alarm_id'])


def downgrade() -> None:
    op.drop_index('alarm_by_time', 'alarm')
    op.drop_index('pick_job_by_part', 'pick_job')
    for name in ('pick_piece_by_outcome', 'pick_piece_by_part', 'pick_piece_by_time'):
        op.drop_index(name, 'pick_piece')
    op.drop_index('pick_reading_by_piece', 'pick_reading')
    op.drop_table('pick_trigger')
    for table, column in (
        ('pick_reading', 'reason'), ('pick_reading', 'request_id'), ('pick_piece', 'request_id'), ('pick_piece', 'part_number')
    ):  # fmt: skip
        op.drop_column(table, column)
