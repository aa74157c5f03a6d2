"""Pick jobs, their pieces and readings, the audit of commands, and the alarms."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'pick_job',
        sa.Column('job_id', sa.String(64), primary_key=True),
        sa.Column('part_number', sa.String(64), nullable=False),
        sa.Column('quantity', sa.Integer, nullable=False),
        sa.Column('placed', sa.Integer, nullable=False),
        sa.Column('rejected', sa.Integer, nullable=False),
        sa.Column('operator_id', sa.String(128), nullable=False),
        sa.Column('created_ns', sa.BigInteger, nullable=False),
        sa.Column('started_ns', sa.BigInteger, nullable=False),
        sa.Column('finished_ns', sa.BigInteger, nullable=False),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('reason', sa.Text, nullable=False),
        sa.Column('snapshot', sa.Text, nullable=False),
    )
    op.create_index('pick_job_by_time', 'pick_job', ['created_ns'])
    op.create_table(
        'pick_piece',
        sa.Column('job_id', sa.String(64), sa.ForeignKey('pick_job.job_id'), primary_key=True),
        sa.Column('piece', sa.Integer, primary_key=True),
        sa.Column('tray', sa.SmallInteger, nullable=False),
        sa.Column('outcome', sa.String(16), nullable=False),
        sa.Column('reason', sa.Text, nullable=False),
        *_verdict_columns(nullable=True),
        sa.Column('booked_ns', sa.BigInteger, nullable=False),
    )
    op.create_table(
        'pick_reading',
        sa.Column('reading_id', sa.Integer, primary_key=True),
        sa.Column('job_id', sa.String(64), sa.ForeignKey('pick_job.job_id'), nullable=False, index=True),
        sa.Column('piece', sa.Integer, nullable=False),
        sa.Column('attempt', sa.Integer, nullable=False),
        *_verdict_columns(nullable=False),
        sa.Column('judged_ns', sa.BigInteger, nullable=False),
    )
    op.create_table(
        'command_audit',
        sa.Column('audit_id', sa.Integer, primary_key=True),
        sa.Column('received_ns', sa.BigInteger, nullable=False),
        sa.Column('command', sa.String(64), nullable=False),
        sa.Column('request_id', sa.String(64), nullable=False),
        sa.Column('operator_id', sa.String(128), nullable=False),
        sa.Column('issued_ns', sa.BigInteger, nullable=False),
        sa.Column('arguments', sa.Text, nullable=False),
        sa.Column('code', sa.Integer, nullable=False),
        sa.Column('message', sa.Text, nullable=False),
    )
    op.create_table(
        'alarm',
        sa.Column('alarm_id', sa.String(64), primary_key=True),
        sa.Column('source', sa.String(64), nullable=False),
        sa.Column('key', sa.String(64), nullable=False),
        sa.Column('open', sa.Boolean, nullable=False, index=True),
        sa.Column('raised_ns', sa.BigInteger, nullable=False),
        sa.Column('heard_ns', sa.BigInteger, nullable=False),
        sa.Column('snapshot', sa.Text, nullable=False),
    )


def _verdict_columns(nullable: bool) -> list[sa.Column[Any]]:
    return [
        sa.Column('verdict', sa.String(16), nullable=nullable),
        sa.Column('recognised', sa.String(64), nullable=nullable),
        sa.Column('text', sa.Text, nullable=nullable),
        sa.Column('score', sa.Float, nullable=nullable),
        sa.Column('frame_ns', sa.BigInteger, nullable=nullable),
    ]


def downgrade() -> None:
    for table in ('alarm', 'command_audit', 'pick_reading', 'pick_piece', 'pick_job'):
        op.drop_table(table)
